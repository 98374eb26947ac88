"""What goes into the bundle: one function a member, each giving the text as it is, before redaction."""

import asyncio
import json
import platform
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from inferagent import __version__
from inferagent.adapters.hops import journal, unit_show, unix_http
from inferagent.adapters.local_http import LocalHttp
from inferagent.config.errors import ConfigError
from inferagent.config.load import Loaded, load
from inferagent.config.present import mode_of
from inferagent.config.settings import Settings
from inferagent.model.desired import EngineKind
from inferagent.ports import PortError
from inferagent.programs.doctor.doctor import examined
from inferagent.programs.doctor.sight import Direction

LINES, LONGEST = 400, 1 << 18  # of a log, an event file: lines, and bytes
PATIENCE = 5.0
UNITS = ("inferagent.service", "inferagent-probe.service", "inferagent-ready.service")


@dataclass(frozen=True, slots=True)
class Source:
    """Where the members come from. `loaded` None: the configuration is wrong, as `problem` says."""

    direction: Direction
    loaded: Loaded | None
    problem: str = ""

    @property
    def settings(self) -> Settings | None:
        return self.loaded.settings if self.loaded else None


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the bundle. `read` may raise PortError or OSError: then the file says why it is empty."""

    name: str
    about: str
    read: Callable[[Source], Awaitable[str]]
    log: bool = False


def source(direction: Direction) -> Source:
    try:
        return Source(direction, load(direction.folder))
    except ConfigError as error:
        return Source(direction, None, str(error))


async def versions(given: Source) -> str:
    rows = {"inferagent": __version__, "python": platform.python_version(), "kernel": platform.release()}
    rows["machine"] = platform.machine()
    rows["system"] = _system(given.direction.root)
    settings = given.settings
    if settings:
        host, port = settings.connector.metrics
        rows["cloudflared"] = _build(await _page(f"http://{host}:{port}", "/metrics"))
        path = "/version" if settings.only_engine.kind is EngineKind.VLLM else "/api/version"
        rows[settings.only_engine.kind.value] = await _page(settings.only_engine.url, path)
    return "".join(f"{name}: {value}\n" for name, value in rows.items())


def _system(root: Path) -> str:
    try:
        lines = (root / "etc/os-release").read_text("utf-8", "replace").splitlines()
    except OSError:
        return "unknown"
    found = dict(line.partition("=")[::2] for line in lines)
    return found.get("PRETTY_NAME", "unknown").strip('"')


async def _page(url: str, path: str) -> str:
    http = LocalHttp(url)
    try:
        return (await http.get(path, PATIENCE / 2)).body.decode("utf-8", "replace").strip()
    except PortError as error:
        return str(error)
    finally:
        await http.aclose()


def _build(metrics: str) -> str:
    line = next((line for line in metrics.splitlines() if line.startswith("build_info")), metrics)
    return line[:200]


async def status(given: Source) -> str:
    document = await unix_http.get(_run(given) / "control.sock", "/v1/status", PATIENCE)
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


async def configuration(given: Source) -> str:
    if given.loaded is None:
        return given.problem + "\n"
    return "".join(f"{one.key} = {one.value}  # {one.origin}\n" for one in given.loaded.effective)


async def doctors(given: Source) -> str:
    report = await examined(given.direction)
    return json.dumps(report.document(), indent=1, ensure_ascii=False) + "\n"


async def events(given: Source) -> str:
    if given.loaded is None:
        raise PortError(given.problem)
    state = given.loaded.agent.state
    files = [path for name in ("events.1.jsonl", "events.jsonl") if mode_of(path := state / name)]
    return _last("".join(map(_text, files)))


async def gpus(given: Source) -> str:
    return _text(_run(given) / "gpu.json")


async def units(given: Source) -> str:
    if not unit_show.booted(given.direction.root):
        raise PortError("systemd does not run this host")
    found = await unit_show.show(_units(given), PATIENCE, given.direction.systemctl)
    return json.dumps(found, indent=1) + "\n"


async def journals(given: Source) -> str:
    if not unit_show.booted(given.direction.root):
        raise PortError("systemd does not run this host")
    return await journal.tail(_units(given), LINES, PATIENCE)


async def children(given: Source) -> str:
    """The logs of what the agent runs itself, and of the ready program."""
    folder = _run(given)
    paths = sorted([*(folder / "units").glob("*.log"), *folder.glob("*.log")])
    if not paths:
        raise PortError(f"there are no logs in {folder}")
    return "".join(f"==> {path.name} <==\n{_last(_text(path))}\n" for path in paths)


def _units(given: Source) -> list[str]:
    settings = given.settings
    own = (settings.only_engine.unit, settings.connector.unit) if settings else ()
    return [*UNITS, *(unit for unit in own if unit and unit not in UNITS)]


def _run(given: Source) -> Path:
    if given.loaded is None:
        raise PortError("the configuration is wrong, so the runtime folder is not known")
    return given.loaded.agent.run


def _text(path: Path) -> str:
    """The end of a file that may be large."""
    with path.open("rb") as file:
        size = path.stat().st_size
        file.seek(max(0, size - LONGEST))
        return file.read(LONGEST).decode("utf-8", "replace")


def _last(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(lines[-LINES:])


MEMBERS = (
    Member("versions.txt", "versions of inferagent, cloudflared, the engine and the system", versions),
    Member("status.json", "what the agent says now", status),
    Member("config.txt", "every key that counts, and where it was written; no environment", configuration),
    Member("doctor.json", "every check of doctor", doctors),
    Member("events.jsonl", f"the last {LINES} changes", events),
    Member("gpu.json", "the last reading of the GPUs", gpus),
    Member("units.json", "how systemd sees the units", units),
    Member("journal.txt", f"the last {LINES} lines of the units in the journal", journals, log=True),
    Member("logs.txt", "the last lines of what the agent runs itself", children, log=True),
)


async def read(member: Member, given: Source) -> str:
    """Never fails: what cannot be read says so."""
    try:
        return await member.read(given)
    except (PortError, OSError, TimeoutError) as error:
        return f"(not here: {error})\n"


async def read_all(members: tuple[Member, ...], given: Source) -> dict[str, str]:
    async with asyncio.TaskGroup() as group:
        tasks = {member.name: group.create_task(read(member, given)) for member in members}
    return {name: task.result() for name, task in tasks.items()}
