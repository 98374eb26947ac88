import pytest

from inferagent.adapters.units.systemd_ending import describe, gave_up
from inferagent.adapters.units.systemd_properties import Properties

EXITED, KILLED, DUMPED = 1, 2, 3


@pytest.mark.parametrize(
    ("code", "status", "result", "said"),
    [
        (0, 0, "success", ""),
        (EXITED, 0, "success", "exit code 0"),
        (EXITED, 1, "exit-code", "exit code 1"),
        (EXITED, 203, "exit-code", "exit code 203 (its program cannot be executed)"),
        (KILLED, 9, "signal", "killed by signal 9"),
        (KILLED, 15, "success", "killed by signal 15"),
        (KILLED, 9, "oom-kill", "killed by signal 9 (out of memory)"),
        (DUMPED, 6, "watchdog", "killed by signal 6 (its watchdog was not fed)"),
        (KILLED, 9, "timeout", "killed by signal 9 (it took too long)"),
        (EXITED, 0, "protocol", "exit code 0 (it did not say that it is ready)"),
        (0, 0, "resources", "cannot be started (resources)"),
    ],
)
def test_an_ending_in_words(code, status, result, said):
    assert describe(Properties(code=code, status=status, result=result)) == said


def test_a_limit_in_words():
    assert gave_up(Properties(burst=5, window=10.0), "exit code 3") == (
        "gave up after 5 starts in 10 s, the last: exit code 3"
    )
    assert gave_up(Properties(), "") == "gave up at the start limit"
