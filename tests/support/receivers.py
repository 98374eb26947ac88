"""A receiver of messages that falls ill on command, and a book that outlives the agent; both in memory."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from inferagent.model.notice import Book, Notice
from inferagent.ports import PortError


@dataclass
class Receiver:
    """The ReceiverPort. `how` is one of fine, down, slow, failing, mute (it takes the message, and nobody
    learns of it), refusing. `effect` is called before and after a message is taken."""

    name: str = "webhook"
    how: str = "fine"
    deadline: float = 10.0
    retry_after: float | None = None
    taken: list[Notice] = field(default_factory=list)
    attempts: list[float] = field(default_factory=list)
    effect: Callable[[str], None] = lambda what: None

    async def send(self, notice: Notice) -> str:
        self.attempts.append(asyncio.get_running_loop().time())
        match self.how:
            case "slow":
                await asyncio.sleep(self.deadline)
                raise PortError("cannot notify: no answer within 10 s")
            case "down":
                raise PortError("cannot notify: cannot connect")
            case "failing":
                raise PortError("cannot notify: it said 503", retry_after=self.retry_after)
            case "refusing":
                raise PortError("cannot notify: it said 404", refused=True)
            case "mute":
                self.taken.append(notice)
                await asyncio.sleep(self.deadline)
                raise PortError("cannot notify: no answer within 10 s")
            case "broken":
                raise ZeroDivisionError
        self.effect("before taken")
        self.taken.append(notice)
        self.effect("after taken")
        await asyncio.sleep(0.1)
        return "200 OK"

    @property
    def shown(self) -> list[str]:
        """The ids in their order; one that came again shows once."""
        return list(dict.fromkeys(notice.id for notice in self.taken))

    @property
    def ids(self) -> list[str]:
        return [notice.id for notice in self.taken]


@dataclass
class Shelf:
    """The BookPort: what is saved outlives the agent. `full`: it takes nothing."""

    book: Book = field(default_factory=Book)
    full: bool = False
    writes: int = 0
    problem: str = ""
    effect: Callable[[str], None] = lambda what: None

    def load(self) -> Book:
        return self.book

    async def save(self, book: Book) -> None:
        self.effect("before save")
        await asyncio.sleep(0.01)
        if self.full:
            raise PortError("cannot save the messages: no space left on device")
        self.book = book
        self.writes += 1
        self.effect("after save")
