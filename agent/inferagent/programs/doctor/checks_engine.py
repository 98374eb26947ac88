"""Checks of the engine, its models and the GPUs."""

from inferagent.adapters.hops.listeners import is_open
from inferagent.config.settings import Engine, Settings
from inferagent.model.desired import EngineKind, Mode
from inferagent.model.engine import Generation
from inferagent.model.engine import Outcome as Came
from inferagent.model.gpu import GpuReport
from inferagent.model.kernel import KernelFault
from inferagent.model.reading import Failed, known
from inferagent.policy.judge_port import CODE as PORT_TAKEN
from inferagent.programs.doctor.looks_config import settings
from inferagent.programs.doctor.looks_engine import (
    ENGINE,
    GENERATION,
    GPUS,
    KERNEL,
    LISTENING,
    LOADED_ENGINE,
)
from inferagent.programs.doctor.looks_here import STANDING, STATUS
from inferagent.programs.doctor.sight import Sight
from inferagent.programs.doctor.values import Object, listed, mapping, text
from inferagent.programs.doctor.verdict import (
    Check,
    Hop,
    NotHereError,
    Outcome,
    fail,
    ok,
    skipped,
    unknown,
    warn,
)

RESTART = "sudo systemctl restart inferagent"
BOUND = {
    EngineKind.OLLAMA: "OLLAMA_HOST=127.0.0.1:PORT (sudo systemctl edit ollama)",
    EngineKind.VLLM: "vllm serve --host 127.0.0.1",
}


def restart(config: Settings) -> str:
    unit = config.only_engine.unit
    if unit:
        return f"sudo systemctl restart {unit}"
    if config.mode is Mode.OBSERVE:
        return 'the agent only observes: start it yourself; or mode = "act" in config.toml, then ' + RESTART
    return f"inferagent status; {RESTART}"


async def port(sight: Sight) -> Outcome:
    config, look = await settings(sight), await sight.see(ENGINE)
    url = config.only_engine.url
    status = mapping(await sight.try_see(STATUS))
    if text(status, "root_code") == PORT_TAKEN:
        return fail(text(status, "root_cause"), text(status, "cure"))
    if isinstance(look.accepts, Failed):
        return fail(f"cannot reach the engine: {look.accepts.reason}", restart(config))
    if known(look.accepts):
        return ok(f"{url} answers")
    # A check or an engine that is degraded parks a host as well, and stops nothing.
    if text(status, "label") == "held" or text(status, "root_code") == "parked":
        return unknown(
            f"the engine is stopped on purpose: {text(status, 'sentence')}", "inferagent resume, then doctor"
        )
    why = text(mapping(status.get("engine")), "state")
    return fail(f"nothing listens at {url}" + (f" (the agent says: {why})" if why else ""), restart(config))


async def exposed(sight: Sight) -> Outcome:
    """Whoever reaches the port needs no key and passes by Access, the edge and every limit."""
    kind = (await settings(sight)).only_engine.kind
    found = {name: [a for a in addresses if is_open(a)] for name, addresses in await sight.see(LISTENING)}
    if found.get("the engine"):
        return warn(
            f"the engine listens on {listed(found['the engine'])}: the network may use it past the tunnel",
            f"{BOUND[kind]}, or shut its port in the firewall",
        )
    other = next((name for name, addresses in found.items() if addresses), "")
    if other:
        return warn(f"{other} can be reached from other hosts", "bind it to 127.0.0.1 (TUNNEL_METRICS)")
    return ok("open to this host alone")


async def counts(sight: Sight) -> Outcome:
    """Without counters a hang has no second witness."""
    if (await settings(sight)).only_engine.kind is not EngineKind.VLLM:
        return skipped("Ollama counts nothing")
    look = await sight.see(ENGINE)
    if known(look.load) is None:
        return warn("vLLM counts nothing: a hang is not seen", "start vllm without --disable-log-stats")
    return ok("vLLM counts its requests")


async def answer(sight: Sight) -> Outcome:
    config, came = await settings(sight), await sight.see(GENERATION)
    if came.outcome is Came.OK:
        return ok(f"a token of {_names(config.only_engine)} after {came.ended - came.begun:.1f} s")
    if came.outcome is Came.BUSY:
        return warn(f"saturated: {came.detail}", "inferagent status; another host, or a smaller model")
    return _no_answer(config, came)


def _no_answer(config: Settings, came: Generation) -> Outcome:
    if came.outcome is Came.UNANSWERED:
        return fail(
            f"the engine does not answer: {came.detail}",
            f"is the model still loading? doctor --deadline 3m; else {restart(config)}",
        )
    return fail(f"the engine answers wrongly: {came.detail}", f"{restart(config)}; its log says why")


def _names(engine: Engine) -> str:
    return listed([public for public, _ in engine.serves])


