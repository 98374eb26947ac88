"""What goes wrong while vLLM starts, and a start that is only slow."""

import json
import signal
import sys
import tomllib

import tomlkit
from tests.matrix.fault import Fault, fault
from tests.matrix.faults.common import StartScript, found, given, stop_all
from tests.matrix.proxy import listens
from tests.matrix.stage import Stage

from inferagent.lab.demo.programs import PUBLIC_NAME
from inferagent.lab.processes import Program, below, kill

OTHER = "another"


@fault("vllm-slow-start")
class SlowStart(Fault):
    waits_for_serving = False

    async def before(self, stage: Stage) -> None:
        given(stage.host, LAB_START_SECONDS="25")

    async def strike(self, stage: Stage) -> None:
        """It is slow by itself."""


@fault("vllm-stuck-start")
class StuckStart(Fault):
    """Stopped while it boots: its children are there, its port is not."""

    waits_for_serving = False

    async def before(self, stage: Stage) -> None:
        given(stage.host, LAB_START_SECONDS="6")

    async def strike(self, stage: Stage) -> None:
        host = stage.host
        await host.start_agent()
        await found(lambda: next(iter(below(host.pid("engine"))), None), "a booting engine", stage.patience)
        assert not await listens(host.engine_port), "the engine has started already"
        stop_all(host)


class Misnamed(Fault):
    """The engine serves other names than the configuration promises, until the operator starts it right."""

    waits_for_serving = False
    served: tuple[str, ...] = (PUBLIC_NAME,)

    async def before(self, stage: Stage) -> None:
        self.right = stage.host.engine.command
        self.script = StartScript.of(stage.host)
        self.script.says(serving(self.right, self.served))

    async def strike(self, stage: Stage) -> None:
        await stage.host.start_agent()
        await accepts(stage)

    async def heal(self, stage: Stage) -> None:
        self.script.says(self.right)
        kill(stage.host.pid("engine"), signal.SIGTERM)


@fault("vllm-wrong-model")
class WrongModel(Misnamed):
    served = (OTHER,)


@fault("vllm-one-of-two-models")
class OneOfTwo(Misnamed):
    async def before(self, stage: Stage) -> None:
        await super().before(stage)
        self.right = serving(self.right, (PUBLIC_NAME, OTHER))

    async def start(self, stage: Stage) -> None:
        """The configuration promises one more model than setup was told of."""
        host = stage.host
        engine = tomllib.loads((host.config / "config.toml").read_text())["engine"][0]
        engine["serves"] = {PUBLIC_NAME: PUBLIC_NAME, OTHER: OTHER}
        (host.config / "conf.d").mkdir(exist_ok=True)
        (host.config / "conf.d" / "two.toml").write_text(tomlkit.dumps({"engine": [engine]}))


@fault("port-taken")
class PortTaken(Fault):
    """Another program's web server has the port when the engine starts, which then ends with exit code 1."""

    waits_for_serving = False

    async def strike(self, stage: Stage) -> None:
        host = stage.host
        where = (str(host.engine_port), "--bind", "127.0.0.1", "--directory", str(host.folder))
        command = [sys.executable, "-m", "http.server", *where]
        self.foreign = await Program.start(command, {}, host.folder / "foreign.log")
        stage.endings.push_async_callback(self.foreign.end)
        await host.start_agent()

        async def ended() -> bool:
            record = host.run / "units" / "engine.json"
            return record.exists() and bool(json.loads(record.read_text())["exit"])

        await stage.until(ended, "an engine that cannot listen ends", stage.patience)

    async def heal(self, stage: Stage) -> None:
        await self.foreign.end()


def serving(command: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    """The same command with other names for its model."""
    at = command.index("--served-model-name") + 1
    return (*command[:at], *names, *command[at + 1 :])


async def accepts(stage: Stage) -> None:
    """Until the port of the engine, or of what stands before it, takes connections."""
    host = stage.host

    async def holds() -> bool:
        return await listens(host.engine_port)

    await stage.until(holds, f"{host.name}'s engine listens", stage.patience)
