"""Looks at the engine: its port, who may reach that, its models, one real generation; and at the GPUs."""

from urllib.parse import urlsplit

from inferagent.adapters.clock import BootClock
from inferagent.adapters.engine.ollama import OllamaEngine
from inferagent.adapters.engine.vllm import VllmEngine
from inferagent.adapters.gpu.report import GpuReportFile
from inferagent.adapters.hops.listeners import listening
from inferagent.model.desired import EngineKind
from inferagent.model.engine import EngineLook, Generation
from inferagent.model.gpu import GpuReport
from inferagent.model.kernel import KernelLook
from inferagent.model.reading import Failed, NotAvailable, Reading, T
from inferagent.programs.doctor.looks_config import loaded, settings
from inferagent.programs.doctor.sight import Look, Sight
from inferagent.programs.doctor.verdict import CannotTellError, NotHereError

LONGEST = 600.0
Engine = VllmEngine | OllamaEngine


async def _engine(sight: Sight) -> Engine:
    """The agent's own adapter; nobody here knows the engine's processes, which only progress would need."""
    config = (await settings(sight)).only_engine
    names, clock = tuple(public for public, _ in config.serves), BootClock()
    engine: Engine
    if config.kind is EngineKind.VLLM:
        engine = VllmEngine(config.url, names, clock=clock, pid=lambda: 0, incarnation=str)
    else:
        engine = OllamaEngine(
            config.url,
            names,
            clock=clock,
            pid=lambda: 0,
            incarnation=str,
            connector=lambda: 0,
            wants_gpu=lambda: config.gpus is None or bool(config.gpus),
        )
    sight.at_end(engine.aclose)
    return engine


ENGINE_PORT = Look("open the engine", _engine)


async def _seen(sight: Sight) -> EngineLook:
    return await (await sight.see(ENGINE_PORT)).look()


ENGINE = Look("look at the engine", _seen)


async def _generation(sight: Sight) -> Generation:
    return await (await sight.see(ENGINE_PORT)).generate(max(0.5, sight.left() - 0.3))


GENERATION = Look("ask the engine", _generation, LONGEST)


async def _after(sight: Sight) -> EngineLook:
    """Once more, with the model loaded."""
    await sight.see(GENERATION)
    return await (await sight.see(ENGINE_PORT)).look()


LOADED_ENGINE = Look("look at the loaded engine", _after, LONGEST)


async def _open(sight: Sight) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What listens on this host, by part: only an engine or connector that is here."""
    config, proc = await settings(sight), sight.direction.root / "proc"
    engine, (host, port) = urlsplit(config.only_engine.url), config.connector.metrics
    places = [("the engine", engine.hostname or "", engine.port or 80), ("cloudflared's metrics", host, port)]
    here = [(name, port) for name, host, port in places if host in ("127.0.0.1", "localhost", "::1", "[::1]")]
    return tuple((name, listening(port, proc)) for name, port in here)


LISTENING = Look("see who may reach the ports", _open)


async def _report(sight: Sight) -> GpuReport:
    return _value(await GpuReportFile((await loaded(sight)).agent.run, BootClock()).look())


GPUS = Look("read the GPUs", _report)


async def _kernel(sight: Sight) -> KernelLook:
    return _value(GpuReportFile((await loaded(sight)).agent.run, BootClock()).kernel())


KERNEL = Look("read what the kernel says of the GPUs", _kernel)


def _value(reading: Reading[T]) -> T:
    if isinstance(reading, NotAvailable):
        raise NotHereError("this host has no GPU that can be read")
    if isinstance(reading, Failed):
        raise CannotTellError(reading.reason, "sudo systemctl restart inferagent-probe")
    return reading.value
