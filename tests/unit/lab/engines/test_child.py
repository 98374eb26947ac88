"""Children speak lines of JSON, and end when they are killed, stopped or not."""

import os
import signal
import sys

from inferagent.lab.engines.child import Child, argv

ECHO = [sys.executable, "-S", "-c", "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"]


async def test_what_is_told_comes_back():
    child = await Child.start(ECHO)
    child.tell({"add": "r1"})
    heard = child.read()
    assert await anext(heard) == {"add": "r1"}
    child.kill()
    assert [message async for message in heard] == []
    assert await child.process.wait() == -signal.SIGKILL
    child.kill()
    child.tell({"too": "late"})


async def test_a_stopped_child_can_be_killed():
    child = await Child.start(ECHO)
    os.kill(child.pid, signal.SIGSTOP)
    child.kill()
    assert await child.process.wait() == -signal.SIGKILL


async def test_half_a_line_is_no_message():
    child = await Child.start([sys.executable, "-S", "-c", "print('{}'); print('{\"a\":', end='')"])
    assert [message async for message in child.read()] == [{}]
    assert await child.process.wait() == 0


def test_scripts_lie_beside_the_module():
    assert argv("worker.py", "m")[-2:][0].endswith("engines/worker.py")
    assert argv("worker.py", "m")[0] == sys.executable
