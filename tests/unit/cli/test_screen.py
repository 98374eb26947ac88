"""The live view in a real terminal: it draws, follows the size, and gives the terminal back."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest

DEADLINE = 20.0
LONG = "serving, although " + "a word " * 30


class Terminal:
    """A pseudo terminal with the command in it; `seen` is everything that was drawn."""

    def __init__(self, agent, columns, **environment):
        self.master, slave = pty.openpty()
        self.seen = ""
        self.resize(columns)
        words = ["-m", "inferagent.cli.main", "status", "--watch", "--config", str(agent.folder)]
        self.before = termios.tcgetattr(self.master)
        plain = {
            name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")
        }
        self.child = subprocess.Popen(
            [sys.executable, *words],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**plain, "TERM": "xterm", **environment},
            start_new_session=True,
        )
        os.close(slave)

    def resize(self, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))

    def until(self, text):
        end = time.monotonic() + DEADLINE
        while text not in self.seen:
            left = end - time.monotonic()
            assert left > 0, self.seen
            if select.select([self.master], [], [], left)[0]:
                self.seen += os.read(self.master, 65536).decode("utf-8", "replace")

    def close(self):
        self.child.kill()
        self.child.wait()
        os.close(self.master)


@pytest.fixture
def terminal(agent, status_of):
    made = []

    def open_one(columns=80, sentence="serving", **environment):
        agent.shows = [status_of(sentence=sentence)]
        made.append(Terminal(agent, columns, **environment))
        return made[-1]

    yield open_one
    for one in made:
        one.close()


@pytest.mark.parametrize("ends", ["q", "Ctrl-C"])
def test_it_draws_in_colour_and_ends_with_the_terminal_as_it_was(terminal, ends):
    screen = terminal()
    screen.until("q ends")
    assert "gpu-home" in screen.seen
    assert "32mSERVING" in screen.seen
    if ends == "q":
        os.write(screen.master, b"q")
    else:
        screen.child.send_signal(signal.SIGINT)
    screen.until("\x1b[?1049l")
    assert screen.child.wait(DEADLINE) == 0
    assert termios.tcgetattr(screen.master)[3] == screen.before[3]


def head(screen):
    """How much of the sentence stands on the first line."""
    return screen.seen[screen.seen.index("SERVING") :].partition("\n")[0].count("a word")


def test_a_new_size_is_taken_at_once(terminal):
    screen = terminal(60, LONG)
    screen.until("q ends")
    narrow, screen.seen = head(screen), ""
    screen.resize(120)
    screen.child.send_signal(signal.SIGWINCH)
    screen.until("q ends")
    assert head(screen) > narrow > 0


def test_no_colour_is_honoured(terminal):
    screen = terminal(NO_COLOR="1")
    screen.until("q ends")
    assert "32m" not in screen.seen
