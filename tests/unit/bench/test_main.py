import pytest
from tests.bench.__main__ import FIGURES, leaves, main, take
from tests.bench.bars import bars
from tests.bench.figures import count, spread


def test_every_figure_has_a_bar():
    assert {bar.figure for bar in bars(quick=False)} == set(FIGURES)


def test_an_unknown_figure_is_a_wrong_argument():
    with pytest.raises(SystemExit) as ended:
        main(["--only", "nothing"])
    assert ended.value.code == 2


async def two(folder, quick):
    return [count("drain_failed", 0, [0], {}), count("drain_requests", 5, [5], {})]


async def broken(folder, quick):
    raise TimeoutError("host-1 serves: not within 180 s")


async def one(folder, quick):
    return [spread("hang_to_out_s", [1.0 if quick else 2.0], {"folder": folder.name})]


async def test_a_measurement_of_two_figures_runs_once(tmp_path, capsys):
    table = {"drain_failed": two, "drain_requests": two}
    figures, whole = await take(table, ["drain_failed", "drain_requests"], tmp_path, True)
    assert whole
    assert [figure.name for figure in figures] == ["drain_failed", "drain_requests"]
    assert len(capsys.readouterr().out.splitlines()) == 2


async def test_one_that_breaks_off_is_said_and_the_others_go_on(tmp_path, capsys):
    figures, whole = await take({"a": broken, "b": one}, ["a", "b"], tmp_path, False)
    assert not whole
    assert [figure.value for figure in figures] == [2.0]
    assert figures[0].conditions["folder"] == "b"
    assert "a broke off: host-1 serves: not within 180 s" in capsys.readouterr().err


def test_every_error_of_a_group_is_found():
    inner = ExceptionGroup("inner", [OSError("b"), ValueError("c")])
    assert [str(error) for error in leaves(ExceptionGroup("outer", [TimeoutError("a"), inner]))] == [
        "a",
        "b",
        "c",
    ]
