"""What strikes a serving vLLM, and what looks like a fault of it and is none."""

import aiohttp
from tests.matrix.crowd import Crowd, LongPrompt, bounded
from tests.matrix.fault import Fault, fault
from tests.matrix.faults.common import born, events, family, found, given, stop_all
from tests.matrix.stage import Stage

from inferagent.lab.demo.host import Host
from inferagent.lab.processes import Process, kill
from inferagent.lab.traffic_judge import mixed

CORE = "VLLM::EngineCor"  # as much of its name as the kernel keeps
ROUNDED = 0.2  # seconds: what events tell of times
USERS, QUEUED = 40, 4
PATIENT = 60.0  # seconds that users of a busy engine wait
CHUNK = 8  # tokens of a prompt that the real one reads in a step, so that a long prompt takes long
WORDS = {"stand-in": 4000, "real": 1300}
READ_SECONDS = 12  # of a prompt so long, more than any bound of a hang in the matrix


@fault("vllm-kill-core")
class KillCore(Fault):
    """The server says so for a moment, then ends with exit code 0."""

    async def strike(self, stage: Stage) -> None:
        kill((await found(lambda: the_core(stage.host), "an EngineCore")).pid)


@fault("vllm-quick-restart")
class QuickRestart(Fault):
    """Dead and back between two looks at it, which the row puts far apart."""

    async def before(self, stage: Stage) -> None:
        given(stage.host, LAB_START_SECONDS="0")

    async def strike(self, stage: Stage) -> None:
        stage.host.kill_engine()

    async def check(self, stage: Stage) -> list[str]:
        """What let it in again is an answer of the new life."""
        begun = born(stage.host.pid("engine"))
        joins = [one for one in events(stage.host) if (one["kind"], one["phase"]) == ("phase", "joining")]
        ground = joins[-1]["evidence"]
        asked = joins[-1]["at"] - ground["generation_age"]
        right = len(joins) > 1 and ground["generation"] == "ok" and asked >= begun - ROUNDED
        return [] if right else [f"it joined on {ground}, {asked - begun:.1f} s after the engine's start"]


@fault("vllm-saturated")
class Saturated(Fault):
    """Several dozen users for four places: whoever comes now waits longer than a generation may take."""

    async def before(self, stage: Stage) -> None:
        given(stage.host, "--max-num-seqs", "4")
        kinds = bounded(mixed(0.5, 100, 120), PATIENT)
        stage.traffic = Crowd.of(stage.traffic, USERS, kinds)

    async def strike(self, stage: Stage) -> None:
        await stage.until(lambda: self._queued(stage), f"{QUEUED} requests wait in the engine")

    async def check(self, stage: Stage) -> list[str]:
        """Users who ask in step leave the queue empty for a moment: one look may fall into it."""
        await stage.until(lambda: self._queued(stage), "the queue is full to the end", 5.0)
        return []

    async def _queued(self, stage: Stage) -> bool:
        return await metric(stage.host, "vllm:num_requests_waiting") >= QUEUED


@fault("vllm-long-prefill")
class LongPrefill(Fault):
    """Prompts that take longer to read than a hang may last; no token of theirs is made meanwhile."""

    async def before(self, stage: Stage) -> None:
        words = WORDS["real" if stage.host.engine.real else "stand-in"]
        chunks = ("--max-model-len", "8192", "--max-num-batched-tokens", str(CHUNK))
        lab = {"LAB_PREFILL_SECONDS": str(READ_SECONDS), "LAB_PREFILL_TOKENS": str(words)}
        given(stage.host, *chunks, **lab)
        long = LongPrompt("long", "/v1/completions", True, 4, PATIENT, words=words)
        stage.traffic = Crowd.of(stage.traffic, 2, [long])

    async def strike(self, stage: Stage) -> None:
        """Every user's request is the fault."""


@fault("vllm-metrics-off")
class MetricsOff(Fault):
    async def before(self, stage: Stage) -> None:
        given(stage.host, "--disable-log-stats")

    async def strike(self, stage: Stage) -> None:
        assert not await metrics(stage.host), "the engine has metrics"


@fault("vllm-metrics-off-stopped")
class MetricsOffStopped(MetricsOff):
    async def strike(self, stage: Stage) -> None:
        await super().strike(stage)
        stop_all(stage.host)


def the_core(host: Host) -> Process | None:
    return next((one for one in family(host) if one.name == CORE), None)


async def metrics(host: Host) -> str:
    """The text of the engine's /metrics, past what the agent sees of it."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{host.engine_port}/metrics") as answer,
    ):
        text = await answer.text()
    return "\n".join(line for line in text.splitlines() if line.startswith("vllm:"))


async def metric(host: Host, name: str) -> float:
    """Summed over its labels; 0 where there is none."""
    lines = [line for line in (await metrics(host)).splitlines() if line.startswith(f"{name}{{")]
    return sum(float(line.rpartition(" ")[2]) for line in lines)
