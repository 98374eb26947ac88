"""A part that is in use is replaced while this host is out: hold, stop or restart, switch, resume."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from inferagent.config.settings import Settings
from inferagent.config.sources import Patience
from inferagent.model.unit import Part, has_ended
from inferagent.ports import PortError
from inferagent.programs.install.agent import Agent, Document
from inferagent.programs.verb import perform
from inferagent.programs.verb_tools import NotDoneError, Systemctl

ACTS = "act"
# Seconds; a hold whose installer died in a power cut ends by itself, later than any installer lives.
SPARE = 600.0


class Way(StrEnum):
    """How it is replaced: `LEFT` the host went out for it; `HELD` it was before; `ALONE` no agent acts."""

    LEFT = "left"
    HELD = "held"
    ALONE = "alone"


class Units(Protocol):
    """PortError where systemd could not do it."""

    def perform(self, unit: str, verb: str) -> None: ...
    def runs(self, unit: str) -> bool: ...


class SystemdUnits:
    def perform(self, unit: str, verb: str) -> None:
        try:
            perform(unit, verb, Systemctl())
        except NotDoneError as error:
            raise PortError(str(error)) from error

    def runs(self, unit: str) -> bool:
        try:
            return Systemctl().show(unit)["MainPID"] != "0"
        except NotDoneError as error:
            raise PortError(str(error)) from error


@dataclass(frozen=True)
class User:
    """What of this host runs the part: `unit` "" where the agent runs it as its own child."""

    part: Part
    unit: str


def user_of(name: str, settings: Settings | None) -> User | None:
    """Who uses a part of that name by the configuration; None: nobody."""
    if settings is None:
        return None
    if name == "cloudflared":
        return User(Part.CONNECTOR, settings.connector.unit)
    engines = [engine for engine in settings.engine if engine.kind.value == name]
    return User(Part.ENGINE, engines[0].unit) if engines else None


@dataclass(frozen=True)
class Drained:
    """`last`: also where no other host can answer. `again`: the command that a person repeats with --last."""

    agent: Agent
    units: Units
    patience: Patience
    last: bool = False
    again: str = "inferagent drain"

    @contextmanager
    def around(self, what: str, user: User | None) -> Iterator[Way]:
        """The host is out, and an engine down, while the caller replaces the part. PortError: it may not."""
        status = self.agent.status() if user else None
        if user is None or status is None or status.get("mode") != ACTS:
            yield Way.ALONE
            return
        held = bool(status.get("hold"))
        if not held:
            self._leave(what, user)
        try:
            ran = held and bool(user.unit) and self.units.runs(user.unit)
            self._wait_until_out(user, held=held)
            try:
                yield Way.HELD if held else Way.LEFT
            finally:
                self._take_up(user, ran=ran)
        finally:
            if not held:
                self.agent.order("/v1/resume", {})

    def serves_again(self) -> bool:
        """Whether it came back after it had left."""
        return self.agent.until(lambda document: document.get("phase") == "serving", self.patience.back)

    def _leave(self, what: str, user: User) -> None:
        fields: Document = {"reason": what, "stop_engine": user.part is Part.ENGINE, "last": self.last}
        fields["for"] = 2 * self.patience.leave + self.patience.packages + SPARE
        try:
            self.agent.order("/v1/drain", fields)
        except PortError as error:
            text = str(error).replace("→ inferagent drain", f"→ {self.again}")
            raise PortError(text, refused=error.refused) from error

    def _wait_until_out(self, user: User, *, held: bool) -> None:
        if not self.agent.until(_held_out, self.patience.leave):
            raise PortError(
                f"cannot replace it: this host is not out within {self.patience.leave:g} s, and stays"
            )
        if user.part is not Part.ENGINE:
            return
        if user.unit:
            self.units.perform(user.unit, "stop")
        elif held or not self.agent.until(_engine_down, self.patience.leave):
            cure = "sudo inferagent resume, and install it without a hold" if held else "inferagent status"
            raise PortError(f"cannot replace it: the engine, a child of the agent, still runs → {cure}")

    def _take_up(self, user: User, *, ran: bool) -> None:
        """The agent itself starts an engine that it stopped; what is down in a hold is so on purpose."""
        if user.part is Part.ENGINE:
            if ran:
                self.units.perform(user.unit, "start")
        elif user.unit and self.units.runs(user.unit):
            self.units.perform(user.unit, "restart")


def _held_out(document: Document) -> bool:
    """A status from before the hold may say "out" of a host that was about to join."""
    return document.get("phase") == "out" and bool(document.get("hold"))


def _engine_down(document: Document) -> bool:
    engine = document.get("engine")
    return isinstance(engine, dict) and has_ended(str(engine.get("state")))
