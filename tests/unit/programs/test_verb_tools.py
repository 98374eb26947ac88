"""Which unit a verb means: what the configuration names, if it is root's alone."""

import os
from pathlib import Path

import pytest

from inferagent.programs.verb_tools import NotDoneError, unit_of

CONFIG = 'mode = "act"\n[[engine]]\nunit = "ollama.service"\n[connector]\nunit = "cloudflared.service"\n'


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
