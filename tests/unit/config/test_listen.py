import pytest

from inferagent.config.listen import Listen


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("off", None),
        ("127.0.0.1:9479", ("127.0.0.1", 9479)),
        ("[::1]:9479", ("[::1]", 9479)),
        ("localhost:1", ("localhost", 1)),
    ],
)
def test_an_address_of_this_host_alone(written, read):
    assert Listen().parse(written) == read


@pytest.mark.parametrize(
    "written", ["", "on", "0.0.0.0:9479", "192.168.1.2:9479", "127.0.0.1", "127.0.0.1:0", 9479, False]
)
def test_what_others_could_reach_is_refused(written):
    with pytest.raises(ValueError, match=r"must (be|name) an address"):
        Listen().parse(written)
