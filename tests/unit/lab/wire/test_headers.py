import pytest

from inferagent.lab.wire.headers import pack, unpack


def test_packing_is_base64_without_padding():
    assert pack([(b"Server", b"llama.cpp"), (b"A", b"")]) == b"U2VydmVy:bGxhbWEuY3Bw;QQ:"


def test_what_is_packed_is_unpacked():
    pairs = [(b"Set-Cookie", b"a=1;b:2"), (b"Set-Cookie", b"c"), (b"X", bytes(range(256)))]
    assert unpack(pack(pairs)) == pairs


def test_nothing_is_nothing():
    assert unpack(b"") == [] == unpack(b";")


@pytest.mark.parametrize("broken", [b"QQ", b"QQ:Q", b"Q!:QQ", b"QQ:QQ:QQ"])
def test_what_is_not_packed_is_refused(broken):
    with pytest.raises(ValueError, match="cannot unpack"):
        unpack(broken)
