"""The way in: the connector, and the pool with its monitor and the others in it."""

from dataclasses import dataclass, field

from tests.property.parts import Deed, Engine, Process

from inferagent.model.desired import Terms
from inferagent.model.membership import Endpoint, MembershipKind, MembershipView
from inferagent.model.reading import Failed, Value
from inferagent.model.tunnel import ConnectorLook, Ingress, Traffic


class Connector(Process):
    """`edge`: whether Cloudflare can be reached. It connects 2 s after its start."""

    def __init__(self, terms: Terms, engine: Engine) -> None:
        super().__init__("c")
        self.engine = engine
        self.edge = True
        self.ready = 0
        self.total = 0
        self.ingress = terms.ingress
        self.metrics = True
        self.tunnel_id = terms.tunnel_id

    def start(self, now: float) -> Deed:
        if not self.alive:
            self.spawn(now)
        return now + 0.2, lambda: ""

    def stop(self, now: float) -> Deed:
        self.alive, self.comes_back = False, None
        return now + 0.5, lambda: ""

    def restart(self, now: float) -> Deed:
        self.spawn(now)
        return now + 0.5, lambda: ""

    def step(self, now: float) -> None:
        self.supervise(now)
        self.ready = 4 if self.alive and self.edge and now >= self.born + 2.0 else 0

    def traffic(self, seconds: float, receiving: bool) -> None:
        self.total += max(1, round(2 * seconds)) if receiving and self.ready else 0

    def look(self, now: float) -> ConnectorLook:
        if not self.alive:
            ill = Failed("refused", now)
            return ConnectorLook(Value(0, now), ill, ill, ill)
        if not self.metrics:
            ill = Failed("cannot read", now)
            return ConnectorLook(ill, ill, ill, ill)
        return ConnectorLook(
            Value(self.ready, now),
            Value(Traffic(self.total, self.engine.tunnel_flying), now),
            Value(Ingress(1, self.ingress), now),
            Value(self.tunnel_id, now),
        )


@dataclass
class Pool:
    """The own pool, its monitor, and the others. `lag`: seconds until the edge acts on a change."""

    alone: bool = False
    enabled: bool = False
    healthy: bool | None = None
    verdict: bool = False
    interval: float = 10.0
    lag: float = 3.0
    rank: int = 0
    machine: str = ""
    peers: list[Endpoint] = field(default_factory=list)
    readable: bool = True
    writes: str = "ok"  # ok | refused | lost | late | late-answered
    late: float = 60.0
    writes_seen: list[tuple[float, bool]] = field(default_factory=list)
    users: bool = True
    _looked: float = float("-inf")
    _seen: bool = False
    _routes: list[tuple[float, bool]] = field(default_factory=list)
    _landing: list[tuple[float, bool]] = field(default_factory=list)
    _now: float = 0.0
    _on: bool = False

    def __post_init__(self) -> None:
        if not self.alone and not self.peers:
            self.peers = [Endpoint("peer", True, True, rank=1)]

    def set_peers(self, *effective: bool, first: int = 1) -> None:
        self.peers = [Endpoint(f"peer{n}", up, up, rank=first + n) for n, up in enumerate(effective)]

    def set(self, enabled: bool) -> None:
        """Write: what counts after enabling is nothing until the monitor has looked."""
        if enabled and not self.enabled:
            self.healthy = None
            self._looked = self._now - self.interval + 1.0
        self.enabled = enabled

    def push(self, member: bool, now: float) -> Deed:
        self.writes_seen.append((now, member))
        if not self.readable or self.writes == "lost":
            return now + 8.0, lambda: "cannot finish within 8 s"
        match self.writes:
            case "refused":
                return now + 0.3, lambda: "cannot write: 403"
            case "late":
                self._landing.append((now + self.late, member))
                return now + 8.0, lambda: "cannot finish within 8 s"
            case "late-answered":
                self._landing.append((now + self.late, member))
                return now + 0.3, lambda: ""
            case _:
                return now + 0.3, lambda: self._write(member)

    def _write(self, member: bool) -> str:
        self.set(member)
        return ""

    def step(self, now: float, connected: int) -> None:
        self._now = now
        for due in [landing for landing in self._landing if now >= landing[0]]:
            self._landing.remove(due)
            self.set(due[1])
        if now - self._looked >= self.interval:
            self._looked = now
            self.healthy = self.verdict and connected > 0
            self._seen = self.healthy
        others = any(peer.effective for peer in self.peers)
        here = self.enabled and (self.healthy is True or not others)
        self._routes.append((now, here))
        while len(self._routes) > 1 and self._routes[1][0] <= now - self.lag:
            self._routes.pop(0)

    def receives(self, connected: int) -> bool:
        return self.users and connected > 0 and bool(self._routes) and self._routes[0][1]

    def view(self, kind: MembershipKind, connected: bool) -> MembershipView:
        if kind is MembershipKind.OWN_POOL:
            own = Endpoint("own", self.enabled, self.healthy, self.rank, self.machine)
            return MembershipView(own, tuple(self.peers))
        if kind is MembershipKind.PULL:
            return MembershipView(Endpoint("own", self.verdict, self.verdict and self._seen), None)
        return MembershipView(Endpoint("own", connected, connected), None)

    def said(self) -> str:
        return f"pool {'en' if self.enabled else 'dis'}abled, healthy {self.healthy}"

    def shift(self, seconds: float) -> None:
        self._looked -= seconds
        self._routes = [(at - seconds, here) for at, here in self._routes]
        self._landing = [(at - seconds, member) for at, member in self._landing]
