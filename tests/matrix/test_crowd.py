"""As many users at once as are named, each with one request at a time, the kinds by turns."""

import asyncio

from aiohttp import web
from tests.matrix.crowd import Crowd, LongPrompt, bounded

from inferagent.lab.demo.world import free_ports
from inferagent.lab.traffic import Traffic
from inferagent.lab.traffic_judge import mixed

WHOLE = {"choices": [{"text": "x", "finish_reason": "length"}], "usage": {"completion_tokens": 4}}


async def test_so_many_ask_at_once_and_again():
    at_once, most, seen, enough = 0, 0, [], asyncio.Event()
    port = free_ports(1)[0]

    async def answer(request):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        seen.append(await request.json())
        await asyncio.sleep(0.01)
        at_once -= 1
        if len(seen) >= 20:
            enough.set()
        return web.json_response(WHOLE)

    app = web.Application()
    app.add_routes([web.post("/v1/completions", answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    plain = mixed(0.0, tokens=4)
    crowd = Crowd.of(Traffic(f"http://127.0.0.1:{port}", "chat", plain, 1.0, "llm"), 5, plain)
    async with asyncio.TaskGroup() as group:
        crowd.start(group)
        async with asyncio.timeout(5):
            await enough.wait()
        await crowd.stop()
    await runner.cleanup()
    assert most == 5
    assert crowd.sent == len(crowd.outcomes) == len(seen)
    assert {one.cause for one in crowd.outcomes} == {""}
    assert crowd.host == "llm"


def test_long_prompts_are_long_and_all_different():
    kind = LongPrompt("long", "/v1/completions", True, 4, 60.0, words=30)
    chat = LongPrompt("long", "/v1/chat/completions", True, 4, 60.0, words=30)
    prompts = [kind.body("m", True)["prompt"] for _ in range(3)]
    prompts.append(chat.body("m", True)["messages"][0]["content"])
    assert {len(prompt.split()) for prompt in prompts} == {30}
    assert len({prompt.split()[0] for prompt in prompts}) == 4
    assert kind.body("m", True)["max_tokens"] == 4


def test_bounded_changes_nothing_but_the_bound():
    assert {kind.bound for kind in bounded(mixed(), 99.0)} == {99.0}
    assert [kind.name for kind in bounded(mixed(), 99.0)] == [kind.name for kind in mixed()]
