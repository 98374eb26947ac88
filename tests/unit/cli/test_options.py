import click
import pytest

from inferagent.cli.options import duration, stop

CONTEXT = click.Context(click.Command("x"))
OPTION = click.Option(["--deadline"])


def test_a_duration_is_seconds():
    assert duration(CONTEXT, OPTION, "1m30s") == 90.0
    assert duration(CONTEXT, OPTION, None) is None


@pytest.mark.parametrize("text", ["", "90", "-1s", "0s", "off"])
def test_anything_else_is_a_usage_error(text):
    with pytest.raises(click.BadParameter, match="is no duration"):
        duration(CONTEXT, OPTION, text)


@pytest.mark.parametrize(
    ("cure", "text"), [("", "cannot go on\n"), ("do this", "cannot go on\n  → do this\n")]
)
def test_stop_says_why_and_what_to_do(capsys, cure, text):
    with pytest.raises(SystemExit) as caught:
        stop("cannot go on", cure, 78)
    assert caught.value.code == 78
    assert capsys.readouterr().err == text
