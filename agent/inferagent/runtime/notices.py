"""Brings messages to their receivers: on disk first, in order, again and again until taken or refused.

Each receiver has a task of its own (a Probe, which outlives any bug here); the loop only leaves its tick. A
message is sent at least once: who gets one twice knows it by its id.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from inferagent.model.decision import Decision
from inferagent.model.notice import Book, Notice, NoticeKind, Queued
from inferagent.model.observed import Observed
from inferagent.model.reading import Failed, Reading
from inferagent.model.status import Status
from inferagent.ports import BookPort, Clock, PortError, ReceiverPort
from inferagent.runtime.crew import Crew
from inferagent.runtime.desk import Answer
from inferagent.runtime.episodes import Episodes
from inferagent.runtime.probes import Probe

log = structlog.get_logger()

MOST = 100  # messages that may wait; of more the oldest are dropped, and that is said
DEADLINE = 15.0  # seconds for one attempt
TEST_DEADLINE = 4.0
FIRST_PAUSE, LAST_PAUSE, LONGEST_PAUSE = 5.0, 600.0, 3600.0
PATIENT = 3  # attempts that may fail before it is said
LAZY = 15.0  # seconds that the state of an episode may wait to be written
FORGOTTEN, FULL, UNSAVED = "notify-message-lost", "notify-too-many", "notify-not-saved"


@dataclass
class _Line:
    """One receiver and how it has behaved."""

    port: ReceiverPort
    probe: "Probe[None]"
    failures: int = 0
    busy: bool = False
    asked: float = 0.0  # seconds that it asked to be left alone


class Notices:
    """`troubles` gets the findings of the receivers, by code; `random` gives numbers in [0, 1)."""

    def __init__(
        self,
        store: BookPort,
        clock: Clock,
        episodes: Episodes,
        troubles: dict[str, str],
        random: Callable[[], float],
    ) -> None:
        self._store, self._clock, self._episodes = store, clock, episodes
        self._troubles, self._random = troubles, random
        self._queue: tuple[Queued, ...] = ()
        self._lost = 0
        self._written = Book()
        self._keeping = asyncio.Lock()
        self._saver: Probe[None] = self._probe("saves the messages", self._keep, _unread)
        self._lines: dict[str, _Line] = {}
        self._crew = Crew()
        self.run = self._crew.run  # a task of the agent

    def use(self, receivers: tuple[ReceiverPort, ...]) -> None:
        """These from now on. What waited for another one waits no longer."""
        for name in self._lines.keys() - {port.name for port in receivers}:
            self._say(f"notify-{name}", "")
        self._lines = {port.name: self._line(port) for port in receivers}
        self._queue = self._still_wanted(self._queue)
        self._crew.use([self._saver, *(line.probe for line in self._lines.values())])
        self._hurry()

    def begin(self) -> None:
        """Take up what an earlier agent left."""
        book = self._store.load()
        self._written, self._episodes.spell, self._lost = book, book.spell, book.lost
        self._queue = self._still_wanted(book.queue)
        self._say(FORGOTTEN, self._store.problem)
        self._hurry()

    def _still_wanted(self, queue: tuple[Queued, ...]) -> tuple[Queued, ...]:
        here = self._lines.keys()
        kept = (replace(one, waits=tuple(name for name in one.waits if name in here)) for one in queue)
        return tuple(one for one in kept if one.waits)

    def tick(self, observed: Observed, decision: Decision, document: Status) -> None:
        """Called by the loop after each tick; a calm one costs next to nothing."""
        if not self._lines:
            return
        before = self._episodes.spell
        notice = self._episodes.tick(observed, decision, document)
        if notice is not None:
            self._add(notice)
        elif self._episodes.spell != before and self._saver.pace is None:
            self._saver.set_pace(LAZY)

    async def test(self) -> Answer:
        """One message to every receiver, once, past all that waits."""
        if not self._lines:
            cure = 'write webhook = "https://..." or exec = ["program"] under [notify] in config.toml'
            return Answer(False, "cannot notify anybody: no receiver is configured", cure)
        host, wall = self._episodes.host, self._clock.wall()
        text = f"{host}: this is a test of inferagent's messages, sent {wall}"
        notice = Notice(f"{self._episodes.fresh()}-test", NoticeKind.TEST, host, text, wall)
        said: dict[str, tuple[bool, str]] = {}
        async with asyncio.TaskGroup() as group:
            for line in self._lines.values():
                group.create_task(self._try_out(line, notice, said))
        whole = "; ".join(f"{name}: {said[name][1]}" for name in self._lines)
        ill = [name for name in self._lines if not said[name][0]]
        cure = f"look at [notify] {ill[0]}, and at sudo journalctl -u inferagent" if ill else ""
        return Answer(not ill, whole, cure)

    async def end(self) -> None:
        """Write what is not written yet; the agent ends."""
        await self._keep()

    # the queue

    def _add(self, notice: Notice) -> None:
        log.info("message", kind=notice.kind.value, id=notice.id, cause=notice.code)
        queue = (*self._queue, Queued(notice, tuple(self._lines)))
        dropped = max(0, len(queue) - MOST)
        self._queue, self._lost = queue[dropped:], self._lost + dropped
        text = f"{self._lost} messages were dropped, because too many waited" if self._lost else ""
        self._say(FULL, text)
        self._hurry()

    def _hurry(self) -> None:
        """Wake the receivers that have something to get and are not waiting out a pause."""
        for name, line in self._lines.items():
            if not line.busy and line.probe.pace is None and self._head(name) is not None:
                line.probe.set_pace(0.0)

    def _head(self, name: str) -> Queued | None:
        return next((one for one in self._queue if name in one.waits), None)

    def _taken(self, name: str, notice: Notice) -> None:
        """By this receiver; or it never will be."""
        left = []
        for one in self._queue:
            mine = one.notice.id == notice.id
            waits = tuple(who for who in one.waits if who != name) if mine else one.waits
            left += [replace(one, waits=waits)] if waits else []
        self._queue = tuple(left)
        if not self._queue and self._lost:
            self._lost = 0
            self._say(FULL, "")

    # one receiver

    def _line(self, port: ReceiverPort) -> _Line:
        async def take() -> None:
            line.busy, line.asked = True, 0.0
            line.probe.set_pace(None)
            await self._deliver(line)

        def write(reading: Reading[None]) -> None:
            """After each attempt, however it ended."""
            line.busy = False
            if isinstance(reading, Failed):
                self._failed(line, reading)
            self._hurry()

        line = _Line(port, self._probe(f"the receiver {port.name}", take, write))
        return line

    async def _deliver(self, line: _Line) -> None:
        """The oldest message that this receiver has not taken."""
        name = line.port.name
        head = self._head(name)
        if head is None:
            return
        if self._queue != self._written.queue:
            await self._keep()
        try:
            said = await line.port.send(head.notice)
        except PortError as problem:
            if not problem.refused:
                line.asked = min(problem.retry_after or 0.0, LONGEST_PAUSE)
                raise
            log.error("message refused", receiver=name, id=head.notice.id, error=str(problem))
            self._say(f"notify-{name}", f"{problem}; the message is given up")
        else:
            log.info("message taken", receiver=name, id=head.notice.id, answer=said)
            self._say(f"notify-{name}", "")
        line.failures = 0
        self._taken(name, head.notice)
        await self._keep()

    def _failed(self, line: _Line, reading: Failed) -> None:
        """By its own word, its deadline, or a bug: the pause counts from now."""
        line.failures += 1
        pause = max(line.asked, self._pause(line.failures))
        line.probe.set_pace(self._clock.now() - reading.at + pause)
        if line.failures >= PATIENT:
            self._say(f"notify-{line.port.name}", f"{reading.reason} ({line.failures} attempts)")

    def _pause(self, failures: int) -> float:
        """Seconds: doubling, and spread so that a fleet does not come back all at once."""
        return min(FIRST_PAUSE * 2.0 ** (failures - 1), LAST_PAUSE) * (0.75 + self._random() / 2)

    async def _try_out(self, line: _Line, notice: Notice, said: dict[str, tuple[bool, str]]) -> None:
        name = line.port.name
        try:
            async with asyncio.timeout(TEST_DEADLINE):
                said[name] = True, await line.port.send(notice)
        except TimeoutError:
            said[name] = False, f"cannot notify: no answer within {TEST_DEADLINE:.0f} s"
        except PortError as problem:
            said[name] = False, str(problem)
        else:
            if self._head(name) is not None and not line.busy:
                line.probe.set_pace(0.0)  # what waits need not wait any longer

    # the disk

    def _book(self) -> Book:
        return Book(self._episodes.spell, self._queue, self._lost)

    async def _keep(self) -> None:
        """Write the book, if it is not written; a disk that takes nothing keeps no message from going out."""
        self._saver.set_pace(None)
        async with self._keeping:
            book = self._book()
            if book != self._written:
                self._say(UNSAVED, await self._save(book))

    async def _save(self, book: Book) -> str:
        """ "" or why not."""
        try:
            await self._store.save(book)
        except PortError as problem:
            return str(problem)
        self._written = book
        return ""

    def _say(self, code: str, text: str) -> None:
        if text or code in self._troubles:
            self._troubles[code] = text

    def _probe(
        self, name: str, take: Callable[[], Awaitable[None]], write: Callable[[Reading[None]], None]
    ) -> "Probe[None]":
        return Probe(name, self._clock, take, write, DEADLINE + 5.0)


def _unread(_reading: Reading[None]) -> None:
    """How a save went is said by itself."""
