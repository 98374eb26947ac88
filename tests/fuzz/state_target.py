"""Saved state and hold through the real folder, and what the decision makes of a state that loads.

Wrong is: a file with a changed byte believed, or passed over in silence; one as written that is not believed;
a hold lost, or asking for more than being out. Other fields under a right sum are refused, or phases, times
and counts: then a healthy host is left alone unless the state itself says leave, and no tick fails.
"""

import dataclasses
import json
import math
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz import state_make
from tests.fuzz.mutate import raw
from tests.fuzz.runner import Case, Judged
from tests.fuzz.state_make import NOW

from inferagent.adapters.saved_state import StateFolder, decode, encode, outdated
from inferagent.model.action import Action, Push
from inferagent.model.decision import Decision
from inferagent.model.desired import Desired, Hold
from inferagent.model.engine import EngineLook, Generation, Load, Outcome, Progress
from inferagent.model.membership import Endpoint, MembershipView
from inferagent.model.observed import Job, Observed
from inferagent.model.phase import Phase
from inferagent.model.reading import Failed, NotAvailable, Value
from inferagent.model.saved import SCHEMA, Fault, Memory, Saved
from inferagent.model.tunnel import ConnectorLook, Traffic
from inferagent.model.unit import Unit, UnitState
from inferagent.policy.decide import decide
from inferagent.policy.wake import wake

INSIDE = (Phase.JOINING, Phase.SERVING)
TICKS = 2


class State:
    name = "state"

    def __init__(self) -> None:
        memory = Path("/dev/shm")
        self._root = Path(
            tempfile.mkdtemp(prefix="inferagent-fuzz-", dir=memory if memory.is_dir() else None)
        )
        self._folder, self._run = self._root / "state", self._root / "run"
        self._folder.mkdir()
        self._run.mkdir()

    def close(self) -> None:
        shutil.rmtree(self._root, ignore_errors=True)

    def make(self, random: Random) -> Case:
        return state_make.make(random)

    def judge(self, case: Case) -> Judged:
        for path in (*self._folder.iterdir(), *self._run.iterdir()):
            path.unlink()
        for name, text in case["files"].items():
            ((self._run if name == "faults.json" else self._folder) / name).write_bytes(raw(text))
        folder = StateFolder(self._folder, self._run)
        told, hold = folder.load(), folder.load_hold()
        wrong = _round_trip(raw(case["state"]))
        if case["kind"] == "bytes":
            wrong += [*_believed(case, told), *_said(case, folder.problem), *_held(case, hold)]
        else:
            wrong += _hold_fields(case, hold)
        if told is not None:
            wrong += [*_sound(told), *_decided(case, told)]
        newest = case["files"].get("state.json") == case["whole"]["state.json"]
        return Judged("unknown" if told is None else "accepted" if newest else "refused", tuple(wrong))


def _round_trip(state: bytes) -> list[str]:
    """What was written is read back to the last field, by a plain reader of JSON too. An older version's
    state lacks fields, which come with what they are by themselves."""
    found = decode(state)
    plain = {key: value for key, value in json.loads(state).items() if key != "sum"}
    told = json.loads(json.dumps(dataclasses.asdict(dataclasses.replace(found, memory=Memory()))))
    told = {key: _plain(value) for key, value in told.items() if key != "memory"}
    same = encode(found) == state and told == plain
    older = told.keys() > plain.keys() and decode(encode(found)) == found and _holds(told, plain)
    return [] if same or older else ["a whole state does not come back as written"]


