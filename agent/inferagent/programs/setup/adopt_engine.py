"""The engine that a host runs already: a docker container or Ollama's unit, supervised by name as it is."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from inferagent.adapters.docker.container import NAME, Container
from inferagent.adapters.docker.daemon import Docker
from inferagent.adapters.docker.recipe import DIGEST
from inferagent.adapters.docker.wire import DaemonError, Trouble
from inferagent.adapters.hops.unit_show import booted
from inferagent.config.containers import container_of, unit_for
from inferagent.model.desired import EngineKind
from inferagent.programs.setup.refusal import RefusedError
from inferagent.programs.setup.request import UNSAID, EngineRequest, SetupRequest
from inferagent.programs.setup.unit_files import find, option

USUAL = {EngineKind.VLLM: 8000, EngineKind.OLLAMA: 11434}
OLLAMA = "ollama.service"
EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 (looked for, not listened at)


def _may_write(folder: Path) -> bool:
    """Where root cannot, it is not for want of a right."""
    return os.geteuid() == 0 or os.access(folder, os.W_OK)


@dataclass(frozen=True, slots=True)
class Here:
    """Where setup looks, and by whose daemon. `systemd`: a container needs it, or nobody restarts it.

    `may_write`: whether this user may write into a folder that is there.
    """

    root: Path = Path("/")
    docker: Docker = field(default_factory=Docker)
    systemd: bool = True
    may_write: Callable[[Path], bool] = _may_write

    @property
    def may_follow(self) -> bool:
        return not self.systemd or booted(self.root)

    def inspect(self, name: str) -> Container | None:
        return asyncio.run(self.docker.inspect(name))

    def has_image(self, image: str) -> bool:
        return asyncio.run(self.docker.has_image(image))


def engine(request: SetupRequest, here: Here) -> tuple[EngineRequest, Container | None]:
    """The engine as it is to be configured, and its container where that is there already."""
    own = request.engine
    if own.image or own.container or container_of(own.unit):
        if not here.may_follow:
            raise RefusedError(
                "cannot follow a container: systemd does not run this host → give --engine-command instead"
            )
        return _from_image(own, here) if own.image else _from_container(own, here)
    if own.command or own.unit:
        return own, None
    if own.kind is EngineKind.OLLAMA and (unit := find(here.root, OLLAMA)) is not None:
        listens = unit.environment.get("OLLAMA_HOST", "")
        return replace(own, unit=OLLAMA, url=_ollama_url(own.url, listens)), None
    found = _maybe(own.kind.value, here) if here.may_follow else None
    return (own, None) if found is None else (_configured(own, found), found)


def _from_image(own: EngineRequest, here: Here) -> tuple[EngineRequest, Container | None]:
    name = own.container or container_of(own.unit) or f"inferagent-{own.kind}"
    found = here.inspect(name)
    if DIGEST.fullmatch(own.image) and not here.has_image(own.image):
        raise RefusedError(f"cannot use the image: it is not on this host → sudo docker pull {own.image}")
    if found is not None and not found.recipe:
        raise RefusedError(
            f"cannot make the container {name}: one of that name is there, and not ours; follow that one "
            "(without --engine-image), or give another --engine-container"
        )
    return replace(own, unit=unit_for(name)), found


def _from_container(own: EngineRequest, here: Here) -> tuple[EngineRequest, Container | None]:
    name = own.container or container_of(own.unit)
    if not NAME.fullmatch(name):
        raise RefusedError(f"cannot adopt {name!r}: that is no name of a container (--engine-container)")
    found = here.inspect(name)
    if found is None:
        raise RefusedError(f"cannot adopt the container {name}: there is none → sudo docker ps -a")
    return _configured(own, found), found


def _configured(own: EngineRequest, found: Container) -> EngineRequest:
    if found.removed_when_done:
        raise RefusedError(
            f"cannot adopt the container {found.name}: docker removes it when it ends, and then there is "
            "nothing to start; make it without --rm"
        )
    return replace(own, unit=unit_for(found.name), url=_container_url(own, found))


def _maybe(name: str, here: Here) -> Container | None:
    """Nobody asked for a container: a host without docker has none."""
    try:
        return here.inspect(name)
    except DaemonError as error:
        if error.trouble is Trouble.DENIED:
            raise RefusedError(f"{UNSAID}; or sudo, to look into docker") from error
        if error.trouble is Trouble.AWAY:
            return None
        raise


def _container_url(own: EngineRequest, found: Container) -> str:
    """What was asked for stays; the usual port gives way to the one that the container says."""
    usual = USUAL[own.kind]
    if urlsplit(own.url).port != usual:
        return own.url
    if found.network == "host":
        port = option(found.command, "--port")
        return f"http://127.0.0.1:{port}" if port.isdigit() else own.url
    if not found.listens:
        raise RefusedError(
            f"cannot reach the container {found.name}: it publishes no port; make it again with "
            f"-p 127.0.0.1:{usual}:{usual}"
        )
    return _reached(*found.listens[0])


def _ollama_url(url: str, listens: str) -> str:
    """OLLAMA_HOST is HOST, :PORT, HOST:PORT or a URL."""
    if urlsplit(url).port != USUAL[EngineKind.OLLAMA] or not listens:
        return url
    parts = urlsplit(listens if "://" in listens else f"http://{listens}")
    try:
        host, port = parts.hostname or "127.0.0.1", parts.port or USUAL[EngineKind.OLLAMA]
    except ValueError:
        return url
    return _reached(host, port)


def _reached(host: str, port: int) -> str:
    """From this host: whoever listens everywhere answers at loopback."""
    host = "127.0.0.1" if host in EVERYWHERE else host
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def notes(own: EngineRequest, found: Container | None, here: Here) -> list[str]:
    """What a person should know of it; nothing of theirs is changed for it."""
    said = []
    port = urlsplit(own.url).port
    if found is not None and any(address in EVERYWHERE for address, _ in found.listens):
        said.append(
            f"the container {found.name} answers the whole network at port {port}, past the tunnel: publish "
            f"it as -p 127.0.0.1:{port}:{port} when you make it again"
        )
    ollama = find(here.root, OLLAMA) if own.unit == OLLAMA else None
    host = ollama.environment.get("OLLAMA_HOST", "") if ollama else ""
    if host.removeprefix("http://").startswith(("0.0.0.0", "[::]")):  # noqa: S104
        said.append(f"{OLLAMA} answers the whole network at port {port}, past the tunnel (OLLAMA_HOST)")
    return [*said, *_names(own)]


def _names(own: EngineRequest) -> list[str]:
    """Ollama serves a model under another name only where it has a copy of that name."""
    if own.kind is not EngineKind.OLLAMA:
        return []
    return [
        f"ollama pull {name} && ollama cp {name} {public}, unless it is done: users ask for {public}"
        for public, name in own.serves
        if name != public
    ]
