import pytest

from inferagent.adapters.units.systemd_properties import SERVICE, UNIT, Properties, merge


def test_values_of_the_bus_are_understood():
    raw = {"InvocationID": bytes(15) + b"\x0a", "Job": [17, "/job/17"], "LoadError": ["name", "text"]}
    found = merge(Properties(), UNIT, {**raw, "StartLimitIntervalUSec": 10_000_000})
    assert found.invocation == "0" * 31 + "a"
    assert (found.job, found.load_error, found.window) == (17, "text", 10.0)


def test_what_is_of_no_interest_is_left_out():
    assert merge(Properties(), SERVICE, {"MemoryCurrent": 7, "ActiveState": "active"}) == Properties()


@pytest.mark.parametrize("empty", [b"", bytes(16), []])
def test_no_invocation_is_none(empty):
    assert merge(Properties(invocation="a"), UNIT, {"InvocationID": empty}).invocation == ""


@pytest.mark.parametrize(
    ("policy", "after"),
    [
        ("no", ()),
        ("always", ("success", "exit-code", "signal", "watchdog", "timeout")),
        ("on-success", ("success",)),
        ("on-failure", ("exit-code", "signal", "watchdog", "timeout")),
        ("on-abnormal", ("signal", "watchdog", "timeout")),
        ("on-abort", ("signal",)),
        ("on-watchdog", ("watchdog",)),
    ],
)
def test_what_restart_says(policy, after):
    results = ("success", "exit-code", "signal", "watchdog", "timeout")
    assert tuple(r for r in results if Properties(policy=policy, result=r).comes_again) == after


def test_rest_is_without_a_main_process():
    assert Properties().rests
    assert Properties(active="failed").rests
    assert not Properties(main=7).rests, "as 252 shows it at a start"
    assert not Properties(active="activating").rests
