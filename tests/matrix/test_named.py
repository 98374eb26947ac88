"""What a result says of the programs."""

from dataclasses import dataclass

from tests.matrix.named import named

from inferagent.lab.demo.programs import Connector, Engine


@dataclass
class Pair:
    """As much of a host as is asked."""

    engine: Engine
    connector: Connector


async def test_stand_ins_say_what_they_are():
    engine = Engine("vllm", "stand-in vLLM", False, ("x",), "chat")
    assert await named(Pair(engine, Connector("stand-in connector", False, ("y",)))) == [
        "stand-in vLLM",
        "stand-in connector",
    ]


async def test_a_real_one_is_named_with_its_version_and_no_path(tmp_path, monkeypatch):
    program = tmp_path / "cloudflared"
    program.write_text("#!/bin/sh\necho cloudflared version 2026.1.2\n")
    program.chmod(0o755)
    monkeypatch.setenv("INFERAGENT_CLOUDFLARED", str(program))
    engine = Engine("vllm", "stand-in vLLM", False, ("x",), "chat")
    said = await named(Pair(engine, Connector(f"real cloudflared ({program})", True, (str(program),))))
    assert said == ["stand-in vLLM", "real cloudflared 2026.1.2"]
