"""The steps of an adoption, and their undoing: a drop-in, docker's restart policy, a unit enabled."""

import asyncio
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from inferagent.adapters.docker.container import Container
from inferagent.adapters.docker.daemon import Docker
from inferagent.adapters.docker.note import FOLDER, forget, former_policy
from inferagent.adapters.files import why
from inferagent.adapters.hops.unit_show import booted
from inferagent.config.containers import container_of
from inferagent.ports import PortError
from inferagent.programs.setup.files import FileStep, undo_file
from inferagent.programs.setup.session import Object
from inferagent.programs.setup.unit_files import ETC

KINDS = frozenset({"drop-in", "policy", "enable"})
ANSWERS = 10.0  # seconds of systemd for a question
LONGEST = 200.0  # seconds: a unit that follows a container waits for docker


@dataclass(slots=True)
class DropInStep:
    """A file of ours beside a unit of the user's; systemd reads it at once, the unit at its next start."""

    file: FileStep
    root: Path

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def change(self) -> str:
        return self.file.change

    def intent(self) -> Object:
        return {**self.file.intent(), "kind": "drop-in", "root": str(self.root)}

    def apply(self) -> Object:
        result = self.file.apply()
        reload_systemd(self.root)
        return result


@dataclass(slots=True)
class PolicyStep:
    """From now on systemd restarts the container, and docker does not: two would fight."""

    docker: Docker
    container: str
    _found: Container | None = None

    @property
    def name(self) -> str:
        return f"restart policy of {self.container}"

    @property
    def change(self) -> str:
        return (
            f"take the restarts of the container {self.container} over from docker (it is not restarted now)"
        )

    def intent(self) -> Object:
        self._found = asyncio.run(self.docker.inspect(self.container))
        if self._found is None:
            raise PortError(f"cannot adopt the container {self.container}: it is gone")
        return {
            "kind": "policy",
            "socket": str(self.docker.socket),
            "container": self.container,
            "before": {"policy": self._found.policy, "retries": self._found.retries},
        }

    def apply(self) -> Object:
        asyncio.run(self.docker.set_policy(self.container, "no"))
        return {"id": self._found.id if self._found else ""}


@dataclass(slots=True)
class EnableStep:
    """`made`: the container is ours, so that undo removes it as well."""

    docker: Docker
    root: Path
    unit: str
    made: bool

    @property
    def name(self) -> str:
        return f"unit {self.unit}"

    @property
    def change(self) -> str:
        does = "makes and runs" if self.made else "follows"
        return f"enable and start {self.unit}, which {does} the container {container_of(self.unit)}"

    def intent(self) -> Object:
        return {
            "kind": "enable",
            "unit": self.unit,
            "root": str(self.root),
            "made": self.made,
            "socket": str(self.docker.socket),
        }

    def apply(self) -> Object:
        now = ("--now",) if booted(self.root) else ()
        systemctl(self.root, "enable", *now, "--", self.unit)
        return {}


LocalStep: TypeAlias = DropInStep | PolicyStep | EnableStep


def enabled(root: Path, unit: str) -> bool:
    """By the link that says so; it may lead into another root."""
    return any((folder / unit).is_symlink() for folder in (root / ETC).glob("*.wants"))


def failed(root: Path, unit: str) -> bool:
    """A start that did not succeed is tried again; one that somebody stopped rests as it is."""
    if not booted(root):
        return False
    argv = ["systemctl", "--quiet", "is-failed", "--", unit]
    try:
        return subprocess.run(argv, stdin=subprocess.DEVNULL, timeout=ANSWERS, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PortError(f"cannot ask systemd about {unit}: {error}") from error


def undo_step(intent: Object, result: Object) -> str:
    """Returns what was done; PortError where it could not be."""
    if intent["kind"] == "drop-in":
        done = undo_file(intent, result)
        reload_systemd(Path(intent["root"]))
        return done
    if intent["kind"] == "policy":
        return _undo_policy(intent)
    return _undo_enable(intent)


def _undo_policy(intent: Object) -> str:
    """An owner who made the container again said it anew then: that was noted when it was taken over."""
    name, docker = str(intent["container"]), Docker(Path(intent["socket"]))
    found = asyncio.run(docker.inspect(name))
    if found is None:
        return f"left the restart policy of {name}: the container is gone"
    policy, retries = former_policy(name, found.id) or (
        str(intent["before"]["policy"]),
        int(intent["before"]["retries"]),
    )
    if found.policy not in ("no", ""):
        return f"left the restart policy of {name}: somebody set it to {found.policy}"
    asyncio.run(docker.set_policy(found.id, policy, retries))
    forget(name)
    return f"gave the restarts of the container {name} back to docker ({policy})"


def _undo_enable(intent: Object) -> str:
    """The unit is to let go of a container that is not ours: it goes on as it is."""
    unit, root = str(intent["unit"]), Path(intent["root"])
    name = container_of(unit)
    word = FOLDER / f"{name}.let-go"
    now = ("--now",) if booted(root) else ()
    try:
        if not intent["made"] and FOLDER.is_dir():
            word.touch()
        systemctl(root, "disable", *now, "--", unit)
        word.unlink(missing_ok=True)
    except OSError as error:
        raise PortError(f"cannot let go of the container {name}: {why(error)}") from error
    if intent["made"]:
        _remove(Docker(Path(intent["socket"])), name)
        return f"disabled {unit}, and removed its container"
    return f"disabled {unit}; the container {name} goes on"


def _remove(docker: Docker, name: str) -> None:
    found = asyncio.run(docker.inspect(name))
    if found is not None and found.recipe and not found.runs:
        asyncio.run(docker.remove(found.id))


def reload_systemd(root: Path) -> None:
    if booted(root):
        systemctl(root, "daemon-reload")


def systemctl(root: Path, *words: str) -> None:
    elsewhere = () if root == Path("/") else (f"--root={root}",)
    argv = ["systemctl", "--no-ask-password", "--quiet", *elsewhere, *words]
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONGEST, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PortError(f"cannot {words[0]} {words[-1]}: systemctl: {error}") from error
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise PortError(f"cannot {words[0]} {words[-1]}: {said[0] if said else 'systemctl failed'}")
