"""Undo: the record from its end to its beginning, each step put back; what others share keeps their part."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from inferagent.adapters.files import why
from inferagent.config.secrets import API_TOKEN, secret_path
from inferagent.ports import PortError
from inferagent.programs.setup.adopt_steps import KINDS, undo_step
from inferagent.programs.setup.files import read_text, undo_file
from inferagent.programs.setup.outside import Outside
from inferagent.programs.setup.record import POINTER, Entry, Record, remove_folders
from inferagent.programs.setup.running import (
    CONTROL,
    DEFAULT_RUN,
    DEFAULT_STATE,
    DONE,
    FAILED,
    RESTART,
    Echo,
    cure_for,
    read_token,
)
from inferagent.programs.setup.session import Session

LOCAL = frozenset({"file", "pointer"}) | KINDS


def undo(
    config_dir: Path,
    *,
    echo: Echo,
    api_token_file: Path | None = None,
    state_dir: Path | None = None,
    confirm: Callable[[], bool] | None = None,
) -> int:
    """Put everything back that setup changed; with `confirm` what that is is shown first, and asked for.

    Exit codes: 0 done or nothing to do, 1 failed (try again) or not confirmed.
    """
    try:
        record, run_dir = Record(state_dir or state_dir_of(config_dir)), run_dir_of(config_dir)
        record.trust()
        todo = [entry for entry in reversed(record.entries()) if not entry.undone]
        if not record.path.exists():
            echo("nothing to undo: there is no undo record")
            return DONE
        if confirm is not None and not _confirmed(todo, echo, confirm):
            echo("nothing was changed")
            return FAILED
        token_file = api_token_file or secret_path(API_TOKEN, config_dir)
        _undo_all(record, todo, token_file, echo)
        record.remove()
        if (run_dir / CONTROL).exists():
            echo(f"left to you: {RESTART}: the agent that runs goes on by what is gone")
    except PortError as error:
        echo(f"{error}{cure_for(error)}")
        return FAILED
    except OSError as error:
        echo(f"cannot undo: {why(error)}{cure_for(error)}")
        return FAILED
    return DONE


def _confirmed(todo: list[Entry], echo: Echo, confirm: Callable[[], bool]) -> bool:
    echo("undo what setup changed:")
    for number, entry in enumerate(todo, 1):
        step = f"file {entry.intent['path']}" if entry.intent["kind"] == "pointer" else entry.step
        echo(f"  {number}. {step}")
    return confirm()


def state_dir_of(config_dir: Path) -> Path:
    """From what setup left beside the configuration, else from the configuration, else the default."""
    pointed = read_text(config_dir / POINTER)
    if pointed and pointed.strip():
        return Path(pointed.strip())
    return _named(config_dir, "state") or DEFAULT_STATE


def run_dir_of(config_dir: Path) -> Path:
    return _named(config_dir, "run") or DEFAULT_RUN


def _named(config_dir: Path, key: str) -> Path | None:
    """A folder of [agent]."""
    try:
        config: Any = tomlkit.parse(read_text(config_dir / "config.toml") or "").unwrap()
    except TOMLKitError:
        return None
    named = (config.get("agent") or {}).get(key)
    return Path(named) if isinstance(named, str) else None


def _undo_all(record: Record, todo: list[Entry], token_file: Path, echo: Echo) -> None:
    """First what is outside: it needs the token, which may be one of the local files."""
    outside = [entry for entry in todo if entry.intent["kind"] not in LOCAL]
    header = record.header()
    if outside:
        with Session(str(header["api"]), read_token(token_file)) as session:
            Outside(session, header, echo).undo(outside, record)
    for entry in todo:
        if entry.intent["kind"] in LOCAL:
            echo(_undo_local(entry))
            record.undone(entry.number)


def _undo_local(entry: Entry) -> str:
    if entry.intent["kind"] in KINDS:
        return undo_step(entry.intent, entry.result)
    if entry.intent["kind"] == "file":
        return undo_file(entry.intent, entry.result)
    path = Path(entry.intent["path"])
    path.unlink(missing_ok=True)
    remove_folders(entry.result.get("folders", []))
    return f"removed {path}"
