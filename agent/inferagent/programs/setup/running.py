"""Setup itself: look, refuse or plan, show, ask, apply step by step with the undo record first."""

import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from inferagent.adapters.cloudflare.client import ApiError
from inferagent.adapters.cloudflare.identity import machine_identity
from inferagent.adapters.files import why, write_whole
from inferagent.config.errors import EXIT_CONFIG, ConfigError
from inferagent.config.load import load
from inferagent.model.plan import Plan
from inferagent.ports import PortError
from inferagent.programs.setup.adopt_engine import Here
from inferagent.programs.setup.adoption import Adoption, adopt
from inferagent.programs.setup.config_file import BadFileError, config_text
from inferagent.programs.setup.files import FileStep, read_text
from inferagent.programs.setup.objects import Work
from inferagent.programs.setup.planning import Todo, plan_with_api, plan_without_api
from inferagent.programs.setup.record import POINTER, Record, make_folders
from inferagent.programs.setup.refusal import Choose, RefusedError, ask_nobody
from inferagent.programs.setup.request import BadRequestError, SetupRequest, check, check_said
from inferagent.programs.setup.session import Session
from inferagent.programs.setup.survey import by_tunnel, refuse, survey

DONE = 0
FAILED = 1
DEFAULT_STATE = Path("/var/lib/inferagent")
DEFAULT_RUN = Path("/run/inferagent")
BAD_TOKEN = (6003, 6111)  # answered with 400: what stands in the header cannot be a token
CONTROL = "control.sock"
RESTART = "sudo systemctl restart inferagent"
SAMPLE_ID = "0" * 32
SAMPLE_TUNNEL = "00000000-0000-0000-0000-000000000000"

Echo = Callable[[str], None]
Confirm = Callable[[Plan], bool]


def run(
    request: SetupRequest,
    *,
    apply: bool,
    confirm: Confirm,
    echo: Echo,
    machine: Callable[[], str] = machine_identity,
    here: Here | None = None,
    choose: Choose = ask_nobody,
) -> int:
    """Exit codes: 0 done, shown, or nothing to do; 1 refused, failed or not confirmed; 78 bad configuration.

    Not for use inside of a running event loop. `here` is the host whose parts are adopted.
    """
    here = here or Here()
    try:
        check_said(request)
        adoption = adopt(request, here, choose)
        request = adoption.request
        check(request)
        _refuse_another(request)
        _check_config(request)
        if apply:
            _refuse_unwritable(request, here)
        if request.api_token_file is None:
            todo = _joined(adoption, plan_without_api(request, adoption.tunnel))
            return _carry_out(request, todo, apply, confirm, echo)
        return _run_with_api(adoption, apply, confirm, echo, machine())
    except (BadFileError, ConfigError) as error:
        echo(str(error))
        return EXIT_CONFIG
    except (BadRequestError, RefusedError, PortError) as error:
        echo(f"{error}{cure_for(error)}")
        return FAILED
    except OSError as error:
        echo(f"cannot keep the undo record: {why(error)}{cure_for(error)}")
        return FAILED


def _run_with_api(adoption: Adoption, apply: bool, confirm: Confirm, echo: Echo, machine: str) -> int:
    token = read_token(adoption.request.api_token_file)
    with Session(adoption.request.api, token) as session:
        request = by_tunnel(adoption.request, session, adoption.tunnel)
        found = survey(request, session)
        refuse(request, found, machine, session, adoption.tunnel)
        todo = _joined(adoption, plan_with_api(request, found, Work(session), machine, token))
        return _carry_out(request, todo, apply, confirm, echo)


def _joined(adoption: Adoption, todo: Todo) -> Todo:
    return replace(
        todo, steps=(*adoption.before, *todo.steps, *adoption.after), notes=(*todo.notes, *adoption.notes)
    )


def read_token(path: Path | None) -> str:
    text = read_text(path) if path is not None else None
    if not text or not text.strip():
        raise PortError(f"cannot read the API token: {path} is missing or empty")
    return text.strip()


def _carry_out(request: SetupRequest, todo: Todo, apply: bool, confirm: Confirm, echo: Echo) -> int:
    plan = Plan(f"set up {request.host} for {request.public} ({request.membership})", todo.steps)
    code = DONE
    if not plan.steps:
        echo(f"nothing to do: {request.host} is set up for {request.public} ({request.membership})")
    elif not apply:
        _show(plan, echo)
    else:
        code = _confirmed(request, plan, todo, confirm, echo)
    for note in todo.notes:
        echo(f"left to you: {note}")
    return code


def _show(plan: Plan, echo: Echo) -> None:
    echo(f"{plan.title}:")
    for line in plan.lines():
        echo(f"  {line}")


