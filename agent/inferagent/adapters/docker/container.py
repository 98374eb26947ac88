"""What the docker daemon says of one container, read tolerantly: a field that is missing or odd is empty."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
LABEL = "inferagent.recipe"  # on containers that are ours: the sum of what they were made from
KILLED = 128  # docker adds this to the number of the signal that ended the container


@dataclass(frozen=True, slots=True)
class Container:
    """One look. `policy` is docker's restart policy in the API's words; `recipe` "" where it is not ours.

    `pid` is that of its first process in the daemon's own numbers, 0 while it does not run. `listens` are the
    addresses at which its ports are published.
    """

    id: str
    name: str
    status: str = ""
    pid: int = 0
    exit_code: int = 0
    out_of_memory: bool = False
    error: str = ""
    started: str = ""
    policy: str = "no"
    retries: int = 0
    removed_when_done: bool = False
    memory: int = 0  # bytes, 0: no limit
    network: str = ""
    recipe: str = ""
    image: str = ""
    command: tuple[str, ...] = ()
    listens: tuple[tuple[str, int], ...] = ()

    @property
    def runs(self) -> bool:
        return self.status in ("running", "paused") and self.pid > 0

    @property
    def leaves(self) -> bool:
        """Somebody removes it."""
        return self.status in ("removing", "dead")

    @property
    def ending(self) -> str:
        """How its last life ended, in words."""
        if self.out_of_memory:
            limit = f" of {self.memory / (1 << 20):g} MiB" if self.memory else ""
            return f"out of memory: the kernel killed it at its limit{limit} (exit code {self.exit_code})"
        if self.error:
            return f"docker could not run it: {self.error} (exit code {self.exit_code})"
        if KILLED < self.exit_code < KILLED + 65:
            return f"killed by signal {self.exit_code - KILLED}"
        return f"exit code {self.exit_code}"


def read(found: dict[str, Any]) -> Container:
    state, host, config = (_table(found.get(key)) for key in ("State", "HostConfig", "Config"))
    policy = _table(host.get("RestartPolicy"))
    labels = _table(config.get("Labels"))
    return Container(
        id=str(found.get("Id") or ""),
        name=str(found.get("Name") or "").removeprefix("/"),
        status=str(state.get("Status") or ""),
        pid=_number(state.get("Pid")),
        exit_code=_number(state.get("ExitCode")),
        out_of_memory=state.get("OOMKilled") is True,
        error=str(state.get("Error") or "").strip(),
        started=str(state.get("StartedAt") or ""),
        policy=str(policy.get("Name") or "no"),
        retries=_number(policy.get("MaximumRetryCount")),
        removed_when_done=host.get("AutoRemove") is True,
        memory=_number(host.get("Memory")),
        network=str(host.get("NetworkMode") or ""),
        recipe=str(labels.get(LABEL) or ""),
        image=str(config.get("Image") or ""),
        command=(str(found.get("Path") or ""), *_texts(found.get("Args"))),
        listens=tuple(_listens(_table(host.get("PortBindings")))),
    )


def _listens(bindings: dict[str, Any]) -> Iterator[tuple[str, int]]:
    for places in bindings.values():
        for place in places if isinstance(places, list) else ():
            port = str(_table(place).get("HostPort") or "")
            if port.isdigit():
                yield str(_table(place).get("HostIp") or ""), int(port)


def ours_to_watch(container: Container, proc: Path = Path("/proc")) -> bool:
    """Whether its pid is a number of this machine's: a daemon in a space of its own has others."""
    try:
        groups = (proc / str(container.pid) / "cgroup").read_text("ascii", "replace")
    except OSError:
        return False
    return bool(container.id) and container.id in groups


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list) else ()


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
