"""What the programs of this host say, read from real ones and from such that say anything."""

import asyncio
import os
import time

import pytest
from tests.support.clinic import Clinic
from tests.support.doctoring import configured, judged

from inferagent.programs.doctor.looks_here import ASKED, CONNECTOR, READY, STANDING, STATUS
from inferagent.programs.doctor.sight import Sight


def seen(clinic: Clinic, look):
    async def deed():
        async with asyncio.TaskGroup() as group:
            return await Sight(clinic.direction, group).see(look)

    return clinic.do(deed())


def test_the_connector_as_it_is(clinic):
    found = seen(clinic, CONNECTOR)
    assert found.connections == 2
    assert found.version == "2026.8.2"
    assert found.tunnel == clinic.settings["connector"]["tunnel"]
    assert [rule["service"] for rule in found.rules][-1] == "http_status:404"


def test_agent_and_ready_url(clinic):
    assert seen(clinic, STATUS)["phase"] == "serving"
    ready = seen(clinic, READY)
    assert (ready.status, ready.document["ready"]) == (200, True)
    assert seen(clinic, ASKED).count > 0


@pytest.mark.parametrize(("text", "count"), [("12", 12), ("", 0), ("x", 0)])
def test_the_monitors_count(tmp_path, text, count):
    direction = configured(tmp_path)
    (tmp_path / "run").mkdir()
    asked = tmp_path / "run/asked"
    asked.write_text(text)
    os.utime(asked, (time.time() - 30,) * 2)
    result = judged("monitor.asked", direction, {})
    assert result.verdict == "unknown"  # its pool cannot be read here
    file = direction.folder / "config.toml"
    file.write_text(file.read_text().replace("own-pool", "pull"))
    result = judged("monitor.asked", direction)
    assert result.outcome.evidence in (
        f"asked 30 s ago, {count} times since boot",
        f"asked 31 s ago, {count} times since boot",
    )


def test_never_asked(tmp_path):
    direction = configured(tmp_path)
    file = direction.folder / "config.toml"
    file.write_text(file.read_text().replace("own-pool", "pull"))
    result = judged("monitor.asked", direction)
    assert (result.verdict, "never since boot" in result.outcome.evidence) == ("fail", True)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"faults": [{"gpu": "GPU-1"}, 3]}', ({"gpu": "GPU-1"},)),
        (b'{"faults": []}', ()),
        (b'{"faults": 1}', None),
        (b"{}", None),
    ],
)
async def test_the_faults_that_stand_are_asked_of_the_agent(tmp_path, body, found):
    """None: it says nothing that can be understood."""
    asked = []

    async def answer(reader, writer):
        asked.append(await reader.readline())
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        writer.close()

    direction = configured(tmp_path)
    (tmp_path / "run").mkdir()
    server = await asyncio.start_unix_server(answer, tmp_path / "run" / "control.sock")
    async with server, asyncio.TaskGroup() as group:
        assert await Sight(direction, group).try_see(STANDING) == found
    assert asked == [b"GET /v1/faults HTTP/1.1\r\n"]
