"""Guests judge by the status alone, and bring others with them."""

import asyncio

from tests.matrix.guests import Elsewhere, Guests, Savers
from tests.support.scenario import until

from inferagent.lab.traffic_judge import Kind

SLOW, BROKEN = Kind("slow", "/slow", False, 0, 5.0), Kind("broken", "/broken", False, 0, 5.0)


async def test_each_kind_expects_its_own_status_and_others_come_along():
    there = Elsewhere(0.05)
    await there.listen()
    saves = Savers(there.url, "", [Kind("save", "/slow", False, 0, 5.0)], 20.0, body={"a": 1})
    fails = Savers(there.url, "", [Kind("save", "/broken", False, 0, 5.0)], 20.0, beside=saves)
    guests = Guests(there.url, "", [SLOW, BROKEN], 40.0, "a.example.com", beside=fails)

    async def enough():
        return len(guests.outcomes) >= 12

    async with asyncio.TaskGroup() as group:
        guests.start(group)
        await until(enough, "some outcomes of each", 5)
        await guests.stop()
    causes = {(one.kind, one.cause) for one in guests.outcomes}
    assert causes == {("slow", ""), ("broken", ""), ("save", ""), ("save", "save: status 502")}
    await there.close()