def _holds(told: Any, plain: Any) -> bool:
    if isinstance(plain, dict):
        return all(key in told and _holds(told[key], value) for key, value in plain.items())
    if isinstance(plain, list):
        return len(told) == len(plain) and all(_holds(*pair) for pair in zip(told, plain, strict=True))
    return bool(told == plain)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _believed(case: Case, told: Saved | None) -> list[str]:
    """The newest file that is to the byte as it was written; an older one knows nothing of the pool. No fault
    of a whole second copy is lost."""
    lost = [key for key in _faults(case) if key not in _keys(told.faults if told else ())]
    if lost:
        return [f"faults are lost: {lost}"]
    for name in ("state.json", "state.old.json", "state.previous.json"):
        if _whole(case, name):
            wanted = decode(raw(case["files"][name]))
            wanted = wanted if name == "state.json" else outdated(wanted)
            more = _keys(told.faults[len(wanted.faults) :]) if told else []
            if not set(more) <= set(_faults(case)):
                return [f"faults that no whole file says: {more}"]
            mine = told and dataclasses.replace(
                told,
                faults=told.faults[: len(wanted.faults)],
                cleared=told.cleared[: len(wanted.cleared)],
            )
            return [] if mine == wanted else [f"{name} is whole and was passed over for {told}"]
    bare = told is None or told == Saved(boot=told.boot, faults=told.faults, cleared=told.cleared)
    said = told is None or _faults(case) or (told.cleared and _whole(case, "faults.json"))
    return [] if bare and said else [f"no file is whole, one was believed: {told}"]


def _whole(case: Case, name: str) -> bool:
    return name in case["files"] and case["files"][name] == case["whole"][name]


def _faults(case: Case) -> list[tuple[str, str, str]]:
    """What the second copy of the faults says, if it is as it was written."""
    if not _whole(case, "faults.json"):
        return []
    return [
        (one["boot"], one["gpu"], one["code"])
        for one in json.loads(raw(case["files"]["faults.json"]))["faults"]
    ]


def _keys(faults: tuple[Fault, ...]) -> list[tuple[str, str, str]]:
    return [(fault.boot, fault.gpu, fault.code) for fault in faults]


def _said(case: Case, problem: str) -> list[str]:
    """Every spoilt file that was looked at is named; those behind a whole one are not looked at."""
    wrong = []
    for name in ("state.json", "state.old.json", "state.previous.json"):
        if name not in case["files"]:
            continue
        if case["files"][name] == case["whole"][name]:
            break
        wrong += [] if name in problem else [f"{name} was set aside in silence"]
    spoilt = case["files"].get("hold.json") != case["whole"].get("hold.json")
    return [*wrong, "a hold was spoilt in silence"] if spoilt and "hold.json" not in problem else wrong


def _held(case: Case, told: Hold | None) -> list[str]:
    content = case["files"].get("hold.json")
    if content is None:
        return [] if told is None else ["a hold out of nothing"]
    if told is None:
        return ["a hold was lost"]
    if content != case["whole"]["hold.json"]:
        return [] if _only_out(told) else [f"a spoilt hold asks for {told}"]
    wanted = json.loads(raw(content))["hold"]
    return [] if _holds(dataclasses.asdict(told), wanted) else [f"the hold came back as {told}"]


def _only_out(hold: Hold) -> bool:
    """Out until `resume`, with nothing else that nobody asked for; the reason says why."""
    asked = (hold.stop_engine, hold.last, hold.lend), (hold.deadline, hold.until)
    return asked == ((False, False, False), (None, None)) and "hold.json" in hold.reason


def _hold_fields(case: Case, told: Hold | None) -> list[str]:
    if "hold.json" not in case["files"]:
        return [] if told is None else ["a hold out of nothing"]
    if told is None:
        return ["a hold was lost"]
    fine = told.deadline is None or (0 < told.deadline < math.inf)
    until = told.until
    ends = until is None or (0 < until.longest < math.inf and abs(until.at) < math.inf)
    return [] if fine and ends else [f"the hold's deadline is {told.deadline}, its end {until}"]


def _sound(saved: Saved) -> list[str]:
    """Only values that an agent may have written; said again field by field, not by the reader's types."""
    plain = dataclasses.asdict(saved)
    times = [saved.since, saved.proof_floor, saved.hold_off_until, saved.connector_restart_at]
    times += [*saved.restarts, *saved.joins]
    times += [
        time for time in (saved.serving_since, saved.resumed_at, saved.unanswered_at) if time is not None
    ]
    counts = [saved.hold_off_level, saved.connector_restarts, saved.gpu_count]
    flags = [saved.adopted, saved.other_hand, saved.resume_free, saved.stopped_engine]
    wrong = (
        [] if all(isinstance(time, float) and not math.isnan(time) for time in times) else ["a time is none"]
    )
    wrong += [] if all(type(count) is int and count >= 0 for count in counts) else ["a count is none"]
    wrong += [] if all(isinstance(flag, bool) for flag in flags) else ["a flag is none"]
    wrong += [] if isinstance(saved.phase, Phase) and isinstance(saved.restarts, tuple) else ["no phase"]
    return (
        wrong
        if saved.memory == Memory() and isinstance(plain["boot"], str)
        else [*wrong, "a memory was saved"]
    )


