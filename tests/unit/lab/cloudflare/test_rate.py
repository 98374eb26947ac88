from typing import Any

from inferagent.lab.cloudflare.rate import RateLimit
from inferagent.lab.cloudflare.settings import Settings

SETTINGS = Settings(rate_limit=3, rate_window_s=300, rate_block_s=300)


def counted(limit: RateLimit, times: int, user: str = "u") -> list[float]:
    return [limit.count(user) for _ in range(times)]


def test_past_the_limit_every_call_is_refused_for_the_whole_block(api: Any) -> None:
    limit = RateLimit(SETTINGS, api.clock)
    assert counted(limit, 4) == [0, 0, 0, 300]
    api.clock.time += 299
    assert counted(limit, 1) == [1]
    api.clock.time += 1
    assert counted(limit, 1) == [0]


def test_calls_in_the_block_do_not_lengthen_it(api: Any) -> None:
    limit = RateLimit(SETTINGS, api.clock)
    counted(limit, 10)
    api.clock.time += 300
    assert counted(limit, 3) == [0, 0, 0]


def test_old_calls_leave_the_window(api: Any) -> None:
    limit = RateLimit(SETTINGS, api.clock)
    for _ in range(10):
        assert limit.count("u") == 0
        api.clock.time += 100


def test_users_do_not_share_the_limit(api: Any) -> None:
    limit = RateLimit(SETTINGS, api.clock)
    counted(limit, 4, "one")
    assert counted(limit, 3, "two") == [0, 0, 0]


def test_the_published_numbers_are_the_default(api: Any) -> None:
    limit = RateLimit(Settings(), api.clock)
    assert counted(limit, 1201)[-2:] == [0, 300]
