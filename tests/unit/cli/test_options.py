import click
import pytest

from inferagent.cli.options import drain_duration, duration, hold_duration, stop

CONTEXT = click.Context(click.Command("x"))
OPTION = click.Option(["--deadline"])


def test_a_duration_is_seconds():
    assert duration(CONTEXT, OPTION, "1m30s") == 90.0
    assert duration(CONTEXT, OPTION, None) is None


@pytest.mark.parametrize("text", ["", "90", "--1s", "off"])
def test_anything_else_is_a_usage_error(text):
    with pytest.raises(click.BadParameter, match="is no duration"):
        duration(CONTEXT, OPTION, text)


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (duration, "0s", '"0s" is too short: it must be longer than 0'),
        (duration, "-1m", '"-1m" is too short: it must be longer than 0'),
        (hold_duration, "500ms", '"500ms" is too short: at least 1s'),
        (hold_duration, "367d", '"367d" is too long: at most 366d'),
        (hold_duration, "9" * 400 + "d", "is too long: at most 366d"),
        (drain_duration, "25h", '"25h" is too long: at most 1d'),
    ],
)
def test_bounds_are_told(read, text, said):
    with pytest.raises(click.BadParameter) as caught:
        read(CONTEXT, OPTION, text)
    assert said in str(caught.value)


def test_a_bound_itself_is_within():
    assert hold_duration(CONTEXT, OPTION, "366d") == 366 * 86400.0
    assert drain_duration(CONTEXT, OPTION, "1d") == 86400.0


@pytest.mark.parametrize(
    ("cure", "text"), [("", "cannot go on\n"), ("do this", "cannot go on\n  → do this\n")]
)
def test_stop_says_why_and_what_to_do(capsys, cure, text):
    with pytest.raises(SystemExit) as caught:
        stop("cannot go on", cure, 78)
    assert caught.value.code == 78
    assert capsys.readouterr().err == text
