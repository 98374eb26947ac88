"""The metrics of many states: by convention (promtool, where it is there), and true to the document."""

import asyncio
import re
import shutil
import subprocess
from dataclasses import replace

import pytest
from tests.golden.files import STATES
from tests.support.agent import Agent
from tests.support.virtual import run

from inferagent.model.phase import Label, Phase
from inferagent.model.status import Status
from inferagent.ports import PortError
from inferagent.runtime.board import Board
from inferagent.runtime.counters import Counters
from inferagent.runtime.metrics import Metrics, of_status

PROMTOOL = shutil.which("promtool")


def metrics(document: Status | None) -> str:
    return Metrics(lambda: document, lambda: 0, Board(lambda: None)).text()


def value(text: str, series: str) -> float | None:
    found = re.search(rf"^inferagent_{re.escape(series)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else None


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
@pytest.mark.parametrize("name", ["serving", "waiting-gpu-lost", "warming-progress", "just-started"])
def test_promtool_finds_nothing(name: str) -> None:
    text = metrics(STATES[name].document())
    done = subprocess.run(
        [str(PROMTOOL), "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("name", STATES)
def test_every_state_has_one_phase_and_at_most_one_label(name: str) -> None:
    document = STATES[name].document()
    text = metrics(document)
    phases = {phase: value(text, f'phase{{phase="{phase}"}}') for phase in Phase}
    assert phases == {phase: float(phase == document.phase) for phase in Phase}
    labels = {label: value(text, f'label{{label="{label}"}}') for label in Label}
    assert labels == {label: float(label == document.label) for label in Label}
    assert value(text, "as_intended") == float(document.exit_code == 0)
    series = [line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")]
    assert len(series) == len(set(series)), "each series once"


def test_the_numbers_are_those_of_the_document() -> None:
    text = metrics(STATES["serving"].document())
    assert value(text, 'requests_in_flight{via="tunnel"}') == 1
    assert value(text, 'requests_in_flight{via="lan"}') == 1
    assert (value(text, "pool_member"), value(text, "pool_reading_age_seconds")) == (1, 3)
    assert (value(text, "edge_connections"), value(text, "ready"), value(text, "held")) == (4, 1, 0)
    gpu = '{gpu="0",uuid="GPU-0",name="NVIDIA L4"}'
    assert value(text, f"gpu_memory_used_bytes{gpu}") == 18e9
    assert value(text, f"gpu_utilization_ratio{gpu}") == 0.03
    assert value(text, "phase_since_timestamp_seconds") == 1795345531
    assert 'inferagent_up_info{version="' in text


def test_what_is_unknown_is_not_told() -> None:
    text = metrics(STATES["just-started"].document())
    for name in ("pool_member", "pool_reading_age_seconds", "edge_connections", "root_cause", "gpu_healthy"):
        assert f"inferagent_{name}" not in text


def test_a_fault_and_its_findings_are_told() -> None:
    text = metrics(STATES["waiting-gpu-lost"].document())
    assert value(text, 'root_cause{code="gpu-lost",component="gpu"}') == 1
    assert value(text, 'finding{code="gpu-lost",component="gpu",health="unhealthy"}') == 1
    assert value(text, 'gpu_healthy{gpu="1",uuid="GPU-1",name="NVIDIA L4"}') == 0


def test_two_findings_of_one_code_are_one_series() -> None:
    document = STATES["waiting-gpu-lost"].document()
    twice = replace(document, findings=document.findings * 2)
    assert list(of_status(twice)) == list(of_status(document))


def test_a_load_is_told_while_it_lasts() -> None:
    text = metrics(STATES["warming-progress"].document())
    assert (value(text, "warming_read_bytes"), value(text, "warming_size_bytes")) == (12.4e9, 40.1e9)


def test_before_the_first_tick_there_is_nothing_to_tell() -> None:
    with pytest.raises(PortError, match="just started"):
        metrics(None)


def test_a_running_agent_counts_its_ticks_and_its_failed_looks() -> None:
    async def story() -> str:
        agent, counters = Agent(), Counters()
        agent.loop.record = counters.tick
        own = Metrics(agent.loop.status, lambda: agent.loop.bugs, agent.board, counters)
        agent.pool.lost = True
        async with agent.running(40):
            agent.pool.lost = False
            return own.text()

    text = run(story())
    assert (value(text, "ticks_total") or 0) > 5
    assert (value(text, 'probe_failures_total{probe="membership"}') or 0) >= 2
    assert value(text, 'probe_failures_total{probe="engine"}') == 0
    assert value(text, "tick_failures_total") == 0


def test_its_tasks_are_told_where_there_are_any() -> None:
    async def story() -> str:
        async with asyncio.TaskGroup() as group:
            others = [group.create_task(asyncio.sleep(60)) for _ in range(3)]
            text = metrics(STATES["serving"].document())
            for other in others:
                other.cancel()
        return text

    assert value(run(story()), "tasks") == 4
    assert "inferagent_tasks" not in metrics(STATES["serving"].document())
