import json

import pytest

from inferagent.adapters.clock import BootClock
from inferagent.adapters.verdict_file import VerdictFile
from inferagent.ports import PortError


def said(run):
    return json.loads((run / "verdict.json").read_bytes())


def test_a_verdict_names_its_boot(tmp_path):
    clock = BootClock()
    VerdictFile(tmp_path / "run", clock).write(True, "serving")
    verdict = said(tmp_path / "run")
    assert (verdict["boot"], verdict["ready"], verdict["phase"]) == (clock.boot(), True, "serving")
    assert 0 < verdict["at"] <= clock.now()


def test_an_unchanged_verdict_is_not_written_again_but_a_missing_one_is(tmp_path):
    file = VerdictFile(tmp_path, BootClock())
    file.write(True, "serving")
    first = said(tmp_path)["at"]
    file.write(True, "serving")
    assert said(tmp_path)["at"] == first
    (tmp_path / "verdict.json").unlink()
    file.write(True, "serving")
    assert said(tmp_path)["at"] > first
    file.write(True, "joining")
    assert said(tmp_path)["phase"] == "joining"


def test_what_an_earlier_agent_of_this_boot_told_is_known(tmp_path):
    clock = BootClock()
    assert VerdictFile(tmp_path, clock).read() is None
    for ready in (True, False):
        VerdictFile(tmp_path, clock).write(ready, "serving")
        assert VerdictFile(tmp_path, clock).read() is ready
    (tmp_path / "verdict.json").write_text(json.dumps(said(tmp_path) | {"boot": "another"}))
    assert VerdictFile(tmp_path, clock).read() is None
    (tmp_path / "verdict.json").write_text("{")
    assert VerdictFile(tmp_path, clock).read() is None


def test_a_not_ready_that_cannot_be_written_takes_the_old_ready_back(tmp_path):
    file = VerdictFile(tmp_path, BootClock())
    file.write(True, "serving")
    (tmp_path / ".verdict.json.new").mkdir()  # the next write fails, whoever we are
    with pytest.raises(PortError, match="cannot write the verdict"):
        file.write(False, "draining")
    assert not (tmp_path / "verdict.json").exists()


def test_a_ready_that_cannot_be_written_leaves_what_stands(tmp_path):
    file = VerdictFile(tmp_path, BootClock())
    file.write(False, "out")
    (tmp_path / ".verdict.json.new").mkdir()
    with pytest.raises(PortError):
        file.write(True, "joining")
    assert said(tmp_path)["ready"] is False
    (tmp_path / ".verdict.json.new").rmdir()
    file.write(True, "joining")
    assert said(tmp_path)["ready"] is True
