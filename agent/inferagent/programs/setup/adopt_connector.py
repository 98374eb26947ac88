"""The cloudflared that a host runs already: supervised by its unit's name, with a drop-in where needed.

A token in its command line is read, never shown: it moves to a credential file.
"""

import base64
import json
import re
import shlex
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from inferagent.config.secrets import TUNNEL_TOKEN
from inferagent.config.settings import OWN_CONNECTOR
from inferagent.programs.setup.files import read_text
from inferagent.programs.setup.refusal import Choose, RefusedError
from inferagent.programs.setup.request import SetupRequest
from inferagent.programs.setup.unit_files import UnitFile, drop_in, find, option, units

NAMES = ("cloudflared.service", "cloudflared-*.service")
HELPERS = ("cloudflared-update.service",)  # its installer's, too, and no connector
HANDED = f"${{CREDENTIALS_DIRECTORY}}/{TUNNEL_TOKEN}"  # systemd puts the folder in
READS_FILES = (2025, 4)  # the first release that takes --token-file


@dataclass(frozen=True, slots=True)
class Found:
    """A connector that runs here. `token` "" where it has none of its own; `in_argv`: anybody may read it."""

    unit: UnitFile
    token: str = ""
    in_argv: bool = False

    @property
    def tunnel(self) -> str:
        return tunnel_of(self.token)


def tunnel_of(token: str) -> str:
    """The tunnel's id in its token, "" where it cannot be told."""
    try:
        return str(json.loads(base64.b64decode(token.strip()))["t"])
    except (ValueError, KeyError, TypeError):
        return ""


def connector(request: SetupRequest, root: Path, choose: Choose) -> Found | None:
    """The one that setup is to adopt; None where there is none, or another was asked for."""
    given = request.connector
    if given.command or given.unit == OWN_CONNECTOR:
        return None
    name = given.unit or _only(root, choose)
    unit = find(root, name, ours=False) if name else None
    if unit is None or "cloudflared" not in Path(unit.command[0] if unit.command else "").name:
        return None  # a unit that only systemd knows, or of another make, is supervised by name alone
    found = _read(unit, root)
    if not found.token and not unit.values("EnvironmentFile"):
        raise RefusedError(
            f"cannot adopt {name}: no token stands in it, so a file here tells it what to route; move that "
            "tunnel to Cloudflare's side first (dashboard: Migrate), or leave it alone and let setup run "
            f"a connector of its own (--connector-unit {OWN_CONNECTOR})"
        )
    return found


def _only(root: Path, choose: Choose) -> str:
    names = [each for pattern in NAMES for each in units(root, pattern) if each not in HELPERS]
    if len(names) < 2:
        return names[0] if names else ""
    return choose("this host runs more than one connector", "--connector-unit", tuple(names))


def _read(unit: UnitFile, root: Path) -> Found:
    words, environment = unit.command, unit.environment
    if token := option(words, "--token") or environment.get("TUNNEL_TOKEN", ""):
        return Found(unit, token, in_argv=True)
    file = option(words, "--token-file") or environment.get("TUNNEL_TOKEN_FILE", "")
    return Found(unit, (read_text(root / file.lstrip("/")) or "").strip() if file else "")


def metrics(found: Found) -> str:
    """Where it serves its metrics, "" where that is left to chance."""
    return option(found.unit.command, "--metrics") or found.unit.environment.get("TUNNEL_METRICS", "")


def adopted(request: SetupRequest, found: Found) -> SetupRequest:
    own = metrics(found) or request.connector.metrics
    return replace(request, connector=replace(request.connector, unit=found.unit.name, metrics=own))


def moves(request: SetupRequest, found: Found) -> bool:
    return found.in_argv and not request.keep_token and _reads_files(found.unit)


def lines(request: SetupRequest, found: Found) -> list[str]:
    """What the drop-in says in [Service]; [] where the unit is right as it is."""
    wanted = [] if metrics(found) else [f"Environment=TUNNEL_METRICS={request.connector.metrics}"]
    if moves(request, found):
        path = request.credentials_dir / TUNNEL_TOKEN
        wanted += [
            f"LoadCredential={TUNNEL_TOKEN}:{path}",
            *(["UnsetEnvironment=TUNNEL_TOKEN"] if "TUNNEL_TOKEN" in found.unit.environment else []),
            "ExecStart=",
            f"ExecStart={_without_token(found.unit.command)} --token-file {HANDED}",
        ]
    return wanted


def text(found: Found, wanted: list[str]) -> str:
    head = f"# By `inferagent setup`, which adopted {found.unit.name}; `inferagent setup --undo` removes it."
    return "\n".join((head, "[Service]", *wanted, ""))


def place(root: Path, found: Found) -> Path:
    return drop_in(root, found.unit.name)


def _without_token(words: list[str]) -> str:
    kept, skip = [], False
    for word in words:
        if not skip and word != "--token" and not word.startswith("--token="):
            kept.append(word)
        skip = word == "--token" and not skip
    return " ".join(_quoted(word) for word in kept)


def _quoted(word: str) -> str:
    """As systemd reads it; percent signs and dollars stay what they were in the unit's file."""
    return word if re.fullmatch(r"[^\s'\"\\;]+", word) else shlex.quote(word)


def _reads_files(unit: UnitFile) -> bool:
    """An older one would take the option for an unknown one, and end."""
    try:
        argv = [unit.command[0], "--version"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=5.0, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    version = re.search(r"\b(20\d\d)\.(\d{1,2})\.", done.stdout + done.stderr)
    return version is not None and (int(version[1]), int(version[2])) >= READS_FILES


def notes(request: SetupRequest, found: Found, *, changes: bool) -> list[str]:
    """What is left to a person; `changes`: the drop-in is written now."""
    name = found.unit.name
    said = []
    if found.in_argv:
        said.append(
            f"rotate the tunnel's token: it stood in {found.unit.path}, which anybody here could read "
            "(dashboard: Networks, Tunnels, the tunnel, Refresh token); put the new one into "
            f"{request.credentials_dir / TUNNEL_TOKEN}, then restart {name} while the host is drained"
        )
        if not request.keep_token and not _reads_files(found.unit):
            said.append(
                f"upgrade cloudflared to 2025.4 or later and run setup again: the token of {name} stays "
                "in its command line until it can read a file"
            )
    if changes:
        restart = f"sudo inferagent drain --wait && sudo systemctl restart {name} && sudo inferagent resume"
        said.append(f"{restart}: {name} takes up its drop-in when it starts again")
    return said
