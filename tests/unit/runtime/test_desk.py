import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.answers import ask as handle

from inferagent.model.status import Status, StatusGpu, StatusMembership, StatusPart
from inferagent.ports import PortError
from inferagent.runtime.desk import LONGEST_HOLD, ROUTES, Answer, Door, DrainRequest, LendRequest


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

    def lend(self, request: LendRequest) -> Answer:
        return self._reply(request)

    def resume(self) -> Answer:
        return self._reply("resume")

    def metrics(self) -> str:
        return "inferagent_up 1\n"

    def clear_fault(self, gpu: str) -> Answer:
        return self._reply(("clear fault", gpu))

    async def reload(self) -> Answer:
        return self._reply("reload")

    async def notify_test(self) -> Answer:
        return self._reply("notify test")

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
    assert document["gpus"][0]["name"] == "NVIDIA L4"


def test_infinity_becomes_null_for_json_has_none():
    _, document = handle(Office(shown=status(seconds=float("inf"))), "GET", "/v1/status", b"")
    assert document["seconds"] is None
    assert json.loads(json.dumps(document, allow_nan=False))["phase"] == "serving"


def test_before_the_first_tick_status_cannot_tell():
    code, document = handle(Office(), "GET", "/v1/status", b"")
    assert (code, document["ok"]) == (503, False)


def test_a_drain_is_passed_on_whole():
    office = Office()
    fields = {"reason": " new disk ", "stop_engine": True, "last": True, "deadline": 90, "for": 7200}
    assert post(office, "/v1/drain", fields) == (200, {"api": 1, "ok": True, "message": "done", "cure": ""})
    wanted = DrainRequest("new disk", stop_engine=True, last=True, deadline=90.0, lasts=7200.0)
    assert office.asked == [wanted]


def test_a_lending_is_passed_on_whole_and_has_an_end():
    office = Office()
    fields = {"for": 3600, "reason": "play", "last": True, "deadline": 5}
    assert post(office, "/v1/lend", fields)[0] == 200
    assert office.asked == [LendRequest(3600.0, "play", last=True, deadline=5.0)]
    code, document = post(office, "/v1/lend", {})
    assert (code, document["message"]) == (400, "cannot lend without an end: for must be seconds")
    assert len(office.asked) == 1


@pytest.mark.parametrize("lasts", [0, 0.5, -1, LONGEST_HOLD + 1, True, "2h", [], 10**400])
@pytest.mark.parametrize("target", ["/v1/drain", "/v1/lend"])
def test_an_end_that_is_none_is_refused(target, lasts):
    office = Office()
    code, document = post(office, target, {"for": lasts})
    assert code == 400
    assert document["message"].startswith("cannot use for: it must be seconds, ")
    assert office.asked == []


ORDERS = {
    "/v1/reload": "reload",
    "/v1/notify/test": "notify test",
    "/v1/fault/clear": ("clear fault", ""),
    "/v1/resume": "resume",
}


@pytest.mark.parametrize("target", list(ORDERS))
def test_the_other_orders_reach_the_desk(target):
    office = Office()
    fields = {"all": True} if target == "/v1/fault/clear" else {}
    assert post(office, target, fields)[0] == 200
    assert post(office, target, {**fields, "nonsense": 1})[0] == 400
    assert office.asked == [ORDERS[target]]


def test_a_gpu_can_be_named():
    office = Office()
    assert post(office, "/v1/fault/clear", {"gpu": "GPU-1"})[0] == 200
    assert post(office, "/v1/fault/clear", {"gpu": 1})[0] == 400
    assert office.asked == [("clear fault", "GPU-1")]


@pytest.mark.parametrize(
    "fields", [{}, {"gpu": ""}, {"gpu": " "}, {"all": False}, {"gpu": "0", "all": True}, {"all": 1}]
)
def test_all_faults_are_cleared_only_by_saying_so(fields):
    office = Office()
    code, document = post(office, "/v1/fault/clear", fields)
    assert (code, office.asked) == (400, [])
    assert document["message"].startswith("cannot ")


def test_metrics_are_text():
    assert handle(Office(), "GET", "/v1/metrics") == (200, "inferagent_up 1\n")


READER = Door(acting=False, cure="run it with sudo, or join the group ops")


@pytest.mark.parametrize("target", [path for path, route in ROUTES.items() if route.method == "POST"])
def test_a_reader_may_not_act_and_learns_what_to_do(target):
    office = Office(shown=status())
    code, document = handle(office, "POST", target, b'{"for": 60}', READER)
    assert (code, document["cure"]) == (403, READER.cure)
    assert document["message"].endswith("this socket is for reading")
    assert office.asked == []


def test_a_reader_may_read():
    office = Office(shown=status())
    assert [handle(office, "GET", path, b"", READER)[0] for path in ("/v1/status", "/v1/metrics")] == [
        200,
        200,
    ]


def test_whatever_changes_something_is_for_operators_alone():
    assert {"/v1/status", "/v1/metrics"} <= {path for path, route in ROUTES.items() if not route.acting}
    assert {route.method for route in ROUTES.values()} == {"GET", "POST"}
    assert all((route.method == "POST") is route.acting for route in ROUTES.values())


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
