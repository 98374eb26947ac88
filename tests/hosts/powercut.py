"""One host whose power is cut: the orders given to it, what is seen of it, and how it came back."""

import http.client
import json
import threading
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.hosts.cuts import Cut, damage, keeps, membership, out_of_order
from tests.hosts.host import pause, until
from tests.hosts.stage import PORTS, UNITS, Stage, explain
from tests.hosts.uml import Machine

STATE = "/var/lib/inferagent"
WITHIN = 180.0  # seconds for a boot, and for what comes after it
EVENTS = f"{STATE}/events.jsonl"
UNSYNCED = "/var/tmp/unsynced"
STAYS = 3.0  # seconds for which a host that is held is watched
ENGINE = UNITS[0]


@dataclass
class Play:
    """`since`: how many writes there were before the last order, or cut; `before`: those between the two.

    `begun`: when the last deed began to cost requests, None where it does not. `out`: the pool was so.
    """

    scene: Stage
    host: Machine
    since: int = 0
    begun: float | None = None
    out: bool = False
    before: list[bool] = field(default_factory=list)
    streams: list["Stream"] = field(default_factory=list)
    _patched: float = 0.0
    _unsynced: str | None = None
    _told: str = ""

    # orders

    def drain(self, *words: str) -> None:
        self._begin()
        self.host.run("inferagent", "drain", *words)

    def resume(self) -> None:
        self._begin()
        self.host.run("inferagent", "resume")

    def order(self, *words: str) -> None:
        """Given, and not waited for."""
        self._begin()
        self.host.order("inferagent", *words)

    def late(self) -> None:
        """The next write takes effect in the account only when the power is gone."""
        fault = {"kind": "late", "method": "PATCH", "path": "/pools/", "seconds": 6.0, "count": 1}
        data, kind = json.dumps(fault).encode(), {"Content-Type": "application/json"}
        request = urllib.request.Request(self.scene.info["lab"] + "/faults", data, kind)
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()

    def stream(self) -> None:
        """A user of this host whose answer is long."""
        self.streams.append(Stream(self.scene.public_host, self.host.name))

    def kill_engine(self) -> None:
        pid = self.host.main_pid(ENGINE)
        self._begin()
        self.begun = time.monotonic()
        self.host.run("/bin/kill", "-KILL", str(pid))

    def _begin(self) -> None:
        self.since, self.begun = len(self.scene.writes()), None
        self.out = not self.scene.pool(self.host)["enabled"]
        self.host.write(UNSYNCED, f"{self.since} {time.monotonic()}")
        self._unsynced = self.host.read(UNSYNCED)
        self._told = self.host.read(EVENTS) or ""
        self._patched = self._last_patch()

    # moments

    def refused(self) -> bool:
        return self.host.ready() == 503

    def sent(self) -> bool:
        """The account has the request, and has not done it yet."""
        return self._last_patch() > self._patched

    def accepted(self, member: bool) -> bool:
        return member in self.written()

    def waits(self) -> bool:
        """Out, and somebody is still being answered."""
        told = self.host.told()
        draining = told.get("phase") == "draining" and "in flight" in told["sentence"]
        return bool(draining and told["in_flight_tunnel"])

    def phase(self, wanted: str) -> bool:
        return bool(self.host.told().get("phase") == wanted)

    def engine(self, *wanted: str) -> bool:
        return self.host.show(ENGINE, "ActiveState")["ActiveState"] in wanted

    def held(self) -> bool:
        """hold.json is there."""
        return "hold.json" in self.host.listed(STATE)

    def _last_patch(self) -> float:
        """When the account was last asked to change a pool, by its own clock."""
        seen = self.scene.ask("/requests")
        patches = [each for each in seen if each["method"] == "PATCH" and "/pools/" in each["path"]]
        return max((float(each["time"]) for each in patches), default=0.0)

    def written(self) -> list[bool]:
        return membership(self.scene.writes()[self.since :], self.scene.pool(self.host)["id"])

    # the cut, and after it

    def cut(self, name: str, grace: float | None) -> Cut:
        """One that is out when it is told to come back serves nobody before the account has enabled it."""
        at, was_out = time.monotonic(), self.out
        self.host.power_cut()
        self.before, self.since = self.written(), len(self.scene.writes())
        for stream in self.streams:
            stream.close()
        self.streams.clear()
        return Cut(name, self.begun or at, at, None if was_out and True not in self.before else grace)

    def back(self) -> tuple[dict[str, Any], float]:
        """The first Status document after the boot, and how long it took."""
        begun = time.monotonic()
        self.host.power_on()
        first = until(self.host.told, f"the agent answers: {self.host.console}", WITHIN, 0.05)
        return first, time.monotonic() - begun

    def comes_to(self, end: str, *, booted: bool = False) -> float:
        """How many seconds it took. `end`: held, stopped (and held), or serving.

        `booted`: it serves nobody on its way to a hold.
        """
        seen: set[str] = set()
        begun = time.monotonic()

        def there() -> bool:
            told = self.host.told()
            seen.add(str(told.get("phase", "")))
            return bool(told) and self._is(end, told)

        try:
            until(there, f"{end}: {sorted(seen)}", WITHIN, 0.1)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{explain(self.host)}") from late
        took = time.monotonic() - begun
        if end != "serving":
            pause(STAYS)
            assert there(), f"it did not stay {end}: {self.host.told()}"
            assert not (booted and seen & {"joining", "serving"}), f"a held host was {sorted(seen)}"
        assert not (wrong := out_of_order(self.written(), held=end != "serving")), wrong
        return took

    def _is(self, end: str, told: dict[str, Any]) -> bool:
        pool = self.scene.pool(self.host)
        if end == "serving":
            return told["phase"] == "serving" and not told["hold"] and self.scene.routes_to(self.host)
        out = told["phase"] == "out" and told["hold"] and not pool["enabled"]
        runs = ("inactive", "failed") if end == "stopped" else ("active",)
        return bool(out and not self.scene.routes_to(self.host) and self.engine(*runs))

    def lost(self) -> bool:
        """Whether the cut lost what was written before the order and not synced: else it was none."""
        return self.host.read(UNSYNCED) != self._unsynced

    def whole(self) -> None:
        state = self.host.read(f"{STATE}/state.json")
        wrong = damage(self.host.listed(STATE), state, self.host.told())
        assert not wrong, f"saved state: {wrong}"
        kept = keeps(self._told, self.host.read(EVENTS) or "")
        assert kept, "events that had been written before the order are gone"


class Stream:
    """A long answer that this host gives, read until it is closed."""

    def __init__(self, public: str, host: str) -> None:
        self._connection = until(lambda: self._opened(public, host), f"a stream from {host}", 30.0)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _opened(self, public: str, host: str) -> http.client.HTTPConnection | None:
        connection = http.client.HTTPConnection("127.0.0.1", PORTS["public"], timeout=120.0)
        said = [{"role": "user", "content": "say much"}]
        body = {"model": "chat", "messages": said, "max_tokens": 8000, "stream": True, "ignore_eos": True}
        headers = {"Host": public, "Content-Type": "application/json"}
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        self._answer = connection.getresponse()
        if self._answer.getheader("X-Lab-Host") == host:
            return connection
        connection.close()
        return None

    def _read(self) -> None:
        with suppress(OSError, http.client.HTTPException, ValueError, AttributeError):
            while self._answer.read1(65536):
                continue

    def close(self) -> None:
        with suppress(OSError):
            if self._connection.sock is not None:
                self._connection.sock.shutdown(2)
        self._thread.join(10.0)
        self._connection.close()
