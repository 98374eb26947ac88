import json

import pytest
from tests.bench.figures import count, spread
from tests.real.bars import __main__ as program
from tests.real.bars.bars import bars

FIGURES = {
    "drains_done",
    "drains_failed",
    "drains_requests",
    "load_failed",
    "load_concurrent",
    "load_drains",
    "kill_out_s",
    "hang_out_vllm_s",
    "hang_out_ollama_s",
}


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    for name in ("CLOUDFLARED", "VLLM", "VLLM_MODEL", "OLLAMA"):
        monkeypatch.delenv(f"INFERAGENT_{name}", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))


async def two(chain, folder, quick):
    control = {"vllm": {"failed": 1}, "ollama": {"failed": 3}}
    return [
        count("drains_failed", 0, [0], {"seed": chain.seed}, {"sigterm_without_a_drain": control}),
        count("drains_requests", 5 if quick else 5000, [5], {}),
    ]


def test_every_figure_has_a_bar_and_the_protocols_have_none():
    assert {bar.figure for bar in bars(quick=False)} == FIGURES


def test_what_cannot_be_had_is_skipped_by_name_in_the_last_line(capsys):
    assert program.main(["--only", "drains", "--only", "quic"]) == 77
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith("skipped 2: drains, quic, for want of vllm: name it by INFERAGENT_VLLM")


def test_figures_are_lines_and_a_missed_bar_shows_in_the_exit_code(capsys):
    measures = {"drains": two}
    assert program.main(["--only", "drains", "--stand-ins", "--seed", "9"], measures) == 0
    first, *_ = capsys.readouterr().out.splitlines()
    assert json.loads(first)["conditions"] == {"seed": 9}
    assert program.main(["--only", "drains", "--stand-ins", "--quick"], measures) == 1
    assert "MISSED drains_requests: at least 60" in capsys.readouterr().out


def test_a_control_in_which_nothing_fails_proves_nothing():
    bar = next(bar for bar in bars(False) if "SIGTERM" in bar.text)
    nothing = {"sigterm_without_a_drain": {"vllm": {"failed": 0}, "ollama": {"failed": 3}}}
    assert not bar.holds(count("drains_failed", 0, [0], {}, nothing))


def test_trials_that_are_not_out_in_time_miss_the_bar():
    bar = next(bar for bar in bars(False) if bar.text.startswith("all out, 20"))
    assert bar.holds(spread("kill_out_s", [0.1] * 20, {"not_out_in_time": 0}))
    assert not bar.holds(spread("kill_out_s", [0.1] * 20, {"not_out_in_time": 1}))
    assert not bar.holds(spread("kill_out_s", [0.1] * 19, {"not_out_in_time": 0}))
