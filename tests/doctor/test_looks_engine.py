"""The engine and the GPUs, as doctor looks at them."""

import pytest
from tests.support.doctoring import configured, judged

from inferagent.adapters.clock import BootClock
from inferagent.adapters.gpu.leave import ReportWriter
from inferagent.model.engine import EngineLook
from inferagent.model.reading import NotAvailable, Value
from inferagent.programs.doctor.looks_engine import ENGINE, LISTENING

UP = {ENGINE: EngineLook(accepts=Value(True, 0.0))}


def test_no_report_of_the_probe(tmp_path):
    found = judged("gpu.report", configured(tmp_path))
    assert (found.verdict, found.outcome.cure) == ("unknown", "sudo systemctl restart inferagent-probe")


def test_a_host_without_a_gpu(tmp_path):
    (tmp_path / "run").mkdir()
    ReportWriter(tmp_path / "run", BootClock(), 5.0).report(NotAvailable(BootClock().now()))
    for name in ("gpu.report",):
        assert judged(name, configured(tmp_path)).verdict == "skipped"


def test_an_engine_on_another_host_is_not_looked_for_here(tmp_path):
    direction = configured(tmp_path)
    file = direction.folder / "config.toml"
    file.write_text(file.read_text().replace("127.0.0.1:8000", "192.0.2.7:8000"))
    net = direction.root / "proc/net"
    net.mkdir(parents=True)
    (net / "tcp").write_text("head\n0: 00000000:1F40 x 0A 0\n")
    assert judged("engine.exposed", direction, UP).verdict == "ok"


@pytest.mark.parametrize(
    ("kind", "part", "verdict"),
    [
        ("vllm", "the engine", "warn"),
        ("ollama", "the engine", "warn"),
        ("vllm", "cloudflared's metrics", "warn"),
    ],
)
def test_who_is_open(tmp_path, kind, part, verdict):
    given = {**UP, LISTENING: ((part, ("0.0.0.0",)),)}
    found = judged("engine.exposed", configured(tmp_path, kind), given)
    assert (found.verdict, "127.0.0.1" in found.outcome.cure) == (verdict, True)
