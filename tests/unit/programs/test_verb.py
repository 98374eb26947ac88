"""The verbs with a systemctl that stands in for systemd's; the real one is met on booted hosts."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from inferagent.adapters.units.verbs import ANSWERS
from inferagent.programs.verb import SURE, perform
from inferagent.programs.verb_tools import LEAST, WAITS, NotDoneError, Systemctl
from inferagent.runtime.act import UNIT_DEADLINE

SYSTEMCTL = """#!/bin/sh
cd "$(dirname "$0")"
echo "$*" >> asked
case "$2" in
  show) cat shown ;;
  reset-failed) exit 1 ;;
  *) [ -e "$2.shown" ] && cat "$2.shown" > shown
     [ -e "$2.error" ] && { cat "$2.error" >&2; exit 1; }
     [ -e "$2.slow" ] && exec sleep 5
     exit 0 ;;
esac
"""


@dataclass
class Fake:
    folder: Path

    def shows(self, verb: str = "", **changes: object) -> None:
        """What `show` says from the first, or after `verb`."""
        shown = {"LoadState": "loaded", "ActiveState": "inactive", "MainPID": 0, "ControlGroup": ""}
        shown |= {"KillMode": "control-group", **changes}
        name = f"{verb}.shown" if verb else "shown"
        (self.folder / name).write_text("".join(f"{key}={value}\n" for key, value in shown.items()))

    @property
    def asked(self) -> list[str]:
        """The verbs, in order."""
        lines = (self.folder / "asked").read_text().splitlines()
        return [line.split()[1] for line in lines if line.split()[1] != "show"]


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "systemctl").write_text(SYSTEMCTL)
    (folder / "systemctl").chmod(0o755)
    made = Fake(folder)
    made.shows()
    made.shows("start", ActiveState="active", MainPID=7)
    made.shows("restart", ActiveState="active", MainPID=8)
    made.shows("stop")
    return made


def done(fake: Fake, verb: str, waits: float = 5.0) -> str:
    path = f"{fake.folder}:{os.environ['PATH']}"
    return perform("x.service", verb, Systemctl({"PATH": path}, time.monotonic() + waits))


def test_a_start_forgets_the_start_limit_first(fake):
    assert done(fake, "start") == ""
    assert fake.asked == ["reset-failed", "start"]
    assert "--no-ask-password start -- x.service" in (fake.folder / "asked").read_text()


def test_a_restart_is_systemds_own(fake):
    fake.shows(ActiveState="active", MainPID=7)
    assert done(fake, "restart") == ""
    assert fake.asked == ["reset-failed", "restart"]


@pytest.mark.parametrize("mode", ["process", "none"])
def test_a_restart_of_what_leaves_processes_is_a_stop_and_a_start(fake, mode):
    fake.shows(ActiveState="active", MainPID=7, KillMode=mode)
    done(fake, "restart")
    assert fake.asked == ["reset-failed", "stop", "start"]


def test_a_stop_is_a_stop(fake):
    fake.shows(ActiveState="active", MainPID=7)
    assert done(fake, "stop") == ""
    assert fake.asked == ["stop"]


def test_a_main_process_that_goes_on_is_no_stop(fake):
    fake.shows("stop", ActiveState="deactivating", MainPID=7)
    with pytest.raises(NotDoneError, match=r"cannot stop x\.service: its main process goes on") as error:
        done(fake, "stop")
    assert not error.value.refused


def test_what_systemctl_says_is_handed_on(fake):
    (fake.folder / "start.error").write_text("Job for x.service failed.\nSee more.\n")
    with pytest.raises(NotDoneError) as error:
        done(fake, "start")
    assert (
        str(error.value) == "cannot start x.service: Job for x.service failed. → systemctl status x.service"
    )


def test_a_start_that_was_skipped_is_none(fake):
    fake.shows("start", ActiveState="inactive")
    with pytest.raises(NotDoneError, match="it is inactive → systemctl status"):
        done(fake, "start")


def test_a_slow_start_with_a_main_process_goes_on(fake):
    (fake.folder / "start.slow").touch()
    fake.shows("start", ActiveState="activating", MainPID=7)
    assert done(fake, "start", 0.3) == "x.service is still starting"


def test_a_restart_of_two_slow_jobs_has_one_deadline_for_both(fake):
    fake.shows(ActiveState="active", MainPID=7, KillMode="process")
    for job in ("stop", "start"):
        (fake.folder / f"{job}.slow").touch()
    begun = time.monotonic()
    assert done(fake, "restart", 2.0) == "x.service is still starting"
    assert time.monotonic() - begun < 3.7, "each of the two jobs had the whole time"


def test_whoever_waits_for_a_verb_waits_longer_than_it_takes():
    calls = 6  # of systemctl at most, after the deadline
    assert WAITS + calls * LEAST + SURE < ANSWERS < UNIT_DEADLINE


def test_a_slow_start_without_one_failed(fake):
    (fake.folder / "start.slow").touch()
    fake.shows("start", ActiveState="activating")
    with pytest.raises(NotDoneError, match="it takes too long"):
        done(fake, "start", 0.3)


@pytest.mark.parametrize(
    ("load", "said"), [("not-found", "there is no such unit"), ("masked", "sudo systemctl unmask")]
)
def test_what_cannot_be_started_is_refused(fake, load, said):
    fake.shows(LoadState=load)
    with pytest.raises(NotDoneError, match=said) as error:
        done(fake, "start")
    assert error.value.refused
    assert not (fake.folder / "asked").read_text().count("start -- ")


def test_a_systemd_that_does_not_answer_is_said(fake):
    (fake.folder / "shown").write_text("")
    with pytest.raises(NotDoneError, match=r"cannot ask systemd about x\.service"):
        done(fake, "stop")


def run(*words: str) -> dict[str, object]:
    argv = [sys.executable, "-m", "inferagent.programs.verb", *words]
    made = subprocess.run(argv, input=b"engine stop\n", capture_output=True, check=True, timeout=20)
    assert made.stdout.count(b"\n") == 1
    return json.loads(made.stdout)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("engine",),
        ("engine", "kill"),
        ("gpu", "stop"),
        ("engine", "stop", "now"),
        ("engine", "stop", "--config"),
        ("--config", "/etc", "engine", "stop"),
    ],
)
def test_no_other_verb_is_known(words):
    answer = run(*words)
    assert (answer["ok"], answer["refused"]) == (False, True)
    assert "no such verb" in str(answer["message"])


def test_the_answer_is_one_line_whatever_is_wrong(tmp_path):
    (tmp_path / "config.toml").write_text("mode = ")
    answer = run("engine", "stop", "--config", str(tmp_path))
    assert answer["ok"] is False
    assert "cannot be read as TOML" in str(answer["message"])
