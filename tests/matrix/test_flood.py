"""The flood connects, sends half a request, and does not mind who listens."""

import asyncio
import socket
import sys
from pathlib import Path

from tests.matrix import flood
from tests.support.scenario import until

from inferagent.lab.processes import Program


def test_a_knock_brings_half_a_request(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        assert flood.knock(str(tmp_path / "nobody")) is None
        listener.bind(str(tmp_path / "s"))
        listener.listen(0)
        caller = flood.knock(str(tmp_path / "s"))
        assert caller is not None
        heard, _ = listener.accept()
        assert heard.recv(1000) == flood.HALF
        caller.close()
        heard.close()


async def test_it_goes_on_and_counts(tmp_path):
    ended = []

    async def receive(reader, writer):
        ended.append(await reader.read())
        writer.close()

    async def counted():
        return len(ended) >= 20 and int((tmp_path / "log").read_text().split()[-1]) >= 25

    async with await asyncio.start_unix_server(receive, tmp_path / "s"):
        argv = [sys.executable, str(Path(flood.__file__)), str(tmp_path / "s"), "--held", "5"]
        program = await Program.start(argv, {}, tmp_path / "log")
        try:
            await until(counted, "a count of 25 connections", 10)
        finally:
            await program.end()
    assert set(ended[:20]) == {flood.HALF}
