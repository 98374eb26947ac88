"""The desk of a host that nobody has configured."""

from inferagent.programs.unconfigured import CURE, Unconfigured
from inferagent.runtime.desk import DrainRequest, handle


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
    for answer in (desk.drain(DrainRequest("why", False, False, None)), desk.resume()):
        assert (answer.ok, answer.cure) == (False, CURE)
        assert "this host is not configured" in answer.message


def test_its_control_socket_answers_as_any_other() -> None:
    code, document = handle(Unconfigured(), "GET", "/v1/status", b"")
    assert (code, document["label"], document["api"]) == (200, "unconfigured", 1)
    code, document = handle(Unconfigured(), "POST", "/v1/drain", b"{}")
    assert (code, document["cure"]) == (409, CURE)