async def models(sight: Sight) -> Outcome:
    engine, look = (await settings(sight)).only_engine, await sight.see(ENGINE)
    there = known(look.models)
    if there is None:
        reason = look.models.reason if isinstance(look.models, Failed) else "it lists none"
        return unknown(f"cannot list the engine's models: {reason}")
    missing = [(public, own) for public, own in engine.serves if public not in there]
    if missing:
        names = listed([public for public, _ in missing])
        return fail(
            f"the engine has no model {names}, and this host promises it; it has {listed(sorted(there))}",
            _supply(engine, missing[0]),
        )
    return ok(f"{_names(engine)} is there")


def _supply(engine: Engine, missing: tuple[str, str]) -> str:
    public, own = missing
    if engine.kind is EngineKind.VLLM:
        return f"vllm serve {own} --served-model-name {public}"
    return f"ollama pull {own}" + (f" && ollama cp {own} {public}" if own != public else "")


async def on_gpu(sight: Sight) -> Outcome:
    """An engine that lost its GPU answers on, slowly."""
    config = await settings(sight)
    if config.only_engine.kind is not EngineKind.OLLAMA:
        return skipped("vLLM does not run without its GPU")
    if config.only_engine.gpus == ():
        return skipped("no GPU is expected")
    bad = (await sight.see(LOADED_ENGINE)).degraded
    if bad:
        return warn(bad, f"{restart(config)} (after sudo modprobe -r nvidia_uvm && sudo modprobe nvidia_uvm)")
    return ok("what is loaded is on the GPU")


async def gpus(sight: Sight) -> Outcome:
    report = await sight.see(GPUS)
    if report.stuck:
        return fail(report.stuck, "sudo systemctl reboot, once drained; what holds the driver?")
    ill = [f"GPU {gpu.index} {gpu.fault.replace('-', ' ')}" for gpu in report.gpus if gpu.fault]
    if ill:
        return fail(listed(ill), "inferagent fault list; sudo systemctl reboot")
    return _counted(report, (await settings(sight)).only_engine.gpus)


def _counted(report: GpuReport, wanted: tuple[int, ...] | None) -> Outcome:
    """One that vanishes gives no error; only the bus still counts it."""
    there, on_bus = [gpu.index for gpu in report.gpus], known(report.pci_count)
    if on_bus is not None and len(there) < on_bus:
        return fail(f"{on_bus} GPUs are on the bus, the driver knows {len(there)}", "sudo systemctl reboot")
    missing = [str(index) for index in wanted or () if index not in there]
    if missing:
        return fail(f"the configuration uses GPU {listed(missing)}, which is not there", "gpus in [[engine]]")
    names = listed([gpu.name for gpu in report.gpus]) if there else "none"
    return ok(f"{len(there)}: {names}")


async def kernel(sight: Sight) -> Outcome:
    try:
        seen = await sight.see(KERNEL)
    except NotHereError:
        return skipped("this host has no GPU that can be read")
    if seen.mismatch:
        return fail(seen.mismatch, "sudo systemctl reboot, before the engine starts next")
    standing = await sight.try_see(STANDING)
    ill = [fault for fault in seen.faults if fault.cure and (standing is None or _stands(fault, standing))]
    if ill:
        first = ill[0]
        where = f"GPU {first.index}" if first.index is not None else first.pci
        cure = "sudo systemctl reboot" if first.cure == "reboot" else "inferagent fault list"
        return fail(f"{where} {first.words} ({first.evidence}, {first.clock})", cure)
    return ok("the kernel complains of no GPU, driver and library fit")


def _stands(fault: KernelFault, standing: tuple[Object, ...]) -> bool:
    """The agent keeps one fault of a GPU, under any of its names."""
    names = {fault.uuid, fault.pci} - {""}
    return any(
        {text(row, "gpu"), text(row, "pci")} & names
        or (fault.index is not None and row.get("index") == fault.index)
        for row in standing
    )


UP = ("engine.port",)
CHECKS = (
    Check("engine.port", Hop.ENGINE, "it answers", port, ("config.valid",)),
    Check("engine.exposed", Hop.ENGINE, "it is open to this host alone", exposed, UP),
    Check("engine.counts", Hop.ENGINE, "it counts its requests", counts, UP),
    Check("model.listed", Hop.MODEL, "it has what this host promises", models, UP),
    Check(
        "engine.answer", Hop.ENGINE, "one real answer from itself", answer, ("engine.port", "model.listed")
    ),
    Check(
        "engine.gpu", Hop.ENGINE, "it runs on the GPU", on_gpu, ("engine.answer", "gpu.report", "gpu.kernel")
    ),
)
GPU_CHECKS = (
    Check("gpu.report", Hop.GPU, "the GPUs are well", gpus, ("config.valid", "gpu.kernel")),
    Check("gpu.kernel", Hop.GPU, "so says the kernel", kernel, ("config.valid",)),
)
