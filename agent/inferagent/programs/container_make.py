"""Makes the container that the configuration describes, before its start; leaves alone what is not ours.

It carries the sum of its description: a container of an older one is replaced while it does not run.
"""

import asyncio
import sys
import time
from pathlib import Path

from inferagent.adapters.docker.container import LABEL, Container
from inferagent.adapters.docker.daemon import Docker
from inferagent.adapters.docker.recipe import Recipe, body, devices_here
from inferagent.adapters.docker.wire import DaemonError, Trouble
from inferagent.config.containers import container_of
from inferagent.config.errors import ConfigError
from inferagent.config.load import load
from inferagent.config.settings import Engine
from inferagent.ports import PortError
from inferagent.programs.container_follow import AWAY, HOPELESS

PAUSE = 0.5


class CannotMakeError(Exception):
    """Only a person can help; the text says how."""


async def prepare(docker: Docker, name: str, folder: Path, patience: float = 60.0) -> int:
    """An exit code, 0 for going on. `patience`: seconds for a daemon that does not answer yet."""
    try:
        recipe = wanted(name, folder)
        if recipe is not None:
            await _answering(docker, name, patience)
            await make(docker, name, recipe)
    except ConfigError as error:
        return _refuse("\n".join(str(problem) for problem in error.problems))
    except CannotMakeError as error:
        return _refuse(str(error))
    except DaemonError as error:
        return _refuse(str(error)) if error.trouble is Trouble.DENIED else _say(str(error), AWAY)
    except PortError as error:
        return _say(str(error), 1)
    return 0


async def _answering(docker: Docker, name: str, patience: float) -> None:
    end = time.monotonic() + patience
    while True:
        try:
            await docker.inspect(name)
        except DaemonError as error:
            if error.trouble is Trouble.DENIED or time.monotonic() >= end:
                raise
            await asyncio.sleep(PAUSE)
        else:
            return


def wanted(name: str, folder: Path) -> Recipe | None:
    """None where the configuration describes no container of this name: then it is somebody's own."""
    settings = load(folder).settings
    engine = settings.only_engine if settings else None
    if engine is None or not engine.image or container_of(engine.unit) != name:
        return None
    return recipe_of(engine)


def recipe_of(engine: Engine) -> Recipe:
    devices = devices_here() if engine.devices == "auto" else engine.devices
    return Recipe(
        image=engine.image,
        command=engine.command,
        environment=engine.environment,
        devices="none" if engine.gpus == () else devices,
        gpus=engine.gpus,
        volumes=engine.volumes,
        publish=engine.publish,
    )


async def make(docker: Docker, name: str, recipe: Recipe) -> None:
    made = body(recipe)
    old = await docker.inspect(name)
    if old is not None and not await _replaced(docker, old, made["Labels"][LABEL]):
        return
    if not await docker.has_image(recipe.image):
        raise CannotMakeError(
            f"cannot make the container {name}: its image is not here → sudo docker pull {recipe.image}"
        )
    await docker.create(name, made)
    _say(f"made the container {name} from {recipe.image}", 0)


async def _replaced(docker: Docker, old: Container, sum_: str) -> bool:
    """Whether the name is free for a new one."""
    if not old.recipe:
        raise CannotMakeError(
            f"cannot make the container {old.name}: one of that name is somebody's own → delete image from "
            f"[[engine]] to follow that one, or remove it: sudo docker rm {old.name}"
        )
    if old.recipe == sum_:
        return False
    if old.runs:
        _say(f"the container {old.name} is of an older configuration, and runs: it stays until it ends", 0)
        return False
    await docker.remove(old.id)
    return True


def _refuse(text: str) -> int:
    return _say(text, HOPELESS)


def _say(text: str, code: int) -> int:
    sys.stderr.write(f"{text}\n")
    return code
