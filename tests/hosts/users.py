"""Users on the public URL all the while: requests are sent in a thread of their own until it is closed."""

import asyncio
import threading
from collections import Counter

from tests.hosts.stage import PORTS

from inferagent.lab.traffic import Traffic
from inferagent.lab.traffic_judge import mixed


class Users:
    """`exact`: the engines give every token asked for, as stand-ins do; a real one may stop early."""

    def __init__(self, host: str, rate: float, *, exact: bool = True) -> None:
        url = f"http://127.0.0.1:{PORTS['public']}"
        self.traffic = Traffic(url, "chat", mixed(stream_tokens=20), rate, host, exact)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Users":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Every request under way has ended then."""
        asyncio.run_coroutine_threadsafe(self.traffic.stop(), self._loop).result(60.0)
        self._thread.join(60.0)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._send())

    async def _send(self) -> None:
        async with asyncio.TaskGroup() as group:
            self.traffic.start(group)

    @property
    def sent(self) -> int:
        return len(self.traffic.outcomes)

    @property
    def hosts(self) -> Counter[str]:
        """How often who answered."""
        return Counter(each.host for each in self.traffic.outcomes)

    @property
    def failed(self) -> dict[str, int]:
        """How often each cause."""
        return dict(Counter(each.cause for each in self.traffic.outcomes if each.cause))
