"""A whole host adopted, planned first, applied, found done, and undone."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.fake_docker import FakeDocker, fake_docker
from tests.unit.programs.setup.test_adopt_connector import TOKEN, TUNNEL, install, program

from inferagent.adapters.docker.daemon import Docker
from inferagent.model.membership import MembershipKind
from inferagent.programs.setup.adopt_engine import Here
from inferagent.programs.setup.adoption import adopt
from inferagent.programs.setup.request import SetupRequest
from inferagent.programs.setup.running import run
from inferagent.programs.setup.undoing import undo

TEMPLATE = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[FakeDocker]:
    with fake_docker(tmp_path) as made:
        made.add(policy="unless-stopped")
        yield made


@pytest.fixture
def here(tmp_path: Path, daemon: FakeDocker) -> Here:
    root = tmp_path / "root"
    program(root, "2026.8.2")
    install(root)
    (root / "etc/systemd/system/inferagent-container@.service").write_text(TEMPLATE)
    return Here(root, Docker(daemon.socket, answers=0.5), systemd=False)


@pytest.fixture
def request_(plain: SetupRequest) -> SetupRequest:
    engine = replace(plain.engine, command=())
    return replace(plain, membership=MembershipKind.PULL, api_token_file=None, engine=engine)


def attempt(request: SetupRequest, here: Here, *, apply: bool = True) -> tuple[int, str]:
    said: list[str] = []
    code = run(request, apply=apply, confirm=lambda _: True, echo=said.append, machine=lambda: "m", here=here)
    return code, "\n".join(said)


def files(root: Path) -> dict[str, str]:
    return {
        str(p.relative_to(root)): p.read_text()
        for p in sorted(root.rglob("*"))
        if p.is_file() and not p.is_symlink()
    }


def test_plan_apply_again_undo(request_: SetupRequest, here: Here, daemon: FakeDocker) -> None:
    before = files(here.root)
    code, plan = attempt(request_, here, apply=False)
    assert code == 0
    assert files(here.root) == before
    assert daemon.containers["vllm"].policy == "unless-stopped"
    code, done = attempt(request_, here)
    assert code == 0, done
    config = (request_.config_dir / "config.toml").read_text()
    assert 'unit = "cloudflared.service"' in config
    assert 'unit = "inferagent-container@vllm.service"' in config
    assert TUNNEL in config
    assert (request_.credentials_dir / "tunnel-token").read_text() == TOKEN + "\n"
    assert daemon.containers["vllm"].policy == "no"
    assert daemon.containers["vllm"].lives == 1
    code, again = attempt(request_, here)
    assert "nothing to do" in again, again
    said: list[str] = []
    assert undo(request_.config_dir, echo=said.append, state_dir=request_.state_dir) == 0, said
    assert files(here.root) == before
    assert daemon.containers["vllm"].policy == "unless-stopped"
    shown = "\n".join((plan, done, again, *said))
    assert TOKEN not in shown
    assert TOKEN not in config


def test_a_token_of_another_tunnel_is_kept_aside(request_: SetupRequest, here: Here) -> None:
    """Else the adopted connector would run that tunnel from its next start on."""
    path = request_.credentials_dir / "tunnel-token"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(other := token_of("another"))
    code, done = attempt(request_, here)
    assert code == 0, done
    assert path.read_text() == TOKEN + "\n"
    assert undo(request_.config_dir, echo=lambda _: None, state_dir=request_.state_dir) == 0
    assert path.read_text() == other


def test_a_newer_token_of_its_tunnel_stays(request_: SetupRequest, here: Here) -> None:
    path = request_.credentials_dir / "tunnel-token"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(newer := token_of(TUNNEL, "cm90YXRlZA=="))
    attempt(request_, here)
    assert path.read_text() == newer


def token_of(tunnel: str, secret: str = "c2VjcmV0") -> str:
    return base64.b64encode(json.dumps({"a": "acc", "t": tunnel, "s": secret}).encode()).decode()


def test_the_record_holds_no_token(request_: SetupRequest, here: Here) -> None:
    attempt(request_, here)
    for path in request_.state_dir.iterdir():
        assert TOKEN not in path.read_text()


def test_with_an_api_token_the_tunnels_own_is_fetched_instead(plain: SetupRequest, here: Here) -> None:
    adoption = adopt(replace(plain, engine=replace(plain.engine, command=())), here)
    assert adoption.before == ()
    assert adoption.tunnel == TUNNEL
    assert [step.name.partition(" ")[0] for step in adoption.after] == ["file", "restart", "unit"]


def test_a_host_with_nothing_is_set_up_as_before(plain: SetupRequest, tmp_path: Path) -> None:
    adoption = adopt(plain, Here(tmp_path / "empty", Docker(tmp_path / "none")))
    assert (adoption.request, adoption.before, adoption.after, adoption.notes) == (plain, (), (), ())


def test_a_unit_that_is_named_and_not_there_is_told(request_: SetupRequest, here: Here) -> None:
    units = here.root / "etc/systemd/system"
    (units / "theirs.service").write_text(TEMPLATE)
    (units / "many@.service").write_text(TEMPLATE)
    made = here.root / "run/systemd/generator"
    made.mkdir(parents=True)
    (made / "quadlet.service").write_text(TEMPLATE)
    for unit, told in (
        ("nosuch.service", True),
        ("quadlet.service", False),
        ("theirs.service", False),
        ("many@1.service", False),
    ):
        engine = replace(request_.engine, unit=unit, url="http://127.0.0.1:8000")
        notes = adopt(replace(request_, engine=engine), here).notes
        missing = f"make {unit}, which is to run the engine: this host has no such unit"
        assert (missing in notes) is told, unit


def test_a_name_that_was_typed_wrong_has_the_right_one_beside_it(request_: SetupRequest, here: Here) -> None:
    (here.root / "etc/systemd/system/theirs.service").write_text(TEMPLATE)
    engine = replace(request_.engine, unit="thiers.service", url="http://127.0.0.1:8000")
    notes = adopt(replace(request_, engine=engine), here).notes
    assert any(note.endswith("no such unit; did you mean theirs.service?") for note in notes)
