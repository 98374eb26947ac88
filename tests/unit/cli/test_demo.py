"""`inferagent demo`: its help needs no extra, a wrong argument is a usage error."""

from click.testing import CliRunner

from inferagent.cli.demo import demo


def test_help_needs_nothing_of_the_lab() -> None:
    shown = CliRunner().invoke(demo, ["--help"])
    assert shown.exit_code == 0
    assert "--keep DIR" in shown.output


def test_a_wrong_argument_is_2() -> None:
    assert CliRunner().invoke(demo, ["--nonsense"]).exit_code == 2
