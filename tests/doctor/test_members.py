"""What the bundle is made of, from a host that is well and from one that is not."""

import asyncio

import pytest
from tests.support.clinic import Clinic
from tests.support.doctoring import configured

from inferagent.programs.diag.members import LINES, LONGEST, MEMBERS, read_all, source
from inferagent.programs.doctor.sight import Direction


def texts(direction: Direction, *names: str) -> dict[str, str]:
    wanted = tuple(member for member in MEMBERS if not names or member.name in names)
    return asyncio.run(read_all(wanted, source(direction)))


def test_a_host_that_is_well(clinic: Clinic):
    found = clinic.do(read_all(MEMBERS, source(clinic.direction)))
    assert list(found) == [member.name for member in MEMBERS]
    assert 'version="2026.8.2"' in found["versions.txt"]
    assert '"phase": "serving"' in found["status.json"]
    assert "membership.kind" in found["config.txt"]
    assert '"schema": 1' in found["doctor.json"]
    assert "NVIDIA L4" in found["gpu.json"]
    assert "ready.log" in found["logs.txt"]
    assert found["journal.txt"].startswith("(not here: systemd does not run")


def test_nothing_runs_and_nothing_fails(tmp_path):
    found = texts(configured(tmp_path))
    for name in ("status.json", "gpu.json", "logs.txt", "units.json", "journal.txt"):
        assert found[name].startswith("(not here: "), name
    assert found["events.jsonl"] == ""


def test_a_wrong_configuration_is_shown_as_its_errors(tmp_path):
    found = texts(configured(tmp_path, more="\n[drian]\n"), "config.txt", "status.json", "events.jsonl")
    assert "drian" in found["config.txt"]
    assert found["status.json"].startswith("(not here")


@pytest.mark.parametrize("size", [10, LINES * 3])
def test_the_last_events_of_both_files(tmp_path, size):
    direction = configured(tmp_path)
    state = tmp_path / "state"
    state.mkdir()
    (state / "events.1.jsonl").write_text("".join(f"old {n}\n" for n in range(5)))
    (state / "events.jsonl").write_text("".join(f"new {n}\n" for n in range(size)))
    lines = texts(direction, "events.jsonl")["events.jsonl"].splitlines()
    assert lines[-1] == f"new {size - 1}"
    assert len(lines) == min(LINES, size + 5)


def test_a_huge_log_is_cut(tmp_path):
    direction = configured(tmp_path)
    units = tmp_path / "run/units"
    units.mkdir(parents=True)
    (units / "engine.log").write_text("x" * (LONGEST * 3) + "\nthe end\n")
    found = texts(direction, "logs.txt")["logs.txt"]
    assert len(found) < LONGEST + 100
    assert "the end" in found
