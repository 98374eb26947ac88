import pytest

from inferagent.model.gpu import place


@pytest.mark.parametrize(
    ("address", "known"),
    [
        ("00000000:01:00.0", "0000:01:00"),
        ("0000:01:00.0", "0000:01:00"),
        ("0000:01:00", "0000:01:00"),
        ("01:00.0", "0000:01:00"),
        ("0001:C1:0A.0", "0001:c1:0a"),
        (" 0000:01:00 ", "0000:01:00"),
        ("00010000:01:00.0", "10000:01:00"),
    ],
)
def test_an_address_is_the_same_however_it_is_written(address, known):
    assert place(address) == known


@pytest.mark.parametrize(
    "text", ["", "GPU-1", "1", "0000:01", "0000:01:00.00", "0000:01:00 and more", "g:01:00"]
)
def test_anything_else_is_none(text):
    assert place(text) == ""