# what the decision makes of it


def healthy(now: float, boot: str) -> Observed:
    """A host that serves: engine and connector run, a generation just came back, both endpoints receive."""
    unit = Unit(UnitState.RUNNING, "e1", 7, 10.0)
    endpoints = Endpoint("own", True, True, 0), (Endpoint("peer", True, True, 1),)
    look = EngineLook(
        accepts=Value(True, now),
        models=Value(frozenset({"chat"}), now),
        progress=Value(Progress((("generated", now),)), now),
        load=Value(Load(1, 0), now),
        lan=NotAvailable(now),
        warmup=NotAvailable(now),
    )
    return Observed(
        now=now,
        boot=boot,
        engine_unit=Value(unit, now),
        connector_unit=Value(Unit(UnitState.RUNNING, "c1", 8, 10.0), now),
        engine=look,
        connector=ConnectorLook(Value(4, now), Value(Traffic(int(now), 1), now)),
        generation=Value(Generation(Outcome.OK, now - 1.0, now - 0.5, "", "e1"), now),
        membership=Value(MembershipView(*endpoints), now - 0.1),
    )


def unknown(now: float, boot: str) -> Observed:
    """A host of which nothing can be read."""
    return Observed(now=now, boot=boot)


def ailing(now: float, boot: str) -> Observed:
    """The engine is gone, no edge connection, the pool cannot be read, and every deed fails."""
    jobs = tuple(
        (slot, Job(ended=now - 1.0, error="no", failures=9)) for slot in ("push", "engine", "connector")
    )
    return dataclasses.replace(
        healthy(now, boot),
        engine_unit=Value(Unit(UnitState.FAILED, exit="exit code 1"), now),
        connector=ConnectorLook(Value(0, now)),
        membership=Failed("cannot read the pool", now),
        jobs=jobs,
    )


Host = Callable[[float, str], Observed]


def live(saved: Saved, boot: str, host: Host = healthy, pace: float = 1.0) -> list[Decision]:
    """The first ticks of an agent that starts with this state."""
    saved = wake(saved, NOW, boot)
    decisions = []
    for tick in range(TICKS):
        decisions.append(decide(host(NOW + 0.2 + tick * pace, boot), Desired(), saved))
        saved = decisions[-1].saved
    return decisions


def _decided(case: Case, told: Saved) -> list[str]:
    begun = wake(told, NOW, case["boot"])
    decisions = live(told, case["boot"])
    actions = [action for decision in decisions for action in decision.actions]
    wrong = [f"a healthy host: {action}" for action in actions if not isinstance(action, Push)]
    after = dataclasses.replace(decisions[-1].saved, memory=Memory(), schema=SCHEMA)
    wrong += [] if decode(encode(after)) == after else ["what follows from it cannot be saved"]
    leaves = any(_leaving(action) for action in actions)
    if leaves and begun.adopted and not _says_leave(begun) and not _would_leave(case):
        wrong.append(f"leaves from {begun.phase}: {decisions[0].sentence}")
    return wrong + _elsewhere(told, case["boot"])


def _elsewhere(told: Saved, boot: str) -> list[str]:
    """Unknown touches nothing; and an ailing host at least gets its ticks."""
    live(told, boot, ailing, 40.0)
    actions = [action for decision in live(told, boot, unknown, 40.0) for action in decision.actions]
    return [f"a host of which nothing is known: {action}" for action in actions if not _leaving(action)]


def _leaving(action: Action) -> bool:
    return isinstance(action, Push) and not action.member


def _says_leave(saved: Saved) -> bool:
    """It is outside, rests on another life of the engine, or holds another hand's word or a fault."""
    return saved.phase not in INSIDE or saved.incarnation != "e1" or saved.other_hand or bool(saved.faults)


def _would_leave(case: Case) -> bool:
    """The state before it was spoilt does the same."""
    whole = decode(raw(case["state"]))
    return any(_leaving(action) for decision in live(whole, case["boot"]) for action in decision.actions)
