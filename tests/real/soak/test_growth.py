"""Growth is told by the last life alone, and by medians: neither a peak nor an earlier life counts."""

from tests.real.soak.growth import LEAST, SETTLED, by_minute, growths, last_life
from tests.real.soak.measure import Sample


def life(numbers: list[float], measure: str = "private", pid: int = 7, begun: float = 0.0) -> list[Sample]:
    return [
        Sample(begun + 10 * place, "agent", pid, {measure: number}) for place, number in enumerate(numbers)
    ]


def steady(first: float, last: float, count: int = 30) -> list[float]:
    settled = [first] * int(SETTLED / 10)
    return settled + [first] * (count // 2) + [last] * (count // 2)


def grown(samples: list[Sample]) -> list[str]:
    return [one.measure for one in growths(samples) if one.grown]


def test_more_memory_in_the_last_third_is_growth() -> None:
    assert grown(life(steady(40.0, 40.0))) == []
    assert grown(life(steady(40.0, 42.9))) == []
    assert grown(life(steady(40.0, 43.1))) == ["private"]


def test_counts_may_differ_by_a_few() -> None:
    for measure, few in (("descriptors", 2), ("threads", 4), ("tasks", 2), ("children", 1)):
        assert grown(life(steady(20, 20 + few), measure)) == []
        assert grown(life(steady(20, 21 + few), measure)) == [measure]


def test_a_peak_is_no_growth_and_is_told() -> None:
    numbers = steady(40.0, 40.0)
    numbers[-1] = 90.0
    (found,) = growths(life(numbers))
    assert not found.grown
    assert found.most == 90.0
    assert "most 90.0" in found.line()


def test_shared_memory_is_told_and_not_judged() -> None:
    (found,) = growths(life(steady(40.0, 80.0), "pss"))
    assert not found.grown
    assert (found.first, found.last) == (40.0, 80.0)


def test_only_the_last_life_counts_without_its_beginning() -> None:
    earlier = life([90.0] * 20, pid=5)
    later = life([10.0] * 6 + [40.0] * 20, begun=1000.0)
    kept = last_life([*earlier, *later])
    assert {(sample.pid, sample.numbers["private"]) for sample in kept} == {(7, 40.0)}
    assert last_life([]) == []


def test_the_minutes_of_the_last_life_are_told() -> None:
    samples = [*life([90.0] * 20, pid=5), *life([40.0] * 6 + [42.0] * 5 + [99.0], begun=1000.0)]
    assert by_minute(samples, "agent", "private") == [40.0, 42.0]
    assert by_minute(samples, "agent", "tasks") == []


def test_of_a_short_life_nothing_is_said() -> None:
    assert growths(life([40.0] * (int(SETTLED / 10) + LEAST - 1))) == []
