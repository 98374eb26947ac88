"""Looks at the host itself: clock, disks, units, and whether a cloud may take it away."""

import os
import shutil
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

from inferagent.adapters.engine.aside import Aside
from inferagent.adapters.hops.metadata import is_google, read
from inferagent.adapters.hops.public import StepError
from inferagent.adapters.hops.unit_show import booted, show
from inferagent.config.settings import Settings
from inferagent.model.desired import EngineKind
from inferagent.programs.doctor.looks_config import loaded, settings
from inferagent.programs.doctor.looks_outside import READY_PAGE
from inferagent.programs.doctor.sight import Look, Sight
from inferagent.programs.doctor.verdict import CannotTellError, NotHereError

PATIENCE = 2.0
KEYS = ("scheduling/preemptible", "scheduling/automatic-restart", "attributes/created-by", "tags")
METADATA = "GCE_METADATA_HOST"
AGENT_UNITS = ("inferagent.service", "inferagent-probe.service", "inferagent-ready.socket")
UPDATER = "cloudflared-update.timer"


async def _skew(sight: Sight) -> float:
    """Seconds by which this host's clock is ahead of the edge's, which tells whole seconds."""
    page = await sight.see(READY_PAGE)
    if isinstance(page, StepError):
        raise CannotTellError("the edge did not tell its time")
    try:
        told = parsedate_to_datetime(page.headers.get("date", ""))
    except (TypeError, ValueError) as error:
        raise CannotTellError("the edge did not tell its time") from error
    return time.time() - told.timestamp()


SKEW = Look("compare the clock with the edge's", _skew, 6.0)


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes; `what` says what lies there."""

    what: str
    folder: Path
    free: int
    total: int


async def _space(sight: Sight) -> tuple[Space, ...]:
    agent, config = (await loaded(sight)).agent, (await loaded(sight)).settings
    folders = [("the agent's state", agent.state), ("the runtime folder", agent.run)]
    models = _models(config, dict(sight.direction.environ)) if config else None
    if models is not None:
        folders.append(("the models", models))

    def look() -> tuple[Space, ...]:
        return tuple(_measured(what, folder) for what, folder in folders)

    return await Aside("the free space").read(look, PATIENCE)


SPACE = Look("read the free space", _space)


def _models(config: Settings, environ: dict[str, str]) -> Path | None:
    """Where the engine keeps its models, as far as the configuration tells."""
    own = {"HOME": environ.get("HOME", ""), **dict(config.only_engine.environment)}
    if config.only_engine.kind is EngineKind.OLLAMA:
        place = own.get("OLLAMA_MODELS") or "/usr/share/ollama/.ollama/models"
    else:
        place = own.get("HF_HOME") or own.get("HF_HUB_CACHE") or f"{own['HOME']}/.cache/huggingface"
    return Path(place) if Path(place).is_dir() else None


def _measured(what: str, folder: Path) -> Space:
    place = next((part for part in (folder, *folder.parents) if part.is_dir()), Path("/"))
    usage = shutil.disk_usage(place)
    inodes = os.statvfs(place)
    free = 0 if inodes.f_files and not inodes.f_favail else usage.free
    return Space(what, place, free, usage.total)


def verbs(part: str) -> tuple[str, ...]:
    """The sockets by which the agent, which has no rights, has a part's unit started and stopped."""
    return tuple(f"inferagent-verb-{part}-{verb}.socket" for verb in ("start", "stop", "restart"))


async def _units(sight: Sight) -> dict[str, dict[str, str]]:
    direction = sight.direction
    if not booted(direction.root):
        raise NotHereError("systemd does not run this host")
    config = await settings(sight)
    named = {"engine": config.only_engine.unit, "connector": config.connector.unit}
    doors = [door for part, unit in named.items() if unit for door in verbs(part)]
    wanted = [*AGENT_UNITS, *filter(None, named.values()), *doors, UPDATER]
    found = await show(wanted, PATIENCE, direction.systemctl)
    return {name: dict(properties) for name, properties in found.items()}


UNITS = Look("read the units", _units)


async def _metadata(sight: Sight) -> dict[str, str]:
    if not is_google(sight.direction.root):
        raise NotHereError("this host is no VM of Google's cloud")
    return await read(KEYS, sight.direction.environ.get(METADATA, ""), PATIENCE)


VM = Look("ask the metadata server", _metadata)
