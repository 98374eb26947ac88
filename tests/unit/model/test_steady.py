import pytest

from inferagent.model.steady import steady


@pytest.mark.parametrize(
    ("one", "later"),
    [
        ("no edge connection for 88 s", "no edge connection for 93 s"),
        ("draining, 3 in flight (tunnel 2, LAN 1)", "draining, 12 in flight (tunnel 11, LAN 1)"),
        ("the next try in 42 min", "the next try in 3 min"),
        ("out, warming: 0.1/40.1 GB", "out, warming: 12.4/40.1 GB, 38 MB/s, about 12 min"),
        ("warming: 3.1 GB read, 38 MB/s", "warming: 9.0 GB read, nothing has moved for 40 s"),
    ],
)
def test_ages_counts_and_progress_are_no_news(one, later):
    assert steady(one) == steady(later)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GPU 0 is lost", "GPU 1 is lost"),
        ("killed by signal 9", "killed by signal 11"),
        ("serving", "draining"),
        ("12.4/40.1 GB", "all 40.1 GB are read"),
    ],
)
def test_what_it_is_about_stays(one, other):
    assert steady(one) != steady(other)
