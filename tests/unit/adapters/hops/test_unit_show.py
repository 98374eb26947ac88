"""Properties of units, by a systemctl of our own."""

import sys

import pytest

from inferagent.adapters.hops.unit_show import booted, show
from inferagent.ports import PortError


def program(folder, text):
    file = folder / "systemctl"
    file.write_text(f"#!{sys.executable}\n{text}")
    file.chmod(0o755)
    return str(file)


WELL = """
import sys
units = sys.argv[sys.argv.index("--") + 1:]
print("\\n\\n".join(f"Id={unit}\\nLoadState=loaded\\nRestart=always" for unit in units))
"""


async def test_each_unit_by_its_name(tmp_path):
    found = await show(("a.service", "b.service"), 5, program(tmp_path, WELL))
    assert list(found) == ["a.service", "b.service"]
    assert found["b.service"] == {"Id": "b.service", "LoadState": "loaded", "Restart": "always"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import sys; sys.exit(1)", "cannot read"),
        ("print('Id=a')", "each"),
        ("import time; time.sleep(9)", "within"),
    ],
)
async def test_what_can_be_wrong_with_it(tmp_path, text, words):
    with pytest.raises(PortError, match=words):
        await show(("a.service", "b.service"), 0.5, program(tmp_path, text))


async def test_no_systemctl(tmp_path):
    with pytest.raises(PortError, match="cannot start"):
        await show(("a.service",), 1, str(tmp_path / "none"))


def test_whether_systemd_runs_the_host(tmp_path):
    assert not booted(tmp_path)
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    assert booted(tmp_path)
