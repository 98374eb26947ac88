"""Delivery: whatever the receivers, the disk and the agent's life do, two messages an episode, in order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from tests.support.illness import GRAVE, ILL, WELL, How, Ids
from tests.support.receivers import Receiver, Shelf
from tests.support.virtual import VirtualClock, run

from inferagent.model.notice import Book, Notice, NoticeKind, Queued
from inferagent.runtime.episodes import Episodes
from inferagent.runtime.notices import FULL, LAST_PAUSE, MOST, UNSAVED, Notices

HOUR = 3600.0


class Killed(BaseException):
    """The agent ends here."""


class Post:
    """One host's messages, its agent ticking every five seconds, through as many lives as it takes."""

    def __init__(self, *receivers: Receiver, shelf: Shelf | None = None) -> None:
        self.receivers, self.shelf = receivers, shelf or Shelf()
        self.clock, self.ids = VirtualClock(), Ids()
        self.how: How = WELL
        self.troubles: dict[str, str] = {}
        self.notices: Notices

    @asynccontextmanager
    async def agent(self) -> AsyncIterator["Post"]:
        self.troubles = {}
        episodes = Episodes("here", self.clock, 120.0, self.ids)
        self.notices = Notices(self.shelf, self.clock, episodes, self.troubles, lambda: 0.5)
        self.notices.use(self.receivers)
        self.notices.begin()
        tasks = [asyncio.ensure_future(self.notices.run()), asyncio.ensure_future(self._ticks())]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ticks(self) -> None:
        while True:
            clock = self.clock
            self.notices.tick(self.how.seen(clock), self.how.decision(), self.how.document(clock))
            await asyncio.sleep(5.0)

    async def live(self, how: How, seconds: float) -> None:
        self.how = how
        await asyncio.sleep(seconds)

    async def episode(self, seconds: float = 600.0) -> None:
        await self.live(ILL, seconds)
        await self.live(WELL, 200.0)

    def said(self) -> list[str]:
        return [text for text in self.troubles.values() if text]


def told(story: Callable[[Post], Awaitable[None]], *receivers: Receiver, shelf: Shelf | None = None) -> Post:
    post = Post(*(receivers or (Receiver(),)), shelf=shelf)

    async def whole() -> None:
        async with post.agent():
            await story(post)

    run(whole())
    return post


def test_two_messages_an_episode_each_sent_once_and_then_silence():
    post = told(Post.episode)
    assert post.receivers[0].ids == ["e1-opened", "e1-over"]
    assert post.shelf.book == Book()
    assert post.said() == []


@pytest.mark.parametrize("how", ["down", "slow", "failing"])
def test_a_receiver_that_is_ill_gets_two_messages_an_episode_once_it_is_back(how):
    receiver = Receiver(how=how)

    async def story(post: Post) -> None:
        for _ in range(3):
            await post.episode()
        assert receiver.ids == []
        receiver.how = "fine"
        await post.live(WELL, 2 * LAST_PAUSE)

    post = told(story, receiver)
    assert receiver.ids == [f"e{n}-{kind}" for n in (1, 2, 3) for kind in ("opened", "over")]
    assert post.said() == []


def test_one_that_takes_a_message_and_never_says_so_sees_the_same_id_again_and_nothing_is_lost():
    receiver = Receiver(how="mute")

    async def story(post: Post) -> None:
        await post.episode()
        receiver.how = "fine"
        await post.live(WELL, HOUR)

    told(story, receiver)
    assert receiver.shown == ["e1-opened", "e1-over"]
    assert receiver.ids.count("e1-opened") > 1


def test_the_pauses_grow_to_ten_minutes_and_what_ails_the_receiver_is_said():
    receiver = Receiver(how="down")

    async def story(post: Post) -> None:
        await post.live(ILL, 130.0)
        assert post.said() == [], "one failure is nothing to say"
        await post.live(ILL, 2 * HOUR)
        assert post.said() == [f"cannot notify: cannot connect ({len(receiver.attempts)} attempts)"]

    told(story, receiver)
    gaps = [later - before for before, later in pairwise(receiver.attempts)]
    assert gaps[:4] == pytest.approx([5.0, 10.0, 20.0, 40.0], abs=0.1)
    assert max(gaps) == pytest.approx(LAST_PAUSE, abs=1.0)
    assert len(receiver.attempts) < 25


def test_a_slow_receiver_is_not_asked_again_before_the_pause_that_follows_its_silence():
    receiver = Receiver(how="slow")
    told(lambda post: post.live(ILL, 400.0), receiver)
    gaps = [later - before for before, later in pairwise(receiver.attempts)]
    assert gaps[:3] == pytest.approx([15.0, 20.0, 30.0], abs=0.1)


