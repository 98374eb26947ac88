"""Exit codes and what is said, where no API answers; with one: tests/integration/setup."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inferagent.lab.demo.world import free_ports
from inferagent.model.membership import MembershipKind
from inferagent.model.plan import Plan
from inferagent.programs.setup.adopt_engine import Here
from inferagent.programs.setup.record import NAME, POINTER
from inferagent.programs.setup.request import SetupRequest
from inferagent.programs.setup.running import run


@pytest.fixture
def alone(plain: SetupRequest) -> SetupRequest:
    """A request that asks no API."""
    return replace(plain, membership=MembershipKind.PULL, api_token_file=None)


def attempt(request: SetupRequest, *, apply: bool = True, confirm: bool = True) -> tuple[int, str]:
    said: list[str] = []
    here = Here(request.config_dir.parent)
    code = run(
        request, apply=apply, confirm=lambda _: confirm, echo=said.append, machine=lambda: "m", here=here
    )
    return code, "\n".join(said)


def test_a_plan_is_shown_asked_for_and_applied(alone: SetupRequest) -> None:
    asked: list[Plan] = []

    def confirm(plan: Plan) -> bool:
        asked.append(plan)
        return True

    said: list[str] = []
    assert run(alone, apply=True, confirm=confirm, echo=said.append) == 0
    assert asked[0].title == "set up gpu-a for llm.example.com (pull)"
    assert said[1].startswith("  1. write ")
    assert (alone.config_dir / "config.toml").exists()
    assert (alone.config_dir / POINTER).read_text().strip() == str(alone.state_dir)
    code, text = attempt(alone)
    assert code == 0
    assert text.startswith("nothing to do: gpu-a is set up for llm.example.com (pull)")


def test_an_agent_that_runs_is_to_be_restarted_for_new_files(alone: SetupRequest) -> None:
    alone.run_dir.mkdir(parents=True)
    (alone.run_dir / "control.sock").touch()
    assert "systemctl" not in attempt(alone)[1], "the first configuration is taken up without it"
    changed = replace(alone, settings=(("drain.settle", "12s"),))
    assert "left to you: sudo systemctl restart inferagent: the agent that runs" in attempt(changed)[1]
    assert "systemctl" not in attempt(changed)[1], "nothing was written this time"


def test_where_no_agent_runs_it_is_to_be_started(alone: SetupRequest) -> None:
    assert "left to you: sudo systemctl restart inferagent, or inferagent run: no agent" in attempt(alone)[1]


@pytest.mark.parametrize(("apply", "confirm", "code"), [(False, True, 0), (True, False, 1)])
def test_nothing_changes_unasked(alone: SetupRequest, apply: bool, confirm: bool, code: int) -> None:
    assert attempt(alone, apply=apply, confirm=confirm)[0] == code
    assert not alone.config_dir.exists()
    assert not alone.state_dir.exists()


def test_a_request_that_cannot_be_meant_is_refused(alone: SetupRequest) -> None:
    code, text = attempt(replace(alone, host="No Name"))
    assert (code, text.startswith("cannot use the host name")) == (1, True)


BAD: list[dict[str, Any]] = [
    {"settings": (("drain.setle", "5s"),)},
    {"settings": (("drain.settle", "5 parsecs"),)},
    {"ready_port": 0},
]


@pytest.mark.parametrize("changes", BAD)
def test_a_configuration_that_would_be_wrong_is_found_before_anything_is_made(
    alone: SetupRequest, changes: dict[str, Any]
) -> None:
    code, text = attempt(replace(alone, **changes))
    assert code == 78
    assert "\nwhat these options would write: " in text
    assert not alone.state_dir.exists()


def test_a_configuration_that_cannot_be_read_is_78(alone: SetupRequest) -> None:
    alone.config_dir.mkdir()
    (alone.config_dir / "config.toml").write_text("mode = ")
    assert attempt(alone)[0] == 78


def test_a_missing_api_token_is_said(plain: SetupRequest) -> None:
    missing = replace(plain, api_token_file=plain.config_dir / "nothing")
    assert attempt(missing) == (1, f"cannot read the API token: {missing.api_token_file} is missing or empty")


def test_no_undo_record_no_deed(alone: SetupRequest) -> None:
    alone.state_dir.write_text("a file where the folder should be")
    code, text = attempt(alone)
    assert code == 1
    assert "cannot keep the undo record" in text
    assert not (alone.config_dir / "config.toml").exists()


def test_another_shape_needs_an_undo_first(alone: SetupRequest) -> None:
    attempt(alone)
    assert (alone.state_dir / NAME).exists()
    code, text = attempt(replace(alone, host="gpu-b"))
    assert code == 1
    assert "undo that first" in text


def test_what_only_root_may_do_is_said_with_the_cure(alone: SetupRequest) -> None:
    def refused(_plan: Plan) -> bool:
        raise PermissionError(13, "Permission denied", str(alone.state_dir))

    said: list[str] = []
    assert run(alone, apply=True, confirm=refused, echo=said.append) == 1
    assert said[-1] == "cannot keep the undo record: Permission denied; run it with sudo"


@pytest.mark.parametrize("which", ["config_dir", "state_dir"])
def test_a_plan_that_this_user_cannot_carry_out_is_not_shown(alone: SetupRequest, which: str) -> None:
    shut = alone.config_dir.parent / "shut"
    shut.mkdir()
    changes: dict[str, Any] = {which: shut / "below" / "it"}
    request = replace(alone, **changes)
    here = Here(shut, may_write=lambda folder: folder != shut)
    said: list[str] = []
    assert run(request, apply=True, confirm=lambda _: True, echo=said.append, here=here) == 1
    assert said == [f"cannot write into {shut}: Permission denied; run it with sudo"]
    said.clear()
    assert run(request, apply=False, confirm=lambda _: True, echo=said.append, here=here) == 0
    assert "  1. write " in said[1], "a plan may be seen by anybody"


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"image": "vllm/vllm-openai:latest", "command": ()}, "digest"), ({"container": "vllm"}, "needs")],
)
def test_options_that_cannot_be_meant_are_refused_before_the_host_is_looked_at(
    alone: SetupRequest, changes: dict[str, Any], says: str
) -> None:
    code, text = attempt(replace(alone, engine=replace(alone.engine, **changes)))
    assert code == 1
    assert says in text
    assert "systemd" not in text


def test_a_host_without_a_network_is_told_what_to_look_at(alone: SetupRequest, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("a-token\n")
    api = f"http://127.0.0.1:{free_ports(1)[0]}/client/v4"
    code, said = attempt(replace(alone, api=api, api_token_file=token))
    assert code == 1
    assert "cannot connect" in said
    assert said.endswith("; is this host's network up, and does its DNS answer? try again then")
