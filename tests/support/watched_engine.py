"""The lab's vLLM with a witness: each life writes its start, its SIGTERM and its end into a file of its own.

WITNESS names the file, a JSON line each; between SIGTERM and the end lie WITNESS_STOP_SECONDS, in which it
still answers.
"""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

from inferagent.lab.engines import vllm
from inferagent.lab.engines.vllm_bodies import VERSION
from inferagent.lab.engines.vllm_options import Options, parse


def tell(what: str) -> None:
    """One write of one line: two lives may write side by side."""
    line = json.dumps({"at": time.time(), "what": what, "pid": os.getpid()}) + "\n"
    handle = os.open(os.environ["WITNESS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(handle, line.encode())
    os.close(handle)


def told_to_stop(loop: asyncio.AbstractEventLoop) -> None:
    tell("stop")
    seconds = float(os.environ["WITNESS_STOP_SECONDS"])
    loop.call_later(seconds, os.kill, os.getpid(), signal.SIGINT)  # which the engine takes as SIGTERM


async def live(options: Options) -> int:
    async with asyncio.TaskGroup() as group:
        engine = group.create_task(vllm.live(options))
        await asyncio.sleep(0)  # its first step sets its own signal handlers
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, told_to_stop, loop)
    return engine.result()


def main() -> None:
    options = parse(sys.argv[1:], VERSION)
    Path("/proc/self/comm").write_text("vllm")
    tell("start")
    code = asyncio.run(live(options))
    tell("end")
    sys.exit(code)


if __name__ == "__main__":
    main()
