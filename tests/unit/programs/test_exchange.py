import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferagent.programs.exchange import answer_in

HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("raw", "code", "body"),
    [
        (HEAD + b"Content-Length: 2\r\n\r\n{}", 200, b"{}"),
        (b"HTTP/1.1 409 \r\ncontent-length:2\r\n\r\n{}more", 409, b"{}"),
        (b"HTTP/1.0 503 Service Unavailable\r\nA: b: c\r\nContent-Length: 0\r\n\r\n", 503, b""),
    ],
)
def test_an_answer(raw, code, body):
    assert answer_in(raw) == (code, body)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"hello\r\n\r\n",
        HEAD,
        HEAD + b"\r\n",
        HEAD + b"Content-Length: 3\r\n\r\n{}",
        HEAD + b"Content-Length: -1\r\n\r\n{}",
        HEAD + b"Content-Length: two\r\n\r\n{}",
        b"HTTP/1.1 two\r\nContent-Length: 0\r\n\r\n",
        b"SSH-2.0\r\n\r\n",
    ],
)
def test_what_is_no_whole_answer(raw):
    with pytest.raises(ValueError):
        answer_in(raw)


@given(st.binary(max_size=60))
def test_nothing_else_is_ever_raised(raw):
    try:
        code, body = answer_in(raw)
    except ValueError:
        return
    assert isinstance(code, int)
    assert isinstance(body, bytes)
