import json

from aiohttp import web

from inferagent.lab.cloudflare.calls import Answer
from inferagent.lab.cloudflare.envelope import broken, failure, garbage, success
from inferagent.lab.cloudflare.errors import ApiError


def read(response: web.Response) -> dict[str, object]:
    assert response.text is not None
    told: dict[str, object] = json.loads(response.text)
    return told


def test_a_success_has_all_parts() -> None:
    told = read(success(Answer({"id": "x"})))
    assert told == {"result": {"id": "x"}, "success": True, "errors": [], "messages": []}
    assert read(success(Answer([], {"page": 1})))["result_info"] == {"page": 1}


def test_a_failure_has_no_result() -> None:
    error = ApiError(429, 971, "too many")
    error.headers["retry-after"] = "300"
    response = failure(error)
    assert (response.status, response.headers["retry-after"]) == (429, "300")
    assert read(response) == {
        "result": None,
        "success": False,
        "errors": [{"code": 971, "message": "too many"}],
        "messages": [],
    }


def test_something_in_front_of_the_api_does_not_speak_its_language() -> None:
    assert broken(502, None).content_type == "text/html"
    assert read(broken(403, None))["errors"] == [{"code": 10000, "message": "Authentication error"}]
    assert broken(520, "error code: 520").text == "error code: 520"


def test_what_refuses_says_for_how_long() -> None:
    assert broken(429, None, 12).headers["retry-after"] == "12"
    assert broken(503, None, 0).headers["retry-after"] == "0"
    assert "retry-after" not in broken(429, None).headers


def test_garbage_claims_to_be_json() -> None:
    response = garbage("{")
    assert (response.status, response.content_type, response.text) == (200, "application/json", "{")
