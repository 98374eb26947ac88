"""`install` itself: look, refuse or plan, ask, fetch and verify, then switch while the host is out."""

import fcntl
import os
import shlex
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from inferagent.adapters.download import Downloads
from inferagent.adapters.files import why
from inferagent.config.errors import EXIT_CONFIG, ConfigError
from inferagent.config.fragments import DEFAULT_FOLDER, config_files, find_run
from inferagent.config.load import load
from inferagent.config.sources import From, Sources, VllmFrom, read_sources
from inferagent.ports import PortError
from inferagent.programs.install.agent import Agent
from inferagent.programs.install.checks import check_root, check_sources
from inferagent.programs.install.cloudflared_packages import CloudflaredPackages
from inferagent.programs.install.cloudflared_release import CloudflaredRelease
from inferagent.programs.install.drained import Drained, SystemdUnits, Units, User, Way, user_of
from inferagent.programs.install.host import Host
from inferagent.programs.install.ollama import OllamaInstaller
from inferagent.programs.install.part import Installer, Offer, Tools
from inferagent.programs.install.progress import Progress
from inferagent.programs.install.vllm_image import VllmImage
from inferagent.programs.install.vllm_venv import VllmVenv

DONE, FAILED = 0, 1
LOCK = ".install.lock"
ENDS = (signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Order:
    """`given`: what the command line says about the sources, as install.toml would; `typed`: all of it."""

    name: str
    folder: Path
    given: Mapping[str, object] = field(default_factory=dict)
    plan_only: bool = False
    rollback: bool = False
    last: bool = False
    typed: str = ""

    @property
    def again(self) -> str:
        """The command that a person repeats."""
        return f"sudo inferagent install {self.typed}" if self.typed else self.command(rollback=self.rollback)

    def command(self, *, rollback: bool) -> str:
        words = ["install", self.name, *(["--rollback"] if rollback else []), *self.config]
        return f"sudo inferagent {shlex.join(words)}"

    @property
    def config(self) -> tuple[str, ...]:
        return () if self.folder == DEFAULT_FOLDER else ("--config", str(self.folder))


@dataclass(frozen=True)
class World:
    """What is outside; a test has one of its own."""

    progress: Progress
    confirm: Callable[[], bool]
    host: Host = field(default_factory=Host)
    units: Units = field(default_factory=SystemdUnits)


def run(order: Order, world: World) -> int:
    """0 done, shown or nothing to do; 1 refused, failed or not confirmed; 78 bad configuration."""
    with _wound_up():
        return _run(order, world)


def _run(order: Order, world: World) -> int:
    before = os.umask(0o022)  # what is installed has to be readable for the users of the units
    try:
        if not order.plan_only:
            check_root(world.host, order.name, order.again)
            check_sources(order.folder)
        sources = read_sources(order.folder, order.given)
        with _locked(world.host, order), _tools(world, sources) as tools:
            installer = installer_of(order.name, tools)
            return (
                _back(order, world, tools, installer)
                if order.rollback
                else _forth(order, world, tools, installer)
            )
    except ConfigError as error:
        world.progress.end()
        world.progress.say(str(error))
        return EXIT_CONFIG
    except PortError as error:
        world.progress.end()
        world.progress.say(str(error))
        return FAILED
    finally:
        os.umask(before)


@contextmanager
def _wound_up() -> Iterator[None]:
    """Told to end, or its terminal gone: as for Ctrl-C, what was begun is ended, and no host stays held."""

    def end(number: int, _: object) -> None:
        for which in kept:
            signal.signal(which, signal.SIG_IGN)
        raise SystemExit(128 + number)

    usual = [which for which in ENDS if signal.getsignal(which) is signal.SIG_DFL]
    kept = usual if threading.current_thread() is threading.main_thread() else []
    for which in kept:
        signal.signal(which, end)
    try:
        yield
    finally:
        for which in kept:
            signal.signal(which, signal.SIG_DFL)


def installer_of(name: str, tools: Tools) -> Installer:
    match name:
        case "ollama":
            return OllamaInstaller(tools)
        case "vllm" if tools.sources.vllm.source is VllmFrom.IMAGE:
            return VllmImage(tools)
        case "vllm":
            return VllmVenv(tools)
        case _ if tools.sources.cloudflared.source is From.RELEASE:
            return CloudflaredRelease(tools)
    return CloudflaredPackages(tools)


@contextmanager
def _tools(world: World, sources: Sources) -> Iterator[Tools]:
    downloads = Downloads(sources.patience)
    try:
        yield Tools(world.host, sources, world.progress, downloads)
    finally:
        downloads.close()


@contextmanager
def _locked(host: Host, order: Order) -> Iterator[None]:
    """One at a time; a plan disturbs nobody."""
    if order.plan_only:
        yield
        return
    path = host.parts / LOCK
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise PortError(f"cannot install into {host.parts}: {why(error)}") from error
    try:
        _lock(handle, order.name)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, name: str) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise PortError(f"cannot install {name}: another install runs → wait for its end") from error


