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
from inferagent.programs.verb import LEAST, SURE, WAITS, NotDoneError, Systemctl, perform, unit_of
from inferagent.runtime.act import UNIT_DEADLINE

CONFIG = 'mode = "act"\n[[engine]]\nunit = "ollama.service"\n[connector]\nunit = "cloudflared.service"\n'

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


def configured(folder: Path, text: str = CONFIG) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.toml").write_text(text)
    return folder


def test_the_unit_is_the_configurations(tmp_path):
    folder = configured(tmp_path / "etc")
    assert unit_of("engine", folder) == "ollama.service"
    assert unit_of("connector", folder) == "cloudflared.service"
    (folder / "conf.d").mkdir()
    (folder / "conf.d/9.toml").write_text('[connector]\nunit = "other.service"\n')
    assert unit_of("connector", folder) == "other.service"


@pytest.mark.parametrize(
    "text",
    [
        'mode = "act"\n',
        CONFIG.replace("ollama.service", "ollama.socket"),
        CONFIG.replace("ollama.service", "-H there.service"),
        CONFIG.replace("ollama.service", "--help.service"),
        CONFIG.replace("ollama.service", "a/b.service"),
        CONFIG.replace("ollama.service", "*.service"),
        CONFIG.replace('unit = "ollama.service"', "unit = 7"),
        CONFIG.replace('unit = "ollama.service"', 'command = ["ollama"]'),
        CONFIG.replace("[[engine]]", "[engine]").replace('unit = "ollama.service"', ""),
        CONFIG.replace('"act"', '"observe"'),
        CONFIG.replace('mode = "act"\n', ""),
        "mode = ",
    ],
)
def test_what_the_configuration_does_not_name_is_refused(tmp_path, text):
    with pytest.raises(NotDoneError) as error:
        unit_of("engine", configured(tmp_path / "etc", text))
    assert error.value.refused


@pytest.mark.parametrize("place", ["", "config.toml", "conf.d", "conf.d/9.toml"])
@pytest.mark.parametrize("mode", [0o020, 0o002])
def test_what_others_may_write_is_not_trusted(tmp_path, place, mode):
    folder = configured(tmp_path / "etc")
    (folder / "conf.d").mkdir()
    (folder / "conf.d/9.toml").write_text("")
    assert unit_of("engine", folder)
    path = folder / place
    path.chmod(path.stat().st_mode | mode)
    with pytest.raises(NotDoneError, match="others than root may change it") as error:
        unit_of("engine", folder)
    assert f"sudo chmod go-w {path}" in str(error.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_another_owns_is_not_trusted(tmp_path):
    folder = configured(tmp_path / "etc")
    os.chown(folder / "config.toml", 65534, -1)
    with pytest.raises(NotDoneError, match=r"sudo chown root .*/config\.toml"):
        unit_of("engine", folder)


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
    answer = run("engine", "stop", "--config", str(configured(tmp_path / "etc", "mode = ")))
    assert answer["ok"] is False
    assert "cannot be read as TOML" in str(answer["message"])
