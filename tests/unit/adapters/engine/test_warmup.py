"""What a starting engine's processes have read, hold and burnt."""

import os

import pytest

from inferagent.adapters.engine.warmup import warmup


def test_the_sum_over_a_tree():
    found = warmup(os.getpid())
    assert found.memory_bytes > 1_000_000
    assert found.cpu_seconds > 0
    assert found.read_bytes > 0
    assert (found.total, warmup(os.getpid(), 7).total) == (0, 7)
    assert found.loaded >= max(found.read_bytes, found.memory_bytes)


def test_no_process_is_an_error():
    with pytest.raises(OSError, match="no process"):
        warmup(2**22 + 1)
