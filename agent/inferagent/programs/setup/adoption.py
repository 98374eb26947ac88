"""Adoption: a request completed by what this host runs already, and the steps that this alone needs.

Nothing of the user's is overwritten: a drop-in of ours at most, docker's restart policy, and a unit enabled.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches

from inferagent.adapters.docker.container import Container
from inferagent.config.containers import container_of
from inferagent.config.secrets import TUNNEL_TOKEN
from inferagent.config.settings import OWN_CONNECTOR, OWN_ENGINE
from inferagent.programs.setup import adopt_connector, adopt_engine
from inferagent.programs.setup.adopt_connector import Found
from inferagent.programs.setup.adopt_engine import Here
from inferagent.programs.setup.adopt_steps import (
    DropInStep,
    EnableStep,
    LocalStep,
    PolicyStep,
    enabled,
    failed,
)
from inferagent.programs.setup.files import FileStep, read_text
from inferagent.programs.setup.refusal import Choose, ask_nobody
from inferagent.programs.setup.request import SetupRequest
from inferagent.programs.setup.unit_files import exists, units

ALIKE = 0.8  # of 1: how near a unit's name is to one that was typed wrong


@dataclass(frozen=True, slots=True)
class Adoption:
    """`before` the other steps and `after` them; `tunnel` is the id that the connector's token names."""

    request: SetupRequest
    before: tuple[LocalStep | FileStep, ...] = ()
    after: tuple[LocalStep | FileStep, ...] = ()
    notes: tuple[str, ...] = ()
    tunnel: str = ""


def adopt(request: SetupRequest, here: Here, choose: Choose = ask_nobody) -> Adoption:
    """RefusedError or PortError where something is here that cannot be adopted."""
    found = adopt_connector.connector(request, here.root, choose)
    if found is not None:
        request = adopt_connector.adopted(request, found)
    engine, container = adopt_engine.engine(request, here)
    request = replace(request, engine=engine)
    drop_in = tuple(_drop_in(request, found, here)) if found else ()
    return Adoption(
        request=request,
        before=tuple(_token(request, found)) if found else (),
        after=(*drop_in, *_container(request, container, here)),
        notes=(
            *(adopt_connector.notes(request, found, changes=bool(drop_in)) if found else ()),
            *adopt_engine.notes(engine, container, here),
            *_missing(request, here),
        ),
        tunnel=found.tunnel if found else "",
    )


def _missing(request: SetupRequest, here: Here) -> Iterator[str]:
    """Units that are named and not there: somebody may still be about to make them."""
    named = {"engine": request.engine.unit, "connector": request.connector.unit}
    for part, unit in named.items():
        if (
            unit not in ("", OWN_ENGINE, OWN_CONNECTOR)
            and not container_of(unit)
            and not exists(here.root, unit)
        ):
            near = get_close_matches(unit, units(here.root, "*[!@].service"), 1, ALIKE)
            meant = f"; did you mean {near[0]}?" if near else ""
            yield f"make {unit}, which is to run the {part}: this host has no such unit{meant}"


def _token(request: SetupRequest, found: Found) -> Iterator[FileStep]:
    """With an API token the tunnel's own is fetched anew instead. One of the same tunnel that is there stays:
    somebody rotated it."""
    path, token = request.credentials_dir / TUNNEL_TOKEN, found.token
    there = read_text(path)
    rotated = there is not None and adopt_connector.tunnel_of(there) == found.tunnel
    if request.api_token_file is None and token and not rotated:
        change = f"write {path} (the tunnel's token, from {found.unit.name}, 0600)"
        yield FileStep({}, path, lambda _: token + "\n", change, secret=True)


def _drop_in(request: SetupRequest, found: Found, here: Here) -> Iterator[DropInStep]:
    wanted = adopt_connector.lines(request, found)
    path = adopt_connector.place(here.root, found)
    text = adopt_connector.text(found, wanted)
    if wanted and read_text(path) != text:
        what = []
        if not adopt_connector.metrics(found):
            what.append(f"its metrics at {request.connector.metrics}")
        if adopt_connector.moves(request, found):
            what.append("its token out of its command line")
        yield DropInStep(FileStep({}, path, lambda _: text, f"write {path} ({', '.join(what)})"), here.root)


def _container(
    request: SetupRequest, container: Container | None, here: Here
) -> Iterator[PolicyStep | EnableStep]:
    unit = request.engine.unit
    name = container_of(unit)
    if not name:
        return
    if container is not None and container.policy not in ("no", ""):
        yield PolicyStep(here.docker, name)
    if not enabled(here.root, unit) or failed(here.root, unit):
        yield EnableStep(here.docker, here.root, unit, made=bool(request.engine.image))
