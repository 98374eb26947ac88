"""`inferagent doctor` as a command, on the clinic's host; and on a whole host with a real agent."""

import json
import os
import subprocess
import sys
import time

import pytest
from tests.support.breaking import engine_gone
from tests.support.clinic import Clinic

from inferagent.lab.demo.world import Timing, open_world
from inferagent.programs.doctor.doctor import names
from inferagent.programs.doctor.table import CHECKS

BAR = 10.0  # seconds for a host that is well
QUICK = Timing(monitor_interval=5, interval_scale=0.1, lag=(0.0, 0.2), cache=0.2, latency=0.02, settings={})


def led(info: dict, root="") -> list[str]:
    """The options that lead doctor to a lab."""
    words = ["--dns", info["dns"], "--https-port", str(info["public_tls_port"]), "--cacert", info["cacert"]]
    for place in info["edge"]:
        words += ["--edge", place]
    return [*words, *(["--root", str(root)] if root else [])]


def run(config, *words: str) -> "subprocess.CompletedProcess[str]":
    argv = [sys.executable, "-m", "inferagent.cli.main", "doctor", "--config", str(config), *words]
    environ = {key: value for key, value in os.environ.items() if key != "CREDENTIALS_DIRECTORY"}
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, env=environ)


def test_a_host_that_is_well(clinic: Clinic):
    begun = time.monotonic()
    ended = run(clinic.config, *led(clinic.cloud.as_json(), clinic.root))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert time.monotonic() - begun < BAR
    lines = ended.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "failed" not in lines[0]


def test_a_broken_one_as_json(clinic: Clinic):
    with engine_gone(clinic) as direction:
        ended = run(direction.folder, "--json", *led(clinic.cloud.as_json(), clinic.root))
    document = json.loads(ended.stdout)
    assert (ended.returncode, document["exit_code"], document["schema"]) == (1, 1, 1)
    assert {c["hop"] for c in document["checks"] if c["verdict"] in ("fail", "warn", "unknown")} == {"engine"}
    assert document["counts"]["fail"] == 1


def test_only_some_and_their_needs_unsaid(clinic: Clinic):
    ended = run(
        clinic.config, "--only", "model,host.disk", "--json", *led(clinic.cloud.as_json(), clinic.root)
    )
    assert [c["name"] for c in json.loads(ended.stdout)["checks"]] == ["model.listed", "host.disk"]


def test_what_there_is_to_choose_from(clinic: Clinic):
    ended = run(clinic.config, "--list")
    assert [line.split()[0] for line in ended.stdout.splitlines()] == [check.name for check in CHECKS]
    assert len(names()) == len(CHECKS)
    wrong = run(clinic.config, "--only", "modle")
    assert (wrong.returncode, "no check or group modle" in wrong.stderr) == (2, True)


def test_a_host_that_nobody_configured(tmp_path):
    ended = run(tmp_path / "etc", "--only", "config,engine,agent,account")
    assert ended.returncode == 1
    assert ended.stdout.count("FAIL  ") == 2  # the check, and its hop
    assert "sudo inferagent setup" in ended.stdout


@pytest.mark.timeout(180)
async def test_a_whole_host_with_its_agent_is_all_green(tmp_path, record_property):
    """Set up by `inferagent setup`, run by `inferagent run`."""
    async with open_world(tmp_path, QUICK) as world:
        host = world.add("gpu-a", "vllm", 100)
        await world.own_token(host)
        await host.setup(world.info)
        await host.start_agent()
        await world.in_phase(host, "serving")

        async def looked_after() -> bool:
            return await world.routes_to(host)

        await world.until("the monitor says healthy", looked_after, 60)
        begun = time.monotonic()
        said = await host.command(
            "doctor", "--config", str(host.config), "--json", *led(world.info), allowed=(0, 1, 3)
        )
        took = time.monotonic() - begun
    document = json.loads(said)
    ill = [c for c in document["checks"] if c["verdict"] in ("fail", "unknown")]
    assert not ill
    warned = {c["name"] for c in document["checks"] if c["verdict"] == "warn"}
    assert warned <= {"host.disk"}
    assert took < BAR
    record_property(
        "figure", f"doctor on a host that is well: {document['seconds']:.1f} s, {took:.1f} s as a command"
    )
