import random

from inferagent.lab.connector.backoff import Backoff


def test_the_bound_doubles_to_its_end_and_starts_anew():
    backoff = Backoff(5, random.Random(0))
    bounds = []
    for _ in range(7):
        bounds.append(backoff.bound)
        assert 0 <= backoff.next() <= bounds[-1]
    assert bounds == [2, 4, 8, 16, 32, 32, 32]
    backoff.reset()
    assert backoff.bound == 2
