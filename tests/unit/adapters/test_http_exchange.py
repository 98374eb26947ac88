"""One exchange: what is sent, and an answer that is whole, breaks off, does not end, or is no HTTP."""

import asyncio
from pathlib import Path

import h11
import pytest

from inferagent.adapters.http_exchange import LARGEST, Answer, exchanged

ASKED = h11.Request(method="POST", target="/x", headers=[("Host", "a"), ("Content-Length", "2")])


async def ask(place: Path, said: bytes) -> tuple[Answer, bytes]:
    """The answer, and what the server heard."""
    heard = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.extend(await reader.readuntil(b"{}"))
        writer.write(said)
        writer.close()

    server = await asyncio.start_unix_server(serve, place)
    async with server, asyncio.timeout(10.0):
        reader, writer = await asyncio.open_unix_connection(str(place))
        try:
            return await exchanged(reader, writer, ASKED, b"{}"), bytes(heard)
        finally:
            writer.transport.abort()


async def test_a_question_and_its_whole_answer(tmp_path: Path) -> None:
    said = b"HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 201 Made\r\nContent-Length: 3\r\n\r\nabc"
    answer, heard = await ask(tmp_path / "s", said)
    assert answer == Answer(201, b"abc")
    assert heard.startswith(b"POST /x HTTP/1.1\r\n")
    assert heard.endswith(b"\r\n\r\n{}")


async def test_an_answer_that_does_not_end_is_broken_off(tmp_path: Path) -> None:
    found, _ = await ask(tmp_path / "s", b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (LARGEST + 1))
    assert (found.status, found.broken) == (200, "it does not end")


@pytest.mark.parametrize(
    "said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"]
)
async def test_what_is_no_http_or_is_cut_is_an_error(tmp_path: Path, said: bytes) -> None:
    with pytest.raises(h11.RemoteProtocolError):
        await ask(tmp_path / "s", said)
