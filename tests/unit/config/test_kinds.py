from pathlib import Path

import pytest

from inferagent.config import kinds
from inferagent.model.desired import Mode

URL = kinds.Url(("http",))
DURATION = kinds.Duration(1, 60)

GOOD = [
    (DURATION, "10s", 10.0),
    (kinds.Duration(1, 60, off=True), "off", None),
    (kinds.Whole(1, 5), 5, 5),
    (kinds.Flag(), True, True),
    (kinds.Choice(Mode), "act", Mode.ACT),
    (kinds.Text("[a-z]+", "letters"), "abc", "abc"),
    (URL, "http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
    (URL, "http://192.168.1.4:8000", "http://192.168.1.4:8000"),
    (kinds.Url(("https",), path=True), "https://api.example.com/v4", "https://api.example.com/v4"),
    (kinds.Address(), "127.0.0.1:1", ("127.0.0.1", 1)),
    (kinds.Address(), "[::1]:20241", ("[::1]", 20241)),
    (URL, "http://[::1]:8000", "http://[::1]:8000"),
    (URL, "http://xn--bcher-kva.example", "http://xn--bcher-kva.example"),
    (URL, "http://a_b:1", "http://a_b:1"),
    (kinds.Folder(), "/var/lib", Path("/var/lib")),
    (kinds.Argv(), ["a", "b c"], ("a", "b c")),
    (kinds.Pairs(0, "pairs"), {"a": "1"}, (("a", "1"),)),
    (kinds.Gpus(), "all", None),
    (kinds.Gpus(), [1, 0], (1, 0)),
]

BAD = [
    (DURATION, "off", "a duration"),
    (DURATION, 10, "not 10"),
    (DURATION, True, "not true"),
    (DURATION, "61s", 'between "1s" and "1m"'),
    (DURATION, "10ms", 'between "1s" and "1m"'),
    (kinds.Whole(1, 5), 6, "between 1 and 5"),
    (kinds.Whole(1, 5), 0, "between 1 and 5"),
    (kinds.Whole(1, 5), 2.0, "whole number"),
    (kinds.Whole(0, 1), True, "whole number"),
    (kinds.Flag(), "yes", "true or false"),
    (kinds.Flag(), 1, "true or false"),
    (kinds.Choice(Mode), "atc", '"observe", "act"'),
    (kinds.Text("[a-z]+", "letters"), "aB", "must be letters"),
    (URL, "https://127.0.0.1:1", "http://"),
    (URL, "http://", "a URL"),
    (URL, "http://h:99999", "a URL"),
    (URL, "http://h:0", "a URL"),
    (URL, "http://h:1/v1", "ends after the port"),
    (URL, "http://h:1?x", "ends after the port"),
    (URL, "http://h h:1", "a URL"),
    (URL, "http://[::1:1", "a URL"),
    (URL, "http://0.0.0.0:8000", "write 127.0.0.1"),
    (URL, "http://[::]:8000", "write 127.0.0.1"),
    (URL, "http://me:pw@h:1", "user or a password"),
    (URL, 3, "a URL"),
    (kinds.Address(), "127.0.0.1", "an address"),
    (kinds.Address(), "127.0.0.1:70000", "an address"),
    (kinds.Address(), "0.0.0.0:20241", "write 127.0.0.1"),
    (kinds.Address(), "[::]:20241", "write 127.0.0.1"),
    (kinds.Address(), "[:]:20241", "an address"),
    (kinds.Address(), "127.0.0.1:٢", "an address"),
    (kinds.Address(), "1127.0.0.1:20241", "an address"),
    (URL, "http://10.0.0.256:1", "a URL"),
    (URL, "http://h\0", "a URL"),
    (URL, "http://h\x7f", "a URL"),
    (URL, "http://[v1.x]", "a URL"),
    (URL, "http://[::1]]:8000", "a URL"),
    (URL, "http://x[::1]:8000", "a URL"),
    (URL, "http://[fe80::1%25eth0]", "a URL"),
    (URL, "http://é.example", "a URL"),
    (URL, "http://xn--zzzzzz", "a URL"),
    (DURATION, "١٠s", "a duration"),
    (kinds.Whole(0, 1), 16**600, "not a huge number"),
    (kinds.Gpus(), "٢", "GPU numbers"),
    (kinds.Pairs(0, "pairs", variables=True), {"A=B": "1"}, "the name of a variable"),
    (kinds.Pairs(0, "pairs", variables=True), {"A\0": "1"}, "the name of a variable"),
    (kinds.Folder(), "var", "absolute"),
    (kinds.Argv(), "a b", "a list of texts"),
    (kinds.Argv(), [], "a list of texts"),
    (kinds.Argv(), [""], "a list of texts"),
    (kinds.Argv(), ["a", 1], "a list of texts"),
    (kinds.Argv(), ["a\0b"], "a list of texts"),
    (kinds.Pairs(1, "pairs"), {}, "must be pairs"),
    (kinds.Pairs(0, "pairs"), {"a": 1}, '"a" is 1'),
    (kinds.Gpus(), "0,2", "GPU numbers"),
    (kinds.Gpus(), "some", "GPU numbers"),
    (kinds.Gpus(), [-1], "GPU numbers"),
    (kinds.Gpus(), [True], "GPU numbers"),
    (kinds.Gpus(), [1, 1], "twice"),
]


@pytest.mark.parametrize(("kind", "value", "ready"), GOOD)
def test_a_good_value_is_made_ready(kind, value, ready):
    assert kind.parse(value) == ready


@pytest.mark.parametrize(("kind", "value", "says"), BAD)
def test_a_bad_value_is_refused_in_words(kind, value, says):
    with pytest.raises(ValueError, match=r"^must ") as caught:
        kind.parse(value)
    assert says in str(caught.value)


def test_a_long_text_may_be_a_secret_and_is_not_repeated():
    with pytest.raises(ValueError) as caught:
        DURATION.parse("s3cr3t" * 7)
    assert "s3cr3t" not in str(caught.value)
    assert "a text of 42 characters" in str(caught.value)
