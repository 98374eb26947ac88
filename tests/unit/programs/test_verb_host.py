"""GPUs reset and the host powered off, with systemctl and nvidia-smi standing in."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from inferagent.programs.verb_host import power_off, reset_gpus
from inferagent.programs.verb_tools import NotDoneError, Systemctl

CONFIG = 'mode = "act"\n[[engine]]\nunit = "ollama.service"\n'
# `show` answers with the file that is named after the unit; all calls are written down in one list.
SYSTEMCTL = """#!/bin/sh
cd "$(dirname "$0")"
for unit; do :; done
case "$2" in
  show) cat "$unit" ;;
  *) echo "$2 ${unit%.service}" >> asked; [ -e refuse ] && { cat refuse >&2; exit 1; }; exit 0 ;;
esac
"""
SMI = """#!/bin/sh
cd "$(dirname "$0")"
echo "nvidia-smi $*" >> asked
cat said
exit "$(cat code)"
"""
RESTS = -1  # between two lives
GONE = {"ollama": 0, "inferagent-probe": 7, "nvidia-persistenced": 8}


@dataclass
class Fake:
    folder: Path
    config: Path

    def units(self, pids: Mapping[str, int]) -> None:
        for unit, pid in pids.items():
            state = {0: "inactive", RESTS: "activating"}.get(pid, "active")
            shown = {"LoadState": "loaded", "ActiveState": state, "MainPID": max(pid, 0)}
            shown |= {"ControlGroup": "", "KillMode": "mixed"}
            text = "".join(f"{key}={value}\n" for key, value in shown.items())
            (self.folder / f"{unit}.service").write_text(text)

    def smi(self, said: str, code: int = 0) -> None:
        (self.folder / "said").write_text(said)
        (self.folder / "code").write_text(str(code))
        self.tool("nvidia-smi", SMI)

    def tool(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)

    @property
    def systemctl(self) -> Systemctl:
        return Systemctl({"PATH": f"{self.folder}:{os.environ['PATH']}"}, time.monotonic() + 10.0)

    @property
    def asked(self) -> list[str]:
        listed = self.folder / "asked"
        return listed.read_text().splitlines() if listed.exists() else []


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    config, folder = tmp_path / "etc", tmp_path / "bin"
    config.mkdir()
    folder.mkdir()
    (config / "config.toml").write_text(CONFIG)
    made = Fake(folder, config)
    made.tool("systemctl", SYSTEMCTL)
    made.units(GONE)
    made.smi("GPU 00000000:01:00.0 was successfully reset.\nAll done.\n")
    return made


def test_whoever_holds_the_driver_lets_go_for_the_reset_alone(fake: Fake) -> None:
    said = reset_gpus(fake.config, fake.systemctl)
    assert said == "GPU 00000000:01:00.0 was successfully reset. All done."
    assert fake.asked == [
        "stop inferagent-probe",
        "stop nvidia-persistenced",
        "nvidia-smi --gpu-reset",
        "start nvidia-persistenced",
        "start inferagent-probe",
    ]


def test_a_probe_that_is_about_to_return_is_kept_away(fake: Fake) -> None:
    fake.units({"inferagent-probe": RESTS})
    reset_gpus(fake.config, fake.systemctl)
    assert fake.asked[0] == "stop inferagent-probe"
    assert fake.asked[-1] == "start inferagent-probe"


def test_a_tool_that_is_stuck_holds_nobody_up(fake: Fake) -> None:
    fake.tool("nvidia-smi", "#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(NotDoneError, match=r"not done within 0\.2 s → sudo systemctl reboot"):
        reset_gpus(fake.config, fake.systemctl, 0.2)
    assert fake.asked[-1] == "start inferagent-probe"


def test_a_refused_reset_is_told_and_the_driver_held_again(fake: Fake) -> None:
    fake.units({"nvidia-persistenced": 0})
    fake.smi("GPU 00000000:01:00.0: In use by another client\n", 19)
    with pytest.raises(NotDoneError, match=r"cannot reset the GPUs: GPU 0.* In use by another client"):
        reset_gpus(fake.config, fake.systemctl)
    assert fake.asked == ["stop inferagent-probe", "nvidia-smi --gpu-reset", "start inferagent-probe"]


def test_a_tool_that_complains_in_silence_is_told_by_its_code(fake: Fake) -> None:
    fake.smi("", 19)
    with pytest.raises(NotDoneError, match="nvidia-smi ended with 19"):
        reset_gpus(fake.config, fake.systemctl)


@pytest.mark.parametrize("pid", [99, RESTS])
def test_under_an_engine_no_gpu_is_reset(fake: Fake, pid: int) -> None:
    fake.units({"ollama": pid})
    with pytest.raises(
        NotDoneError, match=r"ollama\.service is not stopped → sudo inferagent drain"
    ) as error:
        reset_gpus(fake.config, fake.systemctl)
    assert error.value.refused
    assert fake.asked == []


def test_where_there_is_no_tool_a_reboot_is_the_cure(fake: Fake) -> None:
    (fake.folder / "nvidia-smi").unlink()
    where = Systemctl({"PATH": str(fake.folder)}, time.monotonic() + 10.0)
    fake.tool("systemctl", SYSTEMCTL.replace("dirname", "/usr/bin/dirname").replace("cat", "/bin/cat"))
    with pytest.raises(NotDoneError, match="no nvidia-smi is here → sudo systemctl reboot"):
        reset_gpus(fake.config, where)


@pytest.mark.parametrize("deed", [reset_gpus, power_off])
def test_a_host_that_only_observes_is_left_alone(fake: Fake, deed: Callable[[Path, Systemctl], str]) -> None:
    (fake.config / "config.toml").write_text(CONFIG.replace("act", "observe"))
    with pytest.raises(NotDoneError, match="mode is not act") as error:
        deed(fake.config, fake.systemctl)
    assert error.value.refused
    assert fake.asked == []


def test_a_host_goes_off_in_order(fake: Fake) -> None:
    assert power_off(fake.config, fake.systemctl) == ""
    assert fake.asked == ["-- poweroff"]


def test_a_systemd_that_refuses_is_quoted(fake: Fake) -> None:
    (fake.folder / "refuse").write_text("Operation inhibited by apt\n")
    with pytest.raises(NotDoneError, match="cannot power this host off: Operation inhibited by apt"):
        power_off(fake.config, fake.systemctl)