def test_a_new_message_does_not_cut_a_pause_short():
    receiver = Receiver(how="down")

    async def story(post: Post) -> None:
        await post.live(ILL, HOUR)
        await post.live(GRAVE, 300.0)

    told(story, receiver)
    gaps = [later - before for before, later in pairwise(receiver.attempts)]
    assert all(later > before * 0.9 for before, later in pairwise(gaps))


def test_the_pause_that_a_receiver_asks_for_is_kept():
    receiver = Receiver(how="failing", retry_after=300.0)
    told(lambda post: post.live(ILL, 1000.0), receiver)
    gaps = [later - before for before, later in pairwise(receiver.attempts)]
    assert gaps[:2] == pytest.approx([300.0, 300.0], abs=0.1)


def test_a_refusal_is_final_and_said_until_a_message_is_taken():
    receiver = Receiver(how="refusing")

    async def story(post: Post) -> None:
        await post.live(ILL, HOUR)
        assert len(receiver.attempts) == 1
        assert post.said() == ["cannot notify: it said 404; the message is given up"]
        receiver.how = "fine"
        await post.live(WELL, 200.0)
        assert post.said() == []

    told(story, receiver)
    assert receiver.ids == ["e1-over"]


def test_one_receiver_s_illness_is_not_the_other_s():
    ill, well = Receiver("webhook", "down"), Receiver("exec")

    async def story(post: Post) -> None:
        await post.episode()
        assert well.ids == ["e1-opened", "e1-over"]
        ill.how = "fine"
        await post.live(WELL, HOUR)

    told(story, ill, well)
    assert ill.ids == well.ids == ["e1-opened", "e1-over"]


def test_a_bug_in_a_receiver_ends_nothing_and_is_said():
    receiver = Receiver(how="broken")

    async def story(post: Post) -> None:
        await post.live(ILL, 600.0)
        assert "internal error" in post.said()[0]
        receiver.how = "fine"
        await post.live(ILL, HOUR)

    told(story, receiver)
    assert receiver.ids == ["e1-opened"]


def test_a_disk_that_takes_nothing_keeps_no_message_back_and_is_said():
    shelf = Shelf(full=True)

    async def story(post: Post) -> None:
        await post.episode()
        assert post.troubles[UNSAVED] == "cannot save the messages: no space left on device"
        shelf.full = False
        await post.live(ILL, 30.0)
        assert post.troubles[UNSAVED] == ""

    assert told(story, shelf=shelf).receivers[0].ids == ["e1-opened", "e1-over"]


def test_too_many_that_wait_drop_the_oldest_and_that_is_said_until_all_are_told():
    receiver = Receiver(how="down")
    notices = [Notice(f"n{n}", NoticeKind.OVER, "here", "", "") for n in range(MOST)]
    shelf = Shelf(Book(queue=tuple(Queued(one, ("webhook",)) for one in notices)))

    async def story(post: Post) -> None:
        await post.live(ILL, 200.0)
        assert post.troubles[FULL] == "1 messages were dropped, because too many waited"
        assert len(shelf.book.queue) == MOST
        receiver.how = "fine"
        await post.live(ILL, HOUR)
        assert post.troubles[FULL] == ""

    told(story, receiver, shelf=shelf)
    assert receiver.ids == [*(f"n{n}" for n in range(1, MOST)), "e1-opened"]


def test_a_calm_host_writes_nothing_and_asks_nobody():
    post = told(lambda post: post.live(WELL, 6 * HOUR))
    assert (post.shelf.writes, post.receivers[0].attempts) == (0, [])


def test_a_long_illness_is_written_down_a_few_times_and_no_more():
    post = told(lambda post: post.live(GRAVE, 6 * HOUR))
    assert post.shelf.writes < 20


def test_a_host_that_tells_nobody_keeps_no_book():
    async def story(post: Post) -> None:
        post.notices.use(())
        await post.episode()
        answer = await post.notices.test()
        assert not answer.ok
        assert answer.message == "cannot notify anybody: no receiver is configured"
        assert "[notify]" in answer.cure

    assert told(story).shelf.writes == 0


