"""Checks of engine, models and GPUs, on looks that the clinic does not give."""

import pytest
from tests.support.doctoring import configured, judged

from inferagent.model.engine import EngineLook, Generation, Load, Outcome
from inferagent.model.gpu import Gpu, GpuReport
from inferagent.model.kernel import KernelFault, KernelLook
from inferagent.model.reading import Failed, NotAvailable, Value
from inferagent.programs.doctor.looks_engine import ENGINE, GENERATION, GPUS, KERNEL, LOADED_ENGINE
from inferagent.programs.doctor.looks_here import STANDING, STATUS


def look(**fields):
    return EngineLook(**{"accepts": Value(True, 0.0), "load": Value(Load(0, 0), 0.0), **fields})


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ({"label": "held", "root_code": "held"}, "unknown"),
        ({"label": "parked", "root_code": "parked"}, "unknown"),
        ({"label": "parked", "root_code": "engine-degraded"}, "fail"),
    ],
)
def test_an_engine_that_was_stopped_on_purpose_cannot_be_told(tmp_path, status, verdict):
    given = {ENGINE: look(accepts=Value(False, 0.0)), STATUS: {**status, "sentence": "lent until 18:00"}}
    result = judged("engine.port", configured(tmp_path), given)
    said = "lent until 18:00" in result.outcome.evidence
    assert (result.verdict, said) == (verdict, verdict == "unknown")


def test_the_agent_may_know_why_nothing_listens(tmp_path):
    given = {ENGINE: look(accepts=Value(False, 0.0)), STATUS: {"engine": {"state": "start-limit-hit"}}}
    assert "start-limit-hit" in judged("engine.port", configured(tmp_path), given).outcome.evidence


@pytest.mark.parametrize("accepts", [Value(True, 0.0), Failed("cannot reach it", 0.0)])
def test_a_port_that_another_program_has(tmp_path, accepts):
    """Whatever answers there, the agent knows whose it is."""
    says = {"root_code": "port-taken", "root_cause": "port 8000 belongs to another program", "cure": "ss"}
    result = judged("engine.port", configured(tmp_path), {ENGINE: look(accepts=accepts), STATUS: says})
    assert (result.verdict, result.outcome.evidence) == ("fail", says["root_cause"])
    assert result.outcome.cure == "ss"


def test_a_port_that_cannot_be_reached(tmp_path):
    given = {ENGINE: look(accepts=Failed("cannot reach it", 0.0))}
    assert judged("engine.port", configured(tmp_path), given).verdict == "fail"


@pytest.mark.parametrize(("load", "verdict"), [(Value(Load(0, 0), 0.0), "ok"), (NotAvailable(0.0), "warn")])
def test_whether_vllm_counts(tmp_path, load, verdict):
    assert judged("engine.counts", configured(tmp_path), {ENGINE: look(load=load)}).verdict == verdict


@pytest.mark.parametrize(
    ("outcome", "verdict", "cure"),
    [
        (Outcome.OK, "ok", ""),
        (Outcome.BUSY, "warn", "another host"),
        (Outcome.UNANSWERED, "fail", "--deadline"),
        (Outcome.WRONG, "fail", "log"),
    ],
)
def test_answers(tmp_path, outcome, verdict, cure):
    given = {GENERATION: Generation(outcome, 1.0, 2.0, "chat: why")}
    result = judged("engine.answer", configured(tmp_path), given)
    assert (result.verdict, cure in result.outcome.cure) == (verdict, True)


@pytest.mark.parametrize(
    ("kind", "models", "verdict", "cure"),
    [
        ("vllm", Value(frozenset({"chat"}), 0.0), "ok", ""),
        ("vllm", Value(frozenset({"x"}), 0.0), "fail", "vllm serve Qwen/Qwen3-8B --served-model-name chat"),
        (
            "ollama",
            Value(frozenset(), 0.0),
            "fail",
            "ollama pull Qwen/Qwen3-8B && ollama cp Qwen/Qwen3-8B chat",
        ),
        ("vllm", Failed("cannot list them", 0.0), "unknown", ""),
        ("vllm", NotAvailable(0.0), "unknown", ""),
    ],
)
def test_models(tmp_path, kind, models, verdict, cure):
    result = judged("model.listed", configured(tmp_path, kind), {ENGINE: look(models=models)})
    assert (result.verdict, result.outcome.cure) == (verdict, cure)