def _forth(order: Order, world: World, tools: Tools, installer: Installer) -> int:
    offer = installer.look()
    _show(offer, world)
    if offer.version == offer.now:
        return DONE
    if order.plan_only:
        return DONE
    if not world.confirm():
        world.progress.say("nothing was changed")
        return FAILED
    version = installer.fetch(offer)
    if version == offer.now:
        world.progress.end()
        world.progress.say(f"nothing to do: {offer.name} {version} is in use")
        return DONE
    return _switch(order, world, tools, installer, offer.now, version)


def _show(offer: Offer, world: World) -> None:
    if offer.version == offer.now:
        world.progress.say(f"nothing to do: {offer.name} {offer.now} is in use")
        return
    now = f" over {offer.now}" if offer.now else ""
    world.progress.say(f"install {offer.name} {offer.version}{now}:")
    for number, step in enumerate(offer.steps, 1):
        world.progress.say(f"  {number}. {step}")
    for remark in offer.remarks:
        world.progress.say(f"  note: {remark}")


def _switch(order: Order, world: World, tools: Tools, installer: Installer, now: str, version: str) -> int:
    def replace() -> None:
        for remark in installer.switch(version):
            world.progress.say(f"  note: {remark}")

    what = f"install {order.name} {version}"
    end = _replaced(order, world, tools, replace, what) if now else _alone(replace)
    where, before = installer.program, f" (before: {now})" if now else ""
    world.progress.say(f"{order.name} {version} is installed{before}" + (f": {where}" if where else ""))
    code = end(order.command(rollback=True))
    if not config_files(order.folder):
        world.progress.say(f"then: sudo {shlex.join(['inferagent', 'setup', *order.config])}")
    return code


def _back(order: Order, world: World, tools: Tools, installer: Installer) -> int:
    now, earlier = installer.now, installer.earlier
    if not earlier:
        said = f"no version of {order.name} before {now or 'this one'} is kept"
        raise PortError(f"cannot go back: {said}", refused=True)
    world.progress.say(f"go back from {order.name} {now} to {earlier}")
    if order.plan_only:
        return DONE
    if not world.confirm():
        world.progress.say("nothing was changed")
        return FAILED
    end = _replaced(order, world, tools, installer.back, f"go back to {order.name} {earlier}")
    world.progress.say(f"{order.name} {earlier} is in use again (before: {now})")
    return end("inferagent doctor")


def _alone(replace: Callable[[], None]) -> Callable[[str], int]:
    """The first version of a part: nobody uses it yet."""
    replace()
    return lambda _cure: DONE


def _replaced(
    order: Order, world: World, tools: Tools, replace: Callable[[], None], what: str
) -> Callable[[str], int]:
    """What is left to do after it, which is given what a person does if the host stays out; its exit code."""
    drained, user = _household(order, world, tools)
    if user:
        world.progress.step(f"taking this host out for {order.name}, where it serves")
    with drained.around(what, user) as way:
        replace()
    world.progress.end()
    return lambda cure: _ended(order, world, drained, user, way, cure)


def _ended(order: Order, world: World, drained: Drained, user: User | None, way: Way, cure: str) -> int:
    if user is None or way is Way.HELD:
        return DONE
    if way is Way.ALONE:
        restart = f"sudo systemctl restart {user.unit}" if user.unit else f"start your {user.part} again"
        world.progress.say(f"left to you: {restart}: what runs is still the version before")
        return DONE
    if drained.serves_again():
        world.progress.say("this host serves again")
        return DONE
    world.progress.say(f"cannot see this host serve with this {order.name} → inferagent status, or {cure}")
    return FAILED


def _household(order: Order, world: World, tools: Tools) -> tuple[Drained, User | None]:
    """The agent of this host, and which of its parts this is. ConfigError: nobody knows what is in use."""
    run_folder, error = find_run(order.folder)
    if error is not None:
        raise error
    agent = Agent(run_folder, world.progress.say)
    user = user_of(order.name, load(order.folder).settings)
    return Drained(agent, world.units, tools.sources.patience, order.last, order.again), user