def _confirmed(request: SetupRequest, plan: Plan, todo: Todo, confirm: Confirm, echo: Echo) -> int:
    _show(plan, echo)
    if not confirm(plan):
        echo("nothing was changed")
        return FAILED
    record, before = _open_record(request, todo), (request.config_dir / "config.toml").exists()
    for step in todo.steps:
        try:
            number = record.begin(step.name, step.intent())
            record.done(number, step.apply())
        except PortError as error:
            echo(f"{error}{cure_for(error)}")
            echo("what is done stands in the undo record: run setup again to go on, or setup --undo")
            return FAILED
        echo(f"done: {step.change}")
    if any(isinstance(step, FileStep) for step in todo.steps):
        _tell_of_agent(request, echo, before=before)
    return DONE


def _tell_of_agent(request: SetupRequest, echo: Echo, *, before: bool) -> None:
    """One that waits on an unconfigured host takes up its first configuration by itself."""
    runs = (request.run_dir / CONTROL).exists()
    if runs and before:
        echo(f"left to you: {RESTART}: the agent that runs keeps to what it was started with")
    if not runs:
        echo(f"left to you: {RESTART}, or inferagent run: no agent runs")


def cure_for(error: Exception) -> str:
    """What a person can do about a refusal that only the account's plan, or its rights, explain."""
    text = str(error)
    if isinstance(error, ApiError) and (error.status in (401, 403) or error.code in BAD_TOKEN):
        return "; is it the right token, and may it do this? (--api-token-file)"
    if "Permission denied" in text:
        return "; run it with sudo"
    if "certificate" in text:
        return "; is this host's clock right, and does it know that authority (ca-certificates)?"
    if "cannot connect" in text:
        return "; is this host's network up, and does its DNS answer? try again then"
    if "interval" in text:
        return "; give --monitor-interval SECONDS as this account's plan allows it (60 does everywhere)"
    if "limited to" in text or "must be in range" in text:
        return "; use --membership pull (one pool for all hosts), or central"
    return ""


def _open_record(request: SetupRequest, todo: Todo) -> Record:
    """The record, and beside the configuration where it lies, should config.toml never be written."""
    record = Record(request.state_dir)
    record.open(
        {
            "host": request.host,
            "public": request.public,
            "membership": request.membership.value,
            "api": request.api,
            "metrics": request.connector.metrics,
            "zone": todo.zone,
        }
    )
    pointer = request.config_dir / POINTER
    if request.state_dir != DEFAULT_STATE and not pointer.exists():
        folders = make_folders(request.config_dir)
        number = record.begin("pointer", {"kind": "pointer", "path": str(pointer)})
        write_whole(pointer, f"{request.state_dir}\n".encode(), durable=True, mode=0o644)
        record.done(number, {"folders": [str(folder) for folder in folders]})
    return record


def _refuse_another(request: SetupRequest) -> None:
    """One record undoes one setup: another membership or hostname would leave the first one's objects."""
    header = Record(request.state_dir).header()
    wanted = {"host": request.host, "public": request.public, "membership": request.membership.value}
    if header and any(header.get(key) != value for key, value in wanted.items()):
        raise RefusedError(
            f"cannot set up {request.host} for {request.public} ({request.membership}): this host is "
            f"{header.get('host')} for {header.get('public')} ({header.get('membership')}); undo that first "
            "(setup --undo)"
        )


def _refuse_unwritable(request: SetupRequest, here: Here) -> None:
    """Before a plan is shown that this user could not carry out."""
    for folder in (request.config_dir, request.state_dir):
        place = next(path for path in (folder, *folder.parents) if path.exists())
        if not here.may_write(place):
            raise RefusedError(f"cannot write into {place}: Permission denied")


def _check_config(request: SetupRequest) -> None:
    """Try the configuration before anything is made: an odd setting is found while nothing has changed."""
    path = request.config_dir / "config.toml"
    ids = dict.fromkeys(("account", "zone", "pool", "load_balancer"), SAMPLE_ID) | {"tunnel": SAMPLE_TUNNEL}
    text = config_text(request, read_text(path), ids, request.monitor_interval)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.toml").write_text(text, encoding="utf-8")
        try:
            load(Path(folder))
        except ConfigError as error:
            raise BadFileError(_told(error, Path(folder) / "config.toml", path)) from error


def _told(error: ConfigError, tried: Path, path: Path) -> str:
    """Of a file that is there, with its lines; else of what the options would write."""
    there = read_text(path) is not None
    named = str(path) if there else "what these options would write"
    lines = re.sub(rf"{re.escape(str(tried))}:\d+", str(tried), str(error)) if not there else str(error)
    return lines.replace(str(tried), named).replace(str(tried.parent), str(path.parent))
