"""The runner of the host suites, without a host."""

import os

import pytest
from tests.hosts.__main__ import main, names, summary
from tests.hosts.base import NoHostsError, suite
from tests.hosts.suite import SKIPPED, outcome


def test_a_machine_without_the_tools_says_what_it_lacks(monkeypatch):
    monkeypatch.setenv("PATH", "")
    lacks = "no systemd-nspawn, mmdebstrap" if os.geteuid() == 0 else "only root"
    with pytest.raises(NoHostsError, match=lacks):
        suite()
    assert main(["files"]) == SKIPPED


def test_what_comes_of_a_suite():
    def missed() -> None:
        raise AssertionError("12 s are too many")

    def no_hosts() -> None:
        raise NoHostsError("only root can boot hosts")

    assert (outcome(lambda: None), outcome(missed), outcome(no_hosts)) == (0, 1, 77)


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ({"a": 0, "b": 77}, 0),
        ({"a": 77, "b": 77}, 77),
        ({"a": 0, "b": 77, "c": 1}, 1),
        ({"a": -9}, 1),
    ],
)
def test_the_summary_names_every_suite(capsys, codes, code):
    assert summary(codes) == code
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == list(codes)
    assert [line.split()[0] for line in lines if line.startswith("SKIPPED")] == ["SKIPPED"] * list(
        codes.values()
    ).count(77)


def test_the_suites_are_found_by_name():
    assert {"files", "kill", "away", "probe", "shutdown", "verbs", "bare", "groups", "devices"} <= set(
        names()
    )
    with pytest.raises(SystemExit):
        main(["no-such-suite"])