def test_another_configuration_is_taken_up_at_once_and_what_waits_goes_to_those_that_remain():
    old, new = Receiver("webhook", "down"), Receiver("exec")

    async def story(post: Post) -> None:
        await post.live(ILL, 600.0)
        assert post.said() != []
        post.notices.use((new,))
        assert post.said() == []
        await post.live(WELL, 200.0)
        post.notices.use((Receiver("webhook"), new))
        await post.live(WELL, 200.0)

    post = told(story, old)
    assert (old.ids, new.ids) == ([], ["e1-over"])
    assert post.shelf.book == Book()


# a life that ends anywhere


def lives(at: int, receiver: Receiver, shelf: Shelf) -> Post:
    """An episode whose agent is killed at effect number `at`, and started again ten seconds later."""
    post, count, over = Post(receiver, shelf=shelf), 0, asyncio.Event()

    def effect(_what: str) -> None:
        nonlocal count
        count += 1
        if count == at:
            over.set()
            raise asyncio.CancelledError  # nothing of this life goes on

    receiver.effect = shelf.effect = effect

    async def story() -> None:
        begun = post.clock.now()
        post.how = ILL
        asyncio.get_running_loop().call_later(600.0, lambda: setattr(post, "how", WELL))
        async with post.agent():
            waiting = asyncio.ensure_future(over.wait())
            await asyncio.wait([waiting], timeout=900.0)
            waiting.cancel()
        await asyncio.sleep(10.0)
        async with post.agent():
            await asyncio.sleep(begun + 1200.0 - post.clock.now())

    run(story())
    return post


@pytest.mark.parametrize("at", range(1, 36))
def test_an_agent_that_is_killed_between_any_two_effects_loses_nothing_and_doubles_no_id(at):
    receiver, shelf = Receiver(), Shelf()
    lives(at, receiver, shelf)
    assert [one.rpartition("-")[2] for one in receiver.shown] == ["opened", "over"]
    assert len(receiver.ids) <= 3, "only what was taken and not yet noted comes again, by its id"
    assert shelf.book == Book()


def test_a_message_is_on_disk_before_anybody_gets_it():
    receiver, shelf = Receiver(), Shelf()

    def kept(what: str) -> None:
        if what == "before taken":
            waits.append([one.notice.kind.value for one in shelf.book.queue])

    waits: list[list[str]] = []
    receiver.effect = kept
    told(Post.episode, receiver, shelf=shelf)
    assert waits == [["opened"], ["over"]]


def test_what_waits_is_told_by_the_next_agent():
    receiver, shelf = Receiver(how="down"), Shelf()
    post = Post(receiver, shelf=shelf)

    async def story() -> None:
        async with post.agent():
            await post.episode()
        receiver.how = "fine"
        async with post.agent():
            await post.live(WELL, 30.0)

    run(story())
    assert receiver.ids == ["e1-opened", "e1-over"]


def test_a_book_that_could_not_be_understood_is_said():
    post = told(lambda post: post.live(WELL, 10.0), shelf=Shelf(problem="cannot understand the messages"))
    assert post.said() == ["cannot understand the messages"]


def test_the_end_of_the_agent_writes_what_is_not_written():
    async def story(post: Post) -> None:
        await post.live(ILL, 20.0)
        before = post.shelf.book
        await post.live(ILL, 12.0)
        await post.notices.end()
        assert post.shelf.book != before

    told(story)


# the test message


def test_a_test_goes_to_everybody_at_once_and_says_what_each_answered():
    ill, well = Receiver("webhook", "failing"), Receiver("exec")

    async def story(post: Post) -> None:
        answer = await post.notices.test()
        assert not answer.ok
        assert answer.message == "webhook: cannot notify: it said 503; exec: 200 OK"
        assert "[notify] webhook" in answer.cure
        ill.how = "fine"
        answer = await post.notices.test()
        assert (answer.ok, answer.cure) == (True, "")

    told(story, ill, well)
    (notice, _) = well.taken
    assert notice.kind is NoticeKind.TEST
    assert "this is a test" in notice.text


def test_a_test_is_not_waited_for_beyond_the_patience_of_who_asks():
    async def story(post: Post) -> None:
        begun = post.clock.now()
        answer = await post.notices.test()
        assert answer.message == "webhook: cannot notify: no answer within 4 s"
        assert post.clock.now() - begun == pytest.approx(4.0)

    told(story, Receiver(how="slow"))


def test_a_test_that_is_taken_sends_what_waits_too():
    receiver = Receiver(how="down")

    async def story(post: Post) -> None:
        await post.live(ILL, HOUR)
        receiver.how = "fine"
        await post.notices.test()
        await post.live(ILL, 1.0)

    told(story, receiver)
    assert [one.rpartition("-")[2] for one in receiver.ids] == ["test", "opened"]
