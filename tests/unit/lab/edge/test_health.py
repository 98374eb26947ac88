import pytest

from inferagent.lab.edge.health import Health, Look

GOOD, BAD = Look(ok=True, rtt=0.01, code=200), Look(ok=False, reason="HTTP timeout occurred")


def seen(health, *looks, centre="A", up_after=1, down_after=1, address="t"):
    for look in looks:
        health.record("p", address, centre, look, up_after=up_after, down_after=down_after)
    return health.verdict("p", address)


def test_what_nobody_looked_at_is_unknown_and_unknown_is_down():
    health = Health(("A",))
    assert health.verdict("p", "t") is None
    assert not health.is_up("p", "t")


@pytest.mark.parametrize(
    ("looks", "verdict"),
    [
        ([GOOD], None),
        ([GOOD, GOOD], True),
        ([GOOD, BAD, GOOD], None),
        ([BAD, BAD], None),
        ([BAD, BAD, BAD], False),
        ([GOOD, GOOD, BAD, BAD], True),
        ([GOOD, GOOD, BAD, BAD, BAD], False),
        ([BAD, BAD, BAD, GOOD], False),
        ([BAD, BAD, BAD, GOOD, GOOD], True),
    ],
)
def test_consecutive_counts(looks, verdict):
    assert seen(Health(("A",)), *looks, up_after=2, down_after=3) is verdict


def test_counts_of_zero_mean_one():
    assert seen(Health(("A",)), GOOD, up_after=0, down_after=0) is True


def test_the_majority_of_data_centres_decides():
    health = Health(("A", "B", "C"))
    assert seen(health, GOOD, centre="A") is None
    assert seen(health, GOOD, centre="B") is True
    assert seen(health, BAD, centre="C") is True
    assert seen(health, BAD, centre="B") is False


def test_half_is_no_majority():
    health = Health(("A", "B"))
    assert seen(health, GOOD, centre="A") is None
    assert seen(health, GOOD, centre="B") is True
    assert seen(health, BAD, centre="B") is False


def test_forget_makes_unknown_but_keeps_what_is_named():
    health = Health(("A",))
    seen(health, GOOD, address="t1")
    seen(health, GOOD, address="t2")
    health.forget("p", keep=frozenset({"t2"}))
    assert (health.verdict("p", "t1"), health.verdict("p", "t2")) == (None, True)
    health.forget("other")
    assert health.is_up("p", "t2")


def test_detail_is_by_address():
    health = Health(("A",))
    seen(health, GOOD, address="t1")
    seen(health, BAD, address="t2")
    assert health.detail("p")["t1"] == {
        "healthy": True,
        "rtt": "10.0ms",
        "failure_reason": "No failures",
        "response_code": 200,
    }
    assert health.detail("p")["t2"]["failure_reason"] == "HTTP timeout occurred"
    assert health.detail("q") == {}
