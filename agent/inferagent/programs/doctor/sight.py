"""What all checks of one run see: each thing is looked at once, when the first check asks for it.

A look is bounded by its own deadline; a check that gives up does not end a look that others wait for.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from inferagent.ports import PortError
from inferagent.programs.doctor.verdict import CannotTellError, NotHereError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

EDGE = (("region1.v2.argotunnel.com", 7844), ("region2.v2.argotunnel.com", 7844))
HTTPS = 443
WHOLE = 10.0
SPARE = 0.5  # seconds between the last look's deadline and that of all


@dataclass(frozen=True, slots=True)
class Direction:
    """Where to look. All but `folder` directs the looks elsewhere: to a lab, or to one special server.

    `resolve` are (host, port, address); `dns` a name server; `edge` what stands in for EDGE; `ca` a file of
    authorities; `root` the folder that holds proc, sys and run; `deadline` bounds everything, in seconds.
    """

    folder: Path
    deadline: float = WHOLE
    public: str = ""
    resolve: tuple[tuple[str, int, str], ...] = ()
    dns: tuple[str, int] | None = None
    https_port: int = HTTPS
    edge: tuple[tuple[str, int], ...] = EDGE
    ca: Path | None = None
    root: Path = Path("/")
    systemctl: str = "systemctl"
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


class Lack:
    """Why a look brought nothing."""

    def __init__(self, error: CannotTellError | NotHereError) -> None:
        self.error = error


@dataclass(frozen=True, slots=True)
class Look(Generic[T_co]):
    """`ask` may raise CannotTellError, NotHereError, PortError or OSError; `deadline` in seconds."""

    name: str
    ask: Callable[["Sight"], Awaitable[T_co]]
    deadline: float = 4.0


class Sight:
    """One run's. `given` takes the place of looks, by name."""

    def __init__(
        self, direction: Direction, group: asyncio.TaskGroup, given: Mapping[str, object] | None = None
    ) -> None:
        self.direction = direction
        self._group = group
        self._given = given or {}
        self._begun: dict[str, asyncio.Task[Any]] = {}
        self._closers: list[Callable[[], Awaitable[None]]] = []
        self._end = asyncio.get_running_loop().time() + direction.deadline - SPARE

    def at_end(self, close: Callable[[], Awaitable[None]]) -> None:
        self._closers.append(close)

    async def close(self) -> None:
        while self._closers:
            await self._closers.pop()()

    def left(self) -> float:
        """Seconds until every look has to be over."""
        return max(0.0, self._end - asyncio.get_running_loop().time())

    async def see(self, look: Look[T]) -> T:
        """Raises CannotTellError or NotHereError where the look brought nothing."""
        if look.name in self._given:
            found = self._given[look.name]
        else:
            if look.name not in self._begun:
                self._begun[look.name] = self._group.create_task(self._asked(look))
            found = await asyncio.shield(self._begun[look.name])
        if isinstance(found, Lack):
            raise found.error
        return found  # type: ignore[return-value]

    async def try_see(self, look: Look[T]) -> T | None:
        """None where it brought nothing."""
        try:
            return await self.see(look)
        except (CannotTellError, NotHereError):
            return None

    async def _asked(self, look: Look[T]) -> T | Lack:
        bound = min(look.deadline, self.left())
        try:
            async with asyncio.timeout(bound):
                return await look.ask(self)
        except (CannotTellError, NotHereError) as error:
            return Lack(error)
        except PortError as error:
            return Lack(CannotTellError(str(error)))
        except TimeoutError:
            return Lack(CannotTellError(f"cannot {look.name}: no answer within {bound:.1f} s"))
        except OSError as error:
            return Lack(CannotTellError(f"cannot {look.name}: {error}"))
