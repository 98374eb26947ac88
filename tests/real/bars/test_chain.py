"""A real program is never replaced in silence; what ran is named without a path."""

import asyncio
from pathlib import Path

import pytest
from tests.real.bars.chain import CURES, Chain, long, served, version_in
from tests.support import virtual
from tests.support.demo_fakes import FakeHost, FakeWorld

from inferagent.lab.demo.world import Timing

METRICS = '# TYPE build_info gauge\nbuild_info{goversion="go1.26",revision="",type="",version="2026.8.2"} 1\n'


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("CLOUDFLARED", "VLLM", "VLLM_MODEL", "OLLAMA"):
        monkeypatch.delenv(f"INFERAGENT_{name}", raising=False)
    monkeypatch.delenv("OLLAMA_MODELS", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))


def world(folder: Path) -> FakeWorld:
    made = FakeWorld()
    made.folder, made.timing = folder, Timing()
    made.info = {"edge": ["127.0.0.1:7844"], "cacert": "ca.pem", "public": "http://127.0.0.1:1"}
    made.info["zone_name"] = "example.com"
    return made


def test_a_missing_program_is_named_with_its_cure(tmp_path: Path) -> None:
    assert Chain().missing(tmp_path) == CURES
    assert Chain(stand_ins=True).missing(tmp_path) == {}


def test_a_host_of_real_programs_is_not_made_of_stand_ins(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="cannot measure killed with a real vLLM"):
        Chain().add(world(tmp_path), "killed", "vllm", 50)


@pytest.mark.parametrize("chain", [Chain(), Chain(stand_ins=True)])
def test_a_stand_in_that_was_asked_for_starts_quickly(chain: Chain, tmp_path: Path) -> None:
    host = chain.add(world(tmp_path), "other", "ollama", 20, stand_in=True)
    assert host.engine.environment["LAB_START_SECONDS"] == "0.5"
    assert host.engine.environment["OLLAMA_NUM_PARALLEL"] == "8"


def test_a_vllm_has_room_for_a_long_stream() -> None:
    assert long(("vllm", "serve", "--max-model-len", "1024", "-x"))[2:] == ("--max-model-len", "2048", "-x")
    assert long(("ollama", "serve")) == ("ollama", "serve")


def test_only_stand_ins_are_asked_for_every_token(tmp_path: Path) -> None:
    made = world(tmp_path)
    assert not Chain().traffic(made, [], 1.0).exact
    assert Chain(stand_ins=True).traffic(made, [], 1.0).exact


def test_the_version_stands_in_the_metrics() -> None:
    assert version_in(METRICS) == "2026.8.2"
    assert version_in("nothing of that sort") == "of an unknown version"


class Counting(FakeWorld):
    async def ask(self, method: str, path: str, body: object = None) -> object:
        if path == "/edge":
            return {"counters": {"requests": {"one": 7, "direct": 3}}}
        return await super().ask(method, path, body)


def test_the_edge_counts_what_it_sent_to_each_host() -> None:
    async def story() -> dict[str, int]:
        async with asyncio.timeout(10):
            return await served(Counting(FakeHost("one"), FakeHost("two")))

    assert virtual.run(story()) == {"one": 7, "two": 0}