def test_ollama_on_the_cpu(tmp_path):
    given = {LOADED_ENGINE: look(degraded="model chat runs on the CPU")}
    assert judged("engine.gpu", configured(tmp_path, "ollama"), given).verdict == "warn"
    assert judged("engine.gpu", configured(tmp_path), given).verdict == "skipped"


def report(*gpus, on_bus=None, stuck=""):
    return GpuReport(gpus, NotAvailable(0.0) if on_bus is None else Value(on_bus, 0.0), "550", stuck)


L4 = Gpu(0, "u", "NVIDIA L4")


@pytest.mark.parametrize(
    ("found", "verdict", "words"),
    [
        (report(L4), "ok", "NVIDIA L4"),
        (report(L4, stuck="GPU 0 does not answer its driver"), "fail", "does not answer"),
        (report(Gpu(1, "u", "L4", fault="reset-required")), "fail", "GPU 1 reset required"),
        (report(L4, on_bus=2), "fail", "the driver knows 1"),
        (report(on_bus=0), "ok", "none"),
    ],
)
def test_gpus(tmp_path, found, verdict, words):
    result = judged("gpu.report", configured(tmp_path), {GPUS: found})
    assert (result.verdict, words in result.outcome.evidence) == (verdict, True)


def test_a_gpu_that_the_configuration_wants_and_nobody_has(tmp_path):
    direction = configured(tmp_path)
    file = direction.folder / "config.toml"
    file.write_text(file.read_text().replace('kind = "vllm"', 'kind = "vllm"\ngpus = [0, 3]'))
    assert "GPU 3" in judged("gpu.report", direction, {GPUS: report(L4)}).outcome.evidence


def test_a_kernel_line_that_only_informs_is_no_fault(tmp_path):
    line = KernelFault("0000:01:00", "xid", "had an error", "", "XID 43", 1.0, "12:00", 1.0, "12:00", 1)
    given = {KERNEL: KernelLook((line,))}
    assert judged("gpu.kernel", configured(tmp_path), given).verdict == "ok"


def test_who_starts_the_engine_where_the_agent_only_observes(tmp_path):
    direction = configured(tmp_path)
    file = direction.folder / "config.toml"
    text = file.read_text().replace('mode = "act"', 'mode = "observe"')
    given = {ENGINE: look(accepts=Value(False, 0.0))}
    file.write_text(text)
    cure = judged("engine.port", direction, given).outcome.cure
    assert "start it yourself" in cure
    assert cure.endswith('mode = "act" in config.toml, then sudo systemctl restart inferagent')
    file.write_text(text.replace('command = ["vllm", "serve"]', 'unit = "vllm.service"'))
    assert judged("engine.port", direction, given).outcome.cure == "sudo systemctl restart vllm.service"


FELL = KernelFault(
    "0000:01:00", "lost", "fell off", "reboot", "XID 79", 1.0, "12:00", 1.0, "12:00", 1, 1, "GPU-1"
)


@pytest.mark.parametrize(
    ("standing", "verdict"),
    [
        ((), "ok"),
        (({"gpu": "GPU-0", "index": 0, "pci": "0000:02:00"},), "ok"),
        (({"gpu": "GPU-1", "index": None, "pci": ""},), "fail"),
        (({"gpu": "x", "index": 1, "pci": ""},), "fail"),
        (({"gpu": "x", "index": None, "pci": "0000:01:00"},), "fail"),
        (({"nonsense": []},), "ok"),
        (({"gpu": [], "pci": {}},), "ok"),
        (None, "fail"),
    ],
)
def test_a_fault_that_was_cleared_is_none(tmp_path, standing, verdict):
    """Where the agent does not answer, the kernel's word counts."""
    given = {KERNEL: KernelLook((FELL,))} | ({} if standing is None else {STANDING: standing})
    assert judged("gpu.kernel", configured(tmp_path), given).verdict == verdict
