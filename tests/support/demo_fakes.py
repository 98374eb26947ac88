"""Hosts and a world of the demo that obey at once, for its story and its view in virtual time."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from inferagent.lab.demo.host import CommandError
from inferagent.lab.demo.world import SHORT, World
from inferagent.lab.processes import Process

REACTS = 1.5  # seconds from an event to its effect at the edge
STAYS = 1e9


@dataclass
class FakeHost:
    """`phase` and `enabled` follow what is done to it; `deaf`: nothing that befalls it shows at the edge."""

    name: str
    phase: str = "serving"
    enabled: bool = True
    agent: bool = True
    running: bool = True
    deaf: bool = False
    refuses: str = ""  # what its commands answer with instead of obeying
    leaves_at_start: bool = False  # an agent that is no good: it changes the membership when it returns
    done: list[str] = field(default_factory=list)
    token: str = "token-id"
    membership: str = "own-pool"
    config: Path = Path("etc")
    engine: Any = field(default_factory=lambda: SimpleNamespace(real=False))

    async def status(self) -> dict[str, Any] | None:
        if not self.agent:
            return None
        return {"phase": self.phase, "sentence": f"{self.phase}: so it is", "membership": {"state": "in"}}

    async def command(self, *words: str) -> str:
        self.done.append(words[0])
        await asyncio.sleep(0.1)
        if self.refuses:
            raise CommandError(self.refuses)
        if words[0] == "drain":
            self._leave(STAYS)
            await asyncio.sleep(3.0)
            self.running = False
        else:
            self._return_after(REACTS)
        return ""

    def kill_engine(self) -> None:
        self.done.append("kill")
        self._leave(5.0)

    def hang_engine(self) -> bool:
        self.done.append("hang")
        self._leave(9.0)
        return True

    def worker(self) -> Process | None:
        return Process(1, 0, 1, "worker", "S") if self.running else None

    def pid(self, _part: str) -> int:
        return 4711 if self.running else 0

    async def vanish(self) -> None:
        self.done.append("vanish")
        self.agent = False
        self._leave(STAYS)

    async def kill_agent(self) -> None:
        self.agent = False

    async def start_agent(self) -> None:
        self.done.append("start")
        self.agent = True
        if self.leaves_at_start:
            self.enabled = False
        elif self.phase != "serving":
            self._return_after(2.0)

    def _leave(self, seconds: float) -> None:
        self.phase = "draining"
        if not self.deaf:
            asyncio.get_running_loop().call_later(REACTS, self._out)
        if seconds < STAYS:
            self._return_after(seconds)

    def _out(self) -> None:
        self.phase, self.enabled = "out", False

    def _return_after(self, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self._back)

    def _back(self) -> None:
        self.phase, self.enabled, self.running = "serving", True, True


class FakeWorld(World):
    """The real world on hosts that are not: what it asks of account and edge is answered from them."""

    def __init__(self, *hosts: FakeHost) -> None:
        super().__init__(Path("world"), {"zone_name": "example.com"}, None, SHORT, list(hosts))  # type: ignore[arg-type]
        self.asked: list[tuple[str, str, object]] = []

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        self.asked.append((method, path, body))
        await asyncio.sleep(0.01)
        hosts: list[Any] = self.hosts
        match path:
            case "/state":
                pools = {
                    host.name: {"id": host.name, "name": host.name, "enabled": host.enabled} for host in hosts
                }
                return {"pools": pools}
            case "/edge":
                return {"routed": {host.name: host.enabled for host in hosts}}
            case "/journal":
                return []
            case "/faults":
                return {"id": "fault-1"} if method == "POST" else {}
        raise AssertionError(f"nobody answers {method} {path}")
