"""Deeds that end, fail, and hang."""

import threading
import time

import pytest

from inferagent.adapters.disk import Disk
from inferagent.ports import PortError


def test_a_deed_is_done_when_it_returns():
    done = []
    Disk("x").do(lambda: done.append(1))
    assert done == [1]


@pytest.mark.parametrize("error", [OSError(28, "no space left"), PortError("cannot save")])
def test_its_error_is_the_callers(error):
    def fail():
        raise error

    with pytest.raises(type(error)) as caught:
        Disk("x").do(fail)
    assert caught.value is error


def test_one_that_hangs_costs_the_bound_once_and_then_nothing():
    go, disk, begun = threading.Event(), Disk("x", 1.0), []

    def hang():
        begun.append(1)
        go.wait(10)

    with pytest.raises(TimeoutError, match=r"does not answer within 1(.0)? s"):
        disk.do(hang)
    before = time.monotonic()
    with pytest.raises(TimeoutError, match="still has not answered"):
        disk.do(hang)
    assert time.monotonic() - before < 0.9
    assert begun == [1]
    (thread,) = [one for one in threading.enumerate() if one.name == "writes x"]
    assert thread.daemon  # an exit does not wait for it either
    go.set()
    thread.join(10)
    disk.do(lambda: begun.append(2))
    assert begun == [1, 2]
