"""Looks are shared, bounded, and their failures told to each who asked."""

import asyncio

import pytest

from inferagent.ports import PortError
from inferagent.programs.doctor.sight import Direction, Look, Sight
from inferagent.programs.doctor.verdict import CannotTellError, NotHereError


async def with_sight(tmp_path, deed, given=None, deadline=5.0):
    async with asyncio.TaskGroup() as group:
        return await deed(Sight(Direction(tmp_path, deadline=deadline), group, given))


async def test_one_look_serves_all_who_ask(tmp_path):
    asked = []

    async def ask(_sight):
        asked.append(1)
        await asyncio.sleep(0)
        return 7

    look = Look("count", ask)

    async def deed(sight):
        return await asyncio.gather(*(sight.see(look) for _ in range(5)))

    assert await with_sight(tmp_path, deed) == [7] * 5
    assert asked == [1]


@pytest.mark.parametrize(
    "error", [PortError("cannot x"), CannotTellError("cannot x", "do y"), OSError(2, "cannot x")]
)
async def test_a_failure_is_told_to_all(tmp_path, error):
    async def ask(_sight):
        raise error

    look = Look("fail", ask)

    async def deed(sight):
        for _ in range(2):
            with pytest.raises(CannotTellError, match="cannot x"):
                await sight.see(look)
        return await sight.try_see(look)

    assert await with_sight(tmp_path, deed) is None


async def test_what_is_not_here_stays_that(tmp_path):
    async def ask(_sight):
        raise NotHereError("no GPU")

    async def deed(sight):
        with pytest.raises(NotHereError, match="no GPU"):
            await sight.see(Look("gpu", ask))
        return True

    assert await with_sight(tmp_path, deed)


async def test_a_look_ends_with_its_deadline_and_with_that_of_all(tmp_path):
    async def never(_sight):
        await asyncio.sleep(60)

    async def deed(sight):
        loop = asyncio.get_running_loop()
        begun = loop.time()
        with pytest.raises(CannotTellError, match="no answer within"):
            await sight.see(Look("a", never, 0.1))
        with pytest.raises(CannotTellError, match="no answer within"):
            await sight.see(Look("b", never, 600))
        return loop.time() - begun

    assert await with_sight(tmp_path, deed, deadline=0.8) < 2


async def test_who_gives_up_does_not_end_the_look_of_others(tmp_path):
    go = asyncio.Event()

    async def ask(_sight):
        await go.wait()
        return "seen"

    look = Look("slow", ask)

    async def deed(sight):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await sight.see(look)
        go.set()
        return await sight.see(look)

    assert await with_sight(tmp_path, deed) == "seen"


async def test_given_values_stand_in(tmp_path):
    async def ask(_sight):
        raise AssertionError("asked")

    async def deed(sight):
        return await sight.see(Look("a", ask))

    assert await with_sight(tmp_path, deed, {"a": 5}) == 5
