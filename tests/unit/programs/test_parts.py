"""Which adapters a configuration makes, and what it cannot make."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.agent_process import OWN_POOL, PULL, SleepyHost, sleepy_host
from tests.support.build import gpus
from tests.support.fake_verbs import FakeVerbs

from inferagent.adapters.cloudflare.own_pool import OwnPool
from inferagent.adapters.engine.ollama import OllamaEngine
from inferagent.adapters.engine.vllm import VllmEngine
from inferagent.adapters.membership_pull import PullMembership
from inferagent.adapters.membership_replica import ReplicaMembership
from inferagent.adapters.units.child import ChildUnit
from inferagent.adapters.units.systemd import SystemdUnit
from inferagent.config.load import Loaded, load
from inferagent.config.secrets import Secret, SecretError, write_secret
from inferagent.config.settings import Settings
from inferagent.model.gpu import GpuReport
from inferagent.model.reading import Value
from inferagent.model.tunnel import ConnectorLook, Ingress, IngressRule
from inferagent.model.unit import Part
from inferagent.programs.parts import Parts, engine_address, grace, make, users_host, wants_gpu
from inferagent.runtime.board import Board


@pytest.fixture
def host(tmp_path: Path) -> Iterator[SleepyHost]:
    with sleepy_host(tmp_path) as made:
        yield made


def loaded(host: SleepyHost) -> tuple[Loaded, Settings]:
    found = load(host.config)
    assert found.settings is not None
    return found, found.settings


def parts(host: SleepyHost) -> Parts:
    return make(*loaded(host), Board(lambda: None))


def edit(host: SleepyHost, old: str, new: str) -> None:
    path = host.config / "config.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def give_token(host: SleepyHost) -> None:
    write_secret("cloudflare-api-token", host.config, Secret("a-token"))


@pytest.mark.parametrize(
    ("membership", "kind"),
    [(PULL, PullMembership), ('kind = "replica"', ReplicaMembership), (OWN_POOL, OwnPool)],
)
async def test_each_membership_has_its_port(host: SleepyHost, membership: str, kind: type) -> None:
    host.configure(membership)
    give_token(host)
    assert isinstance(parts(host).membership, kind)


async def test_units_are_children_in_the_runtime_folder(host: SleepyHost) -> None:
    host.configure()
    units = parts(host).units
    assert set(units) == {Part.ENGINE, Part.CONNECTOR}
    for part, unit in units.items():
        assert isinstance(unit, ChildUnit)
        assert unit.log == host.run / "units" / f"{part.value}.log"


@pytest.mark.parametrize(("kind", "adapter"), [("vllm", VllmEngine), ("ollama", OllamaEngine)])
async def test_each_engine_has_its_port(host: SleepyHost, kind: str, adapter: type) -> None:
    host.configure()
    edit(host, 'kind = "vllm"', f'kind = "{kind}"')
    assert isinstance(parts(host).engine, adapter)


def test_a_gpu_is_wanted_where_one_is_named_or_seen() -> None:
    board = Board(lambda: None)
    assert [wants_gpu(gpus, board) for gpus in (None, (), (0,))] == [False, False, True]
    board.gpus = Value(GpuReport(()), 1.0)
    assert not wants_gpu(None, board)
    board.gpus = Value(gpus(1), 1.0)
    assert [wants_gpu(named, board) for named in (None, (), (0,))] == [True, False, True]


def test_users_come_by_the_name_that_the_connector_gives_them() -> None:
    board, ready = Board(lambda: None), IngressRule("a.example.com", "^/ready$", "http://127.0.0.1:1")
    assert users_host("a.example.com", board) == ""
    for given, name in (("localhost", "localhost"), ("", "a.example.com")):
        rules = (ready, IngressRule("a.example.com", "", "http://127.0.0.1:2", given))
        board.connector = Value(ConnectorLook(ingress=Value(Ingress(1, rules), 1.0)), 1.0)
        assert users_host("a.example.com", board) == name
        assert users_host("b.example.com", board) == ""


async def test_an_own_pool_without_a_token_is_refused_with_the_cure(host: SleepyHost) -> None:
    host.configure(OWN_POOL)
    with pytest.raises(SecretError, match="cannot find the credential cloudflare-api-token") as refused:
        parts(host)
    assert refused.value.cure == "sudo inferagent setup"


async def test_a_tunnel_token_that_lies_open_is_refused(host: SleepyHost) -> None:
    host.configure()
    path = write_secret("tunnel-token", host.config, Secret("e30="))
    path.chmod(0o640)
    with pytest.raises(SecretError, match="lets others of this host read it"):
        parts(host)


@pytest.mark.parametrize("part", list(Part))
async def test_a_unit_of_systemd_is_left_to_systemd(host: SleepyHost, part: Part) -> None:
    unit = 'unit = "some.service"'
    host.configure(**({"engine_runs": unit} if part is Part.ENGINE else {}))
    if part is Part.CONNECTOR:
        edit(host, 'command = ["/bin/sh", "-c", "exec sleep 300"]\nmetrics', f"{unit}\nmetrics")
    units = parts(host).units
    assert isinstance(units[part], SystemdUnit)
    assert sum(isinstance(each, ChildUnit) for each in units.values()) == 1


async def test_the_verb_sockets_may_be_elsewhere(
    host: SleepyHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.configure(engine_runs='unit = "some.service"')
    async with FakeVerbs(tmp_path / "verbs") as verbs:
        monkeypatch.setenv("INFERAGENT_VERBS", str(verbs.folder))
        await parts(host).units[Part.ENGINE].start()
        assert verbs.asked == ["engine-start"]


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:11434", ("127.0.0.1", 11434)),
        ("http://localhost", ("localhost", 80)),
        ("http://[::1]:8000", ("::1", 8000)),
    ],
)
def test_the_engines_address(host: SleepyHost, url: str, address: tuple[str, int]) -> None:
    host.configure()
    path = host.config / "config.toml"
    lines = [f'url = "{url}"' if line.startswith("url") else line for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines))
    assert engine_address(loaded(host)[1]) == address


def test_a_connector_is_given_its_whole_grace_before_it_is_killed() -> None:
    assert grace({}) == 30.0
    assert grace({"TUNNEL_GRACE_PERIOD": "2m"}) == 120.0
    assert grace({"TUNNEL_GRACE_PERIOD": "soon"}) == 180.0
