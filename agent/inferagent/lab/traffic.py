"""Steady traffic of users on one public URL, and what became of each request.

Also a command: `python -m inferagent.lab.traffic --url … --model … --rate 5 --seconds 10` prints JSON.
"""

import argparse
import asyncio
import json
import time
from dataclasses import asdict, dataclass, field

import aiohttp

from inferagent.lab.traffic_judge import Kind, Outcome, Seen, Tally, mixed, parsed, read_stream

HOST_HEADER = "X-Lab-Host"


@dataclass
class Traffic:
    """`rate` requests a second of `kinds`, evenly mixed, on `url` with the public name as Host header.

    `exact` asks stand-ins for every token; real engines may stop early, so turn it off for them.
    """

    url: str
    model: str
    kinds: list[Kind]
    rate: float
    host: str = ""
    exact: bool = True
    host_header: str = HOST_HEADER
    outcomes: list[Outcome] = field(default_factory=list)
    under_way: dict[int, float] = field(default_factory=dict)
    sent: int = 0

    def __post_init__(self) -> None:
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()

    def start(self, group: asyncio.TaskGroup) -> None:
        """Begins to send, in tasks of this group; the group ends only after `stop`."""
        group.create_task(self._run())

    async def stop(self) -> None:
        """Sends no more, and returns once every request under way has ended, each within its bound."""
        self._stopping.set()
        await self._ended.wait()

    def tally(self, since: float = 0.0, until: float = float("inf")) -> Tally:
        """The requests that *ended* in [since, until): a stream that an event cuts belongs to the event."""
        return Tally.of(outcome for outcome in self.outcomes if since <= outcome.end < until)

    async def _run(self) -> None:
        # A connection for each request: one kept open would hide where a new one is sent.
        connector = aiohttp.TCPConnector(force_close=True, limit=0)
        unbounded = aiohttp.ClientTimeout(total=None, sock_read=None)
        try:
            session = aiohttp.ClientSession(connector=connector, timeout=unbounded)
            async with session, asyncio.TaskGroup() as group:
                await self._send(session, group)
        finally:
            self._ended.set()

    async def _send(self, session: aiohttp.ClientSession, group: asyncio.TaskGroup) -> None:
        """Starts requests at their times, late ones at once; the times do not wait for answers."""
        begun = time.monotonic()
        credit = dict.fromkeys(self.kinds, 0.0)
        whole = sum(kind.weight for kind in self.kinds)
        while not self._stopping.is_set():
            for kind in credit:
                credit[kind] += kind.weight / whole
            chosen = max(credit, key=lambda kind: credit[kind])
            credit[chosen] -= 1
            self.sent += 1
            group.create_task(self._one(session, chosen, self.sent))
            wait = begun + self.sent / self.rate - time.monotonic()
            try:
                async with asyncio.timeout(max(0.0, wait)):
                    await self._stopping.wait()
            except TimeoutError:
                continue

    async def _one(self, session: aiohttp.ClientSession, kind: Kind, number: int) -> None:
        start = self.under_way[number] = time.monotonic()
        host: list[str] = []
        try:
            async with asyncio.timeout(kind.bound):
                cause = await self._ask(session, kind, host)
        except TimeoutError:
            cause = "too slow"
        except (aiohttp.ClientError, OSError):
            cause = "no terminator" if host and kind.stream else "connection"
        finally:
            del self.under_way[number]
        self.outcomes.append(Outcome(start, time.monotonic(), kind.name, "".join(host), cause))

    async def _ask(self, session: aiohttp.ClientSession, kind: Kind, host: list[str]) -> str:
        """The cause of failure, or an empty string; puts the host that answered into `host`."""
        headers = {"Host": self.host} if self.host else {}
        body = kind.body(self.model, self.exact)
        async with session.post(f"{self.url}{kind.path}", json=body, headers=headers) as response:
            host.append(response.headers.get(self.host_header, ""))
            if response.status != 200:
                return f"status {response.status}"
            seen = Seen()
            if kind.stream:
                await read_stream(response.content, seen)
            else:
                seen.take(parsed(await response.read()))
        return seen.cause(kind, self.exact)


async def drive(traffic: Traffic, seconds: float) -> Tally:
    """Traffic for so many seconds; returns when the last answer is in."""
    async with asyncio.TaskGroup() as group:
        traffic.start(group)
        await asyncio.sleep(seconds)
        await traffic.stop()
    return traffic.tally()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="traffic")
    parser.add_argument("--url", required=True)
    parser.add_argument("--host", default="", help="Host header")
    parser.add_argument("--model", required=True)
    parser.add_argument("--rate", type=float, default=5.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--stream-share", type=float, default=0.5)
    parser.add_argument("--tokens", type=int, default=4)
    parser.add_argument("--stream-tokens", type=int, default=40)
    parser.add_argument("--bound", type=float, default=10.0)
    parser.add_argument("--stream-bound", type=float, default=30.0)
    parser.add_argument("--early-stop", action="store_true", help="an engine may end before max_tokens")
    known = parser.parse_args(arguments)
    kinds = mixed(known.stream_share, known.tokens, known.stream_tokens, known.bound, known.stream_bound)

    async def run() -> Tally:
        traffic = Traffic(known.url, known.model, kinds, known.rate, known.host, not known.early_stop)
        return await drive(traffic, known.seconds)

    print(json.dumps(asdict(asyncio.run(run()))))


if __name__ == "__main__":
    main()
