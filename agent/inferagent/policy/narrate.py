"""One sentence that says what the host does and why; the root cause first, its consequences hidden."""

from inferagent.model.change import changed
from inferagent.model.decision import Decision, Veto
from inferagent.model.health import Cause, CauseKind, Component
from inferagent.model.membership import MembershipKind
from inferagent.model.phase import Label, Phase
from inferagent.policy import budget
from inferagent.policy.facts import Facts
from inferagent.policy.faults import of_engine
from inferagent.policy.flight import in_flight
from inferagent.policy.judge_port import CODE as PORT_TAKEN
from inferagent.policy.judge_port import taken
from inferagent.policy.labels import dark, unsaved
from inferagent.policy.progress import progress, said
from inferagent.policy.proofs import join_unproven, out_proven

PAST = {" is ": " was ", " has ": " had ", " have ": " had ", " does ": " did ", " hangs": " hung"}
PAST |= {" belongs ": " belonged "}
PAST |= {" answers ": " answered ", " lives, but its port refuses ": " lived, but its port refused "}
# What breaks what: a lost GPU takes the engine with it, not the other way round.
ROOTS = (Component.HOST, Component.GPU, Component.ENGINE, Component.CONNECTOR)


def root_cause(told: Facts | Decision) -> Cause | None:
    """The cause that explains the others: while out the word of a person, else what breaks the rest.

    While draining without any, the cause of leaving, which is over.
    """
    saved, causes = told.saved, told.causes
    if not causes:
        return _over(saved.cause) if saved.cause and saved.phase is Phase.DRAINING else None
    held = [cause for cause in causes if cause.kind is CauseKind.OPERATOR]
    if held and saved.phase is Phase.OUT:
        return held[0]
    return min(causes, key=lambda one: (-one.kind, _depth(one), one.code != PORT_TAKEN, one.since))


def _over(cause: Cause) -> Cause:
    """In the past tense, and without what was being done about it: nothing is left to cure."""
    text = cause.text.removesuffix(", being started again")
    first = min((word for word in PAST if word in text), key=text.index, default="")
    was = text.replace(first, PAST[first], 1) if first else f"{text} (over)"
    return changed(cause, text=was, cure="")


def _depth(cause: Cause) -> int:
    return ROOTS.index(cause.component) if cause.component in ROOTS else len(ROOTS)


def narrate(facts: Facts, label: Label | None, vetoes: tuple[Veto, ...]) -> str:
    cause = root_cause(facts)
    why = f": {cause.text}" if cause else ""
    match facts.saved.phase:
        case Phase.SERVING:
            return f"serving{_kept(cause, vetoes)}"
        case Phase.JOINING:
            return f"joining: {_joining(facts)}{f', although {cause.text}' if cause else ''}"
        case Phase.DRAINING:
            waits = "" if facts.causes else _back_waits(vetoes)
            return f"draining, {_draining(facts)}{why}{waits}"
        case Phase.OUT:
            return f"out, {_out(facts, label, why)}{_join_waits(label, vetoes)}"


def _kept(cause: Cause | None, vetoes: tuple[Veto, ...]) -> str:
    if cause is None:
        return ""
    kept = next((veto.why for veto in vetoes if veto.rule == "S2"), "")
    return f", although {cause.text}" + (f" (kept in: {kept})" if kept else "")


def _joining(facts: Facts) -> str:
    if facts.replica:
        return "connecting to the edge"
    if facts.own is None:
        return "the pool cannot be read"
    own_pool = facts.terms.membership is MembershipKind.OWN_POOL
    return "enabling in the pool" if own_pool and not facts.own.enabled else "waiting for the monitor"


def _draining(facts: Facts) -> str:
    if not out_proven(facts):
        return "leaving the pool"
    flight = in_flight(facts.observed)
    if flight.total is None:
        return "requests in flight unknown"
    ways = [f"{name} {n}" for name, n in (("tunnel", flight.tunnel), ("LAN", flight.lan)) if n]
    return f"{flight.total} in flight" + (f" ({', '.join(ways)})" if ways else "")


def _out(facts: Facts, label: Label | None, why: str) -> str:
    match label:
        case Label.UNCONFIGURED:
            return "unconfigured: run sudo inferagent setup"
        case Label.INSTALLING:
            return f"installing: {facts.desired.installing}"
        case Label.HELD:
            said_so = why.removeprefix(": ") or "held"
            return said_so if said_so.startswith(("held", "lent")) else f"held: {said_so}"
        case Label.RECONNECTING:
            text = next((c.text for c in facts.causes if c.component is Component.CONNECTOR), "")
            return f"reconnecting: {text}"
        case Label.WARMING:
            load = progress(facts)
            return f"warming: {said(load) if load else join_unproven(facts)}"
        case Label.WAITING if of_engine(facts.saved, facts.terms.gpus):
            return f"waiting for a {_cure_waited_for(facts)}{why}"
        case Label.NEEDS_OPERATOR:
            starts = "" if taken(facts) else budget.restart_wait(facts)  # no start cures a port that is taken
            wait, unread = unsaved(facts) or starts, dark(facts)
            why = why or (f": {unread}" if unread else ": the engine keeps dying while it starts")
            return f"needs-operator{why}" + (f" ({wait})" if wait else "")
        case Label.READY:
            return "ready"
        case _:
            said_so = why.removeprefix(": ")
            return said_so if said_so.startswith(f"{label}: ") else f"{label}{why}"


def _cure_waited_for(facts: Facts) -> str:
    faults = of_engine(facts.saved, facts.terms.gpus)
    return "GPU reset" if all(fault.cure == "reset" for fault in faults) else "reboot"


def _back_waits(vetoes: tuple[Veto, ...]) -> str:
    """What the way back waits for, where nothing is ill any more."""
    whys = [veto.why for veto in vetoes if veto.proposal == "go to joining" and veto.rule != "observe"]
    return f"; the way back waits: {whys[0]}" if whys else ""


def _join_waits(label: Label | None, vetoes: tuple[Veto, ...]) -> str:
    """What a join waits for beside its proof."""
    if label not in (Label.READY, Label.WARMING):
        return ""
    joins = (veto for veto in vetoes if veto.proposal == "go to joining")
    whys = [veto.why for veto in joins if veto.rule not in ("S1", "S11", "observe")]
    return f" ({whys[0]})" if whys else ""
