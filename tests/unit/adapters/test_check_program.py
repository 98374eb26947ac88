from pathlib import Path

import pytest

from inferagent.adapters.check_program import CheckProgram
from inferagent.model.check import CheckResult
from inferagent.model.health import Health
from inferagent.ports import PortError

NOWHERE = Path("/proc/nowhere")  # takes no record: that costs no run


def check(script: str, deadline: float = 5.0) -> CheckProgram:
    return CheckProgram("disk-ok", ["/bin/sh", "-c", script], deadline, "gpu-a", NOWHERE)


@pytest.mark.parametrize(
    ("code", "health"), [(0, Health.HEALTHY), (1, Health.DEGRADED), (2, Health.UNHEALTHY)]
)
async def test_its_code_says_how_it_is_and_its_first_line_why(code, health):
    found = await check(f"echo; echo '3 % free'; echo more; exit {code}").look()
    assert found == CheckResult(health, "3 % free")


async def test_a_line_of_its_output_is_the_cure():
    found = await check("echo 'Cure: sudo journalctl --vacuum-size=1G'; echo full; exit 2").look()
    assert found == CheckResult(Health.UNHEALTHY, "full", "sudo journalctl --vacuum-size=1G")


async def test_it_knows_its_name_and_host():
    found = await check('echo "$INFERAGENT_CHECK on $INFERAGENT_HOST"').look()
    assert found.text == "disk-ok on gpu-a"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'no such disk'; exit 3", "it says unknown: no such disk"),
        ("exit 3", "it says unknown$"),
        ("echo oops >&2; exit 127", "it ended with code 127, which says nothing: oops"),
        ("kill -9 $$", "it was killed by signal 9, which says nothing"),
        ("sleep 9", "cannot finish /bin/sh within 0.2 s"),
        ("yes", "it writes more than 1 MiB|cannot finish"),
    ],
)
async def test_anything_else_is_unknown_and_said(script, said):
    with pytest.raises(PortError, match=f"cannot read the check disk-ok: .*({said})"):
        await check(script, 0.2 if "9" in script or script == "yes" else 5.0).look()


async def test_a_missing_program_is_unknown():
    with pytest.raises(PortError, match="cannot read the check x: cannot start /no/such: No such file"):
        await CheckProgram("x", ["/no/such"], 1.0, "h", NOWHERE).look()
