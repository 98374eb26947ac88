"""What a starting engine's processes have read, hold and burnt."""

import os

import pytest

from inferagent.adapters.engine.warmup import warmup


def test_the_sum_over_a_tree():
    found = warmup(os.getpid())
    assert found.memory_bytes > 1_000_000
    assert found.cpu_seconds > 0
    assert found.read_bytes > 0
    assert found.total == 0


def test_no_process_is_an_error():
    with pytest.raises(OSError, match="no process"):
        warmup(2**22 + 1)
