"""What the follower of a container reaches beyond docker: systemd, journal and folder; and its patience."""

import contextlib
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Places:
    """`run` holds the note for the agent and the word to let go, `proc` tells whose process a pid is."""

    run: Path
    proc: Path = Path("/proc")

    def let_go(self, name: str) -> Path:
        return self.run / f"{name}.let-go"


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. `daemon`: for it to answer at all; `owner`: to make a container again that is gone."""

    daemon: float = 60.0
    owner: float = 30.0
    ending: float = 5.0  # for the daemon to say how a life ended
    pause: float = 0.5
    kill: float = 5.0


def to_stderr(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def to_systemd(*words: str) -> None:
    """Where it does not listen, nobody is told."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as speaker, contextlib.suppress(OSError):
        speaker.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        speaker.send("\n".join(words).encode())


def stop_unit(unit: str) -> bool:
    """A person's word to docker becomes the same word to systemd, which then starts nothing again."""
    argv = ["systemctl", "--no-ask-password", "--no-block", "stop", "--", unit]
    try:
        return subprocess.run(argv, timeout=5.0, check=False, stdin=subprocess.DEVNULL).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
