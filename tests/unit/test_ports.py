"""PortError says whether a retry can help."""

from inferagent.ports import PortError


def test_an_error_carries_what_the_caller_needs() -> None:
    error = PortError("cannot write the pool: 429", retry_after=30.0)
    assert (str(error), error.retry_after, error.refused) == ("cannot write the pool: 429", 30.0, False)
    assert PortError("cannot write the pool: 403", refused=True).refused
