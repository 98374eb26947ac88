"""Laws of coming back: S7 the control plane, S9 joins, S11 proofs, S13 holds, S15 and S16 other hands."""

from typing import TYPE_CHECKING, Any

from tests.fleet.law import ILL, INSIDE, Law, joins, leaves, others, own_pool, view
from tests.property.laws import Tick

from inferagent.model.action import Push
from inferagent.model.engine import Outcome
from inferagent.model.phase import Phase
from inferagent.model.reading import Value, known
from inferagent.model.unit import Part

if TYPE_CHECKING:
    from tests.fleet.fleet import Fleet
    from tests.fleet.host import Host

HOUR, PROOF = 3600.0, 61.0
BLIND = 240.0


class S7(Law):
    """Control plane lost: the phase stays, writes keep their distance, enabling rests on a fresh reading."""

    name = "S7"
    MOST = 16  # pushes of one host in a minute

    def begin(self, fleet: "Fleet") -> None:
        super().begin(fleet)
        self.pushes: dict[str, list[float]] = {host.name: [] for host in fleet.hosts}

    def event(self, host: "Host", kind: str, detail: Any) -> None:
        if kind != "push":
            return
        now, times = self.fleet.now, self.pushes[host.name]
        line = host.line
        self.met |= line.cut or not line.token or line.writes != "ok" or self.fleet.account.down
        times.append(now)
        if sum(now - at < 60.0 for at in times) > self.MOST:
            self.breach(host, f"more than {self.MOST} writes within a minute")

    def tick(self, host: "Host", tick: Tick) -> None:
        if not any(isinstance(action, Push) and action.member for action in tick.decision.actions):
            return
        seen = view(tick)
        if seen is None or seen.own.enabled:
            self.breach(host, "enables without a fresh reading that says disabled")


class S9(Law):
    """Joins are held off after each inferred or certain cause, and capped."""

    name = "S9"

    def begin(self, fleet: "Fleet") -> None:
        super().begin(fleet)
        self.level = {host.name: 0 for host in fleet.hosts}
        self.left = {host.name: float("-inf") for host in fleet.hosts}
        self.joined: dict[str, list[float]] = {host.name: [] for host in fleet.hosts}
        self.free: set[str] = set()

    def event(self, host: "Host", kind: str, detail: Any) -> None:
        if kind == "resume":
            self.free.add(host.name)
        if kind in ("boot", "power off") or host.disk.full or kind == "torn":
            self._forget(host.name)

    def _forget(self, name: str) -> None:
        """What its agent may have lost binds it no more; what comes after does."""
        self.level[name], self.left[name], self.joined[name] = 0, float("-inf"), []

    def tick(self, host: "Host", tick: Tick) -> None:
        name, now = host.name, self.fleet.now
        cause = leaves(tick)
        if cause is not None and cause.kind in ILL:
            self.level[name] += 1
            self.left[name] = now
        serving = tick.decision.saved.serving_since
        if tick.decision.phase is Phase.SERVING and serving is not None:
            self.free.discard(name)
            if tick.now - serving >= tick.desired.terms.hold_off_reset:
                self.level[name] = 0
        if not joins(tick):
            return
        self.met |= self.level[name] > 0
        self._joined(host, tick, now)

    def _joined(self, host: "Host", tick: Tick, now: float) -> None:
        name, around = host.name, others(tick)
        recent = [at for at in self.joined[name] if now - at < HOUR]
        self.joined[name] = [*recent, now]
        if name in self.free or around == 0:
            return
        first = tick.desired.terms.hold_off
        wait = first * min(60, 2 ** (self.level[name] - 1)) if self.level[name] else 0.0
        wait = min(wait, BLIND) if around is None else wait
        if now - self.left[name] < wait - 0.5:
            self.breach(host, f"joins {now - self.left[name]:.0f} s after it left, not {wait:.0f}")
        if around is not None and len(recent) >= tick.desired.terms.joins_per_hour:
            self.breach(host, f"joins for the {len(recent) + 1}th time within the hour")


class S11(Law):
    """Every join and every enabling write has a young proof, newer than whatever was wrong."""

    name = "S11"

    def tick(self, host: "Host", tick: Tick) -> None:
        enabling = any(isinstance(action, Push) and action.member for action in tick.decision.actions)
        if not joins(tick) and not enabling:
            return None
        self.met = True
        now = tick.now
        good = [begun for begun, outcome in host.engine.answered if outcome is Outcome.OK]
        proof = max((begun for begun in good if now - begun <= PROOF), default=None)
        if proof is None or proof < host.engine.born:
            return self.breach(host, "comes back without a young generation of this life")
        if host.slept_at is not None and proof < host.slept_at:
            return self.breach(host, "comes back on a proof from before its sleep")
        ill = [cause for cause in tick.decision.causes if cause.kind in ILL]
        if ill:
            return self.breach(host, f"comes back with {ill[0].code}")
        return None


