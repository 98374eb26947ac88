import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferagent.model.status import Status, StatusGpu, StatusMembership, StatusPart
from inferagent.ports import PortError
from inferagent.runtime.desk import Answer, DrainRequest, handle


def status(**changes) -> Status:
    plain = {
        "schema": 1,
        "host": "gpu-home",
        "mode": "act",
        "phase": "serving",
        "label": "",
        "since": "2026-11-22T12:00:00+01:00",
        "seconds": 12.0,
        "sentence": "serving",
        "root_cause": "",
        "cure": "",
        "verdict": True,
        "hold": "",
        "engine": StatusPart("vllm", "", "accepting"),
        "connector": StatusPart("cloudflared", "", "4 connections"),
        "membership": StatusMembership("own-pool", "in", True, 3.0, 1, 1),
        "gpus": (StatusGpu(0, "NVIDIA L4", "3 %"),),
        "in_flight_tunnel": 1,
        "in_flight_lan": None,
        "findings": (),
        "vetoes": (),
        "boot": "b",
        "agent_version": "0",
        "exit_code": 0,
    }
    return Status(**{**plain, **changes})


DONE = Answer(True, "done")


class Office:
    """A desk that remembers what it was asked, and answers what it was given."""

    def __init__(self, answer: Answer | PortError = DONE, shown: Status | None = None) -> None:
        self.answer, self.shown, self.asked = answer, shown, []

    def status(self) -> Status | None:
        return self.shown

    def drain(self, request: DrainRequest) -> Answer:
        return self._reply(request)

    def resume(self) -> Answer:
        return self._reply("resume")

    def _reply(self, asked: object) -> Answer:
        self.asked.append(asked)
        if isinstance(self.answer, PortError):
            raise self.answer
        return self.answer


def post(office: Office, target: str, fields: object) -> tuple[int, dict]:
    return handle(office, "POST", target, json.dumps(fields).encode())


def test_status_is_the_document_and_the_api_number():
    code, document = handle(Office(shown=status()), "GET", "/v1/status", b"")
    assert code == 200
    assert (document["api"], document["schema"], document["host"]) == (1, 1, "gpu-home")
    assert document["gpus"] == [{"index": 0, "name": "NVIDIA L4", "text": "3 %"}]


def test_infinity_becomes_null_for_json_has_none():
    _, document = handle(Office(shown=status(seconds=float("inf"))), "GET", "/v1/status", b"")
    assert document["seconds"] is None
    assert json.loads(json.dumps(document, allow_nan=False))["phase"] == "serving"


def test_before_the_first_tick_status_cannot_tell():
    code, document = handle(Office(), "GET", "/v1/status", b"")
    assert (code, document["ok"]) == (503, False)


def test_a_drain_is_passed_on_whole():
    office = Office()
    fields = {"reason": " new disk ", "stop_engine": True, "last": True, "deadline": 90}
    assert post(office, "/v1/drain", fields) == (200, {"api": 1, "ok": True, "message": "done", "cure": ""})
    assert office.asked == [DrainRequest("new disk", stop_engine=True, last=True, deadline=90.0)]


@pytest.mark.parametrize("body", [b"", b"{}"])
def test_a_drain_without_words_is_the_plain_one(body):
    office = Office()
    assert handle(office, "POST", "/v1/drain", body)[0] == 200
    assert office.asked == [DrainRequest()]


def test_a_refusal_is_409_with_its_cure():
    office = Office(Answer(False, "cannot drain: this is the last endpoint", "inferagent drain --last"))
    code, document = post(office, "/v1/drain", {})
    assert code == 409
    assert document["ok"] is False
    assert document["cure"] == "inferagent drain --last"


def test_resume_takes_nothing():
    office = Office()
    assert post(office, "/v1/resume", {})[0] == 200
    assert post(office, "/v1/resume", {"now": True})[0] == 400
    assert office.asked == ["resume"]


def test_a_deed_that_fails_is_500_in_its_own_words():
    code, document = post(Office(PortError("cannot write the hold: disk full")), "/v1/drain", {})
    assert (code, document["message"]) == (500, "cannot write the hold: disk full")


@pytest.mark.parametrize(
    ("method", "target", "code"),
    [
        ("GET", "/", 404),
        ("GET", "/v2/status", 404),
        ("GET", "/v1/status/", 404),
        ("POST", "/v1/status", 405),
        ("GET", "/v1/drain", 405),
        ("DELETE", "/v1/resume", 405),
    ],
)
def test_other_paths_and_methods_are_refused(method, target, code):
    office = Office(shown=status())
    assert handle(office, method, target, b"{}")[0] == code
    assert office.asked == []


BAD = [
    b"{",
    b"[]",
    b'"x"',
    b"\xff\xfe",
    b"[" * 15_000,
    b'{"reason": 1}',
    b'{"reason": "a\\nb"}',
    b'{"reason": "\\ud800"}',
    b'{"reason": "' + b"x" * 201 + b'"}',
    b'{"last": 1}',
    b'{"stop_engine": "yes"}',
    b'{"deadline": "90s"}',
    b'{"deadline": 0}',
    b'{"deadline": -1}',
    b'{"deadline": true}',
    b'{"deadline": NaN}',
    b'{"deadline": Infinity}',
    b'{"deadline": 1e9}',
    b'{"deadlin": 5}',
    b'{"\\ud800": 5}',
]


@pytest.mark.parametrize("body", BAD, ids=range(len(BAD)))
def test_bad_bodies_are_400_and_never_reach_the_desk(body):
    office = Office()
    code, document = handle(office, "POST", "/v1/drain", body)
    assert code == 400
    assert document["message"].startswith("cannot ")
    assert json.dumps(document)
    assert office.asked == []


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
        max_leaves=5,
    )
)
def test_any_json_is_answered(value):
    body = json.dumps({"deadline": value, "reason": value}).encode()
    assert handle(Office(), "POST", "/v1/drain", body)[0] in {200, 400}
