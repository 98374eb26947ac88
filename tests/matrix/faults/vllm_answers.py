"""What an engine's port says wrongly, or differently: a proxy of ours stands before vLLM."""

import re

from tests.matrix.fault import Fault, fault
from tests.matrix.faults.vllm_start import accepts
from tests.matrix.proxy import Answer, Proxy
from tests.matrix.stage import Stage

from inferagent.lab.demo.world import free_ports
from inferagent.lab.processes import kill

NAMES_KEPT = ("vllm:num_requests_running", "vllm:num_requests_waiting")
JSON = "application/json"
ERROR = b'{"error":{"message":"CUDA error: illegal access","type":"InternalServerError","code":500}}'
FAILS: Answer = (500, JSON, ERROR)
GARBAGE: Answer = (200, "text/html", b"<html><body>It works!</body></html>")
EMPTY: Answer = (200, JSON, b'{"object":"chat.completion","choices":[],"usage":{"completion_tokens":0}}')


class Proxied(Fault):
    """The engine's URL in the configuration is that of a proxy before it."""

    async def before(self, stage: Stage) -> None:
        host = stage.host
        engine_port, host.engine_port = host.engine_port, free_ports(1)[0]
        self.proxy = Proxy(host.engine_port, engine_port)
        await stage.endings.enter_async_context(self.proxy.running())


@fault("vllm-metrics-renamed")
class MetricsRenamed(Proxied):
    """A release that calls everything by another name but the requests in it."""

    kept: tuple[str, ...] = NAMES_KEPT

    async def strike(self, stage: Stage) -> None:
        self.proxy.metrics = lambda text: renamed(text, self.kept)


@fault("vllm-all-metrics-renamed")
class AllMetricsRenamed(MetricsRenamed):
    kept = ()


class Answers(Proxied):
    """Every generation is answered with the same, whatever /metrics and /health say."""

    answer: Answer = FAILS

    async def strike(self, stage: Stage) -> None:
        self.proxy.generations = self.answer

    async def heal(self, stage: Stage) -> None:
        self.proxy.generations = None


@fault("vllm-answers-500")
class AnswersError(Answers):
    pass


@fault("vllm-answers-garbage")
class AnswersGarbage(Answers):
    answer = GARBAGE


class AnswersFromStart(Answers):
    waits_for_serving = False

    async def strike(self, stage: Stage) -> None:
        await super().strike(stage)
        await stage.host.start_agent()
        await accepts(stage)


@fault("vllm-starts-with-500")
class StartsWithError(AnswersFromStart):
    pass


@fault("vllm-starts-empty")
class StartsEmpty(AnswersFromStart):
    answer = EMPTY


@fault("vllm-dies-when-asked")
class DiesWhenAsked(Proxied):
    """Its worker dies of every generation, as of an instruction that the processor does not know."""

    waits_for_serving = False

    async def strike(self, stage: Stage) -> None:
        host = stage.host
        self.proxy.asked = lambda: kill(worker.pid if (worker := host.worker()) else 0)
        await host.start_agent()
        await accepts(stage)

    async def heal(self, stage: Stage) -> None:
        self.proxy.asked = None


def renamed(text: str, kept: tuple[str, ...] = ()) -> str:
    """Each metric under a name that nobody knows, but for those that are kept."""
    return re.sub(
        r"vllm:[a-z_0-9]+", lambda name: name[0] if name[0] in kept else f"vllm:new_{name[0][5:]}_seen", text
    )
