"""What is right and will hardly work."""

import grp
import os

import pytest

from inferagent.config.load import load
from inferagent.config.remarks import remarks

RIGHT = """\
[agent]
operators = "OPS"
[[engine]]
kind = "vllm"
url = "http://127.0.0.1:8000"
command = ["vllm", "serve"]
serves = { chat = "m" }
[connector]
command = ["cloudflared"]
hostname = "a.example.com"
[membership]
kind = "pull"
[[check]]
name = "own"
exec = ["PROGRAM"]
"""
GROUP = grp.getgrgid(os.getgid()).gr_name


def said(folder, program="/bin/true", group="") -> list:
    (folder / "config.toml").write_text(RIGHT.replace("OPS", group).replace("PROGRAM", str(program)))
    return list(remarks(load(folder)))


@pytest.mark.parametrize("program", ["/bin/true", "true", "./bin/true"])
def test_what_is_there_needs_no_word(tmp_path, program):
    assert said(tmp_path, program, GROUP) == []


@pytest.mark.parametrize("program", ["/nowhere/disk-ok", "no-such-program-anywhere", "/bin"])
def test_a_program_that_is_not_there(tmp_path, program):
    (found,) = said(tmp_path, program)
    assert str(found).startswith(f"{tmp_path}/config.toml:15: check[0].exec: there is no program {program}")
    assert found.cure


def test_a_program_that_cannot_be_run(tmp_path):
    program = tmp_path / "disk-ok"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o644)
    (found,) = said(tmp_path, program)
    assert (found.what, found.cure) == (f"{program} cannot be executed", f"sudo chmod 755 {program}")
    program.chmod(0o755)
    assert said(tmp_path, program) == []


def test_a_group_that_nobody_made(tmp_path):
    (found,) = said(tmp_path, group="no-such-group")
    assert (found.key, found.cure) == ("agent.operators", "sudo groupadd no-such-group")


def test_a_program_of_the_notifications_is_looked_at_too(tmp_path):
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "n.toml").write_text('[notify]\nexec = ["/nowhere/tell", "me"]\n')
    (found,) = said(tmp_path)
    assert (found.key, str(found.place)) == ("notify.exec", f"{tmp_path}/conf.d/n.toml:2")


def test_a_host_without_configuration_has_nothing_to_remark(tmp_path):
    assert list(remarks(load(tmp_path))) == []
