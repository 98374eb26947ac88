"""Answers as they come, well formed and not."""

import httpx
import pytest

from inferagent.adapters.cloudflare.envelope import Answer, Refusal, decode


def answer(status: int, body: object = None, **more: object) -> httpx.Response:
    return httpx.Response(status, json=body, **more) if body is not None else httpx.Response(status, **more)


def test_a_success_is_its_result() -> None:
    body = {"success": True, "errors": [], "messages": [], "result": [1], "result_info": {"total_count": 7}}
    assert decode(answer(200, body)) == Answer([1], 7)


def test_a_refusal_names_every_error() -> None:
    errors = [{"code": 1002, "message": "validation failed"}, {"code": 1003, "message": "not unique"}]
    found = decode(answer(400, {"success": False, "errors": errors, "result": None}))
    assert found == Refusal("1002 validation failed; 1003 not unique (HTTP 400)", 400, 1002, retry=False)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 520])
def test_what_a_retry_may_cure(status: int) -> None:
    found = decode(answer(status, {"success": False, "errors": [], "result": None}))
    assert isinstance(found, Refusal)
    assert found.retry


@pytest.mark.parametrize("status", [400, 401, 403, 404, 412])
def test_what_no_retry_cures(status: int) -> None:
    found = decode(answer(status, {"success": False, "errors": [], "result": None}))
    assert isinstance(found, Refusal)
    assert not found.retry


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(200, text='{"success": tr'),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"success": "yes"}),
        httpx.Response(502, text="bad gateway"),
        httpx.Response(200, content=b"\xff\xfe\x00"),
        httpx.Response(200, content=b"[" * 100_000),
    ],
)
def test_garbage_is_ill_and_worth_a_retry(response: httpx.Response) -> None:
    found = decode(response)
    assert isinstance(found, Refusal)
    assert found.retry
    assert "envelope" in found.reason


def test_a_plain_404_stays_a_404() -> None:
    found = decode(httpx.Response(404, text="nothing here"))
    assert isinstance(found, Refusal)
    assert not found.retry


@pytest.mark.parametrize(("header", "seconds"), [("17", 17.0), ("soon", None), (None, None)])
def test_retry_after(header: str | None, seconds: float | None) -> None:
    headers = {} if header is None else {"retry-after": header}
    found = decode(answer(429, {"success": False, "errors": [], "result": None}, headers=headers))
    assert isinstance(found, Refusal)
    assert found.retry_after == seconds


@pytest.mark.parametrize("header", ["nan", "inf", "-inf", "-5", "1e999"])
def test_a_wait_that_nobody_can_wait_is_none(header: str) -> None:
    found = decode(
        answer(429, {"success": False, "errors": [], "result": None}, headers={"retry-after": header})
    )
    assert isinstance(found, Refusal)
    assert found.retry_after is None


def test_a_redirection_is_no_success() -> None:
    assert isinstance(decode(answer(302, {"success": True, "errors": [], "result": []})), Refusal)
