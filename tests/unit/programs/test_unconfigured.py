"""The desk of a host that nobody has configured."""

import asyncio
import contextlib
from collections.abc import Callable

from tests.support.answers import ask as handle

from inferagent.model.status import Status
from inferagent.programs.unconfigured import CURE, Unconfigured
from inferagent.runtime.desk import DrainRequest, LendRequest


def test_the_status_says_so_and_what_to_do() -> None:
    document = Unconfigured().status()
    assert document is not None
    assert (document.phase, document.label, document.cure) == ("out", "unconfigured", CURE)
    assert document.sentence == f"out, unconfigured: run {CURE}"
    assert (document.mode, document.verdict) == ("observe", False)
    assert document.exit_code == 0, "a fresh package is not an error"
    assert document.findings == ()


def test_nothing_can_be_drained_or_resumed() -> None:
    desk = Unconfigured()
    orders = (
        desk.drain(DrainRequest("why")),
        desk.lend(LendRequest(60.0)),
        desk.resume(),
        desk.clear_fault(""),
    )
    for answer in orders:
        assert (answer.ok, answer.cure) == (False, CURE)
        assert "this host is not configured" in answer.message


def test_its_control_socket_answers_as_any_other() -> None:
    code, document = handle(Unconfigured(), "GET", "/v1/status", b"")
    assert (code, document["label"], document["api"]) == (200, "unconfigured", 1)
    code, document = handle(Unconfigured(), "POST", "/v1/drain", b"{}")
    assert (code, document["cure"]) == (409, CURE)
    code, document = handle(Unconfigured(), "POST", "/v1/reload", b"{}")
    assert (code, document["cure"]) == (409, CURE)
    assert handle(Unconfigured(), "POST", "/v1/notify/test")[0] == 409
    assert handle(Unconfigured(), "GET", "/v1/metrics")[0] == 500


async def test_systemd_hears_of_it_again_and_again() -> None:
    heard: list[Status] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            task = Unconfigured().keep_telling(_thrice(heard), 0.001)
            await task
    assert [document.label for document in heard] == ["unconfigured"] * 3


def _thrice(heard: list[Status]) -> Callable[[Status], None]:
    def tell(document: Status) -> None:
        heard.append(document)
        if len(heard) == 3:
            raise TimeoutError

    return tell
