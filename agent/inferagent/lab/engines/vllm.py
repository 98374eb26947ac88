"""A stand-in for vLLM: `python -m inferagent.lab.engines.vllm serve MODEL --port N …`.

API server, resource tracker, EngineCore and Worker are four processes; each can be killed or stopped alone.
LAB_DEATH_SECONDS: from the engine's death to the server's end. LAB_SIGTERM=hang: open requests get no answer
until their clients go. LAB_PREFILL_TOKENS: a prompt of so many takes LAB_PREFILL_SECONDS, a shorter one less.
"""

import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path

from aiohttp import web

from inferagent.lab.engines.knobs import number
from inferagent.lab.engines.link import Link
from inferagent.lab.engines.vllm_app import Server
from inferagent.lab.engines.vllm_bodies import VERSION
from inferagent.lab.engines.vllm_options import Options, parse

LAST_WORDS_SECONDS = 2.0
CLIENTS_SECONDS = 60.0


def complain(text: str) -> int:
    print(f"cannot {text}", file=sys.stderr, flush=True)
    return 1


async def leave(server: Server) -> None:
    """SIGTERM: waits for the open requests as long as the shutdown time-out lets them, new ones refused."""
    server.leaving = True
    server.engine.silent = server.hanging
    with suppress(TimeoutError):
        async with asyncio.timeout(server.options.shutdown_timeout):
            await server.engine.quiet.wait()


async def serve(options: Options, engine: Link, news: asyncio.Queue[str]) -> int:
    """From ready to the exit code; an engine that died ends the server with 0, like the real one."""
    server = Server(options, engine)
    last_words = CLIENTS_SECONDS if server.hanging else LAST_WORDS_SECONDS
    runner = web.AppRunner(
        server.app(), handler_cancellation=True, access_log=None, shutdown_timeout=last_words
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, options.host, options.port).start()
    except OSError as error:
        await runner.cleanup()
        return complain(f"listen on {options.host}:{options.port}: {error.strerror}")
    if await news.get() == "stop":
        await leave(server)
        engine.kill()
    else:
        await asyncio.sleep(number("LAB_DEATH_SECONDS", 1.0))
    await runner.cleanup()
    return 0


async def live(options: Options) -> int:
    """The whole life, children included."""
    news: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    for which in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(which, news.put_nowait, "stop")
    engine = await Link.start(options.model, options.max_num_seqs)
    async with asyncio.TaskGroup() as group:
        group.create_task(engine.read(news))
        first = await news.get()
        if first == "ready":
            code = await serve(options, engine, news)
        else:
            code = 0 if first == "stop" else complain("start: the engine died")
        await engine.close()
    return code


def main() -> None:
    options = parse(sys.argv[1:], VERSION)
    Path("/proc/self/comm").write_text("vllm")
    if options.model.startswith(("/", "./")) and not Path(options.model).exists():
        sys.exit(complain(f"find a model at {options.model}"))
    sys.exit(asyncio.run(live(options)))


if __name__ == "__main__":
    main()