class S13(Law):
    """A hold survives everything; only `resume` ends it, or its own end, which comes."""

    name = "S13"

    def tick(self, host: "Host", tick: Tick) -> None:
        over = host.held and host.overdue(self.fleet.now)
        if over and any(cause.code == "hold" for cause in tick.decision.causes):
            self.breach(host, "is held long after the end of its hold")
        if not host.must_hold:
            return
        self.met = True
        if joins(tick):
            self.breach(host, "joins while it is held")
        if tick.desired.hold is None and tick.decision.phase in INSIDE:
            self.breach(host, "the hold is forgotten")

    def event(self, host: "Host", kind: str, detail: Any) -> None:
        repairs = kind == "touch" and detail.part is Part.ENGINE and detail.verb in ("start", "restart")
        if repairs and host.must_hold:
            self.breach(host, f"{detail.verb}s the engine while held")


class S15(Law):
    """In doubt whether this identity is this machine's alone, no upward change."""

    name = "S15"

    def tick(self, host: "Host", tick: Tick) -> None:
        seen, terms = view(tick), tick.desired.terms
        tunnel = known(tick.observed.connector.tunnel_id)
        other_machine = seen is not None and bool(seen.own.machine) and seen.own.machine != terms.machine
        other_tunnel = bool(tunnel) and tunnel != terms.tunnel_id and host.terms.membership != "replica"
        if not (other_machine or other_tunnel):
            return
        self.met = True
        enabling = any(isinstance(action, Push) and action.member for action in tick.decision.actions)
        if joins(tick) or enabling:
            self.breach(host, "comes in although its identity is in doubt")


class S16(Law):
    """What another hand disabled stays so; what `status` says of the membership was read."""

    name = "S16"

    def begin(self, fleet: "Fleet") -> None:
        super().begin(fleet)
        self.standing: set[str] = set()  # disabled by another hand, for all that its agent can know
        self.seen: set[str] = set()  # and the agent has seen it

    def event(self, host: "Host", kind: str, detail: Any) -> None:
        name = host.name
        if kind == "hand" and detail is False:
            if self._settled(host):
                self.standing.add(name)
                self.met = True
        elif kind in ("crash", "agent down") and host.disk.full:
            self._forget(name)  # S16 holds where the saved state is whole
        elif kind in ("hand", "resume", "torn") or (kind == "boot" and name not in self.seen):
            self._forget(name)
        elif kind == "push" and detail is True and name in self.standing:
            self.breach(host, "enables what another hand has disabled")
        elif kind == "touch" and name in self.seen and detail.part is Part.ENGINE and detail.verb != "stop":
            self.breach(host, f"{detail.verb}s the engine while another hand holds it")

    def _forget(self, name: str) -> None:
        self.standing.discard(name)
        self.seen.discard(name)

    def _settled(self, host: "Host") -> bool:
        """The agent has nothing of its own under way that could explain a disabled pool."""
        saved, write = host.saved, host.saved.last_write
        if not own_pool(host) or host.disk.full or host.forgot or host.phase is not Phase.SERVING:
            return False
        resumed = host.life.loop.desired.resumed_at if host.life else None
        looked = resumed is None or (saved.memory.pool_at or 0.0) > resumed
        quiet = saved.baseline is True and saved.unanswered_at is None and looked
        return quiet and write is not None and write.confirmed

    def tick(self, host: "Host", tick: Tick) -> None:
        cause = leaves(tick)
        if host.name in self.standing and tick.decision.saved.other_hand:
            self.seen.add(host.name)
        elif cause is not None:
            self.standing.discard(host.name)  # it left for another reason before it could see the hand
        self._said(host)

    def _said(self, host: "Host") -> None:
        document = host.life.documents if host.life else None
        if document is None or not own_pool(host) or host.life is None:
            return
        reading = host.life.board.last_membership
        said = document.membership.state
        if not isinstance(reading, Value):
            if said != "unknown":
                self.breach(host, f"says {said} without a reading")
        elif said != "unknown" and document.membership.age is None:
            self.breach(host, "states the membership without its age")
