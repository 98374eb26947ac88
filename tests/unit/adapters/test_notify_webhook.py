"""The webhook against receivers that are down, slow, failing, talkative or no web servers at all."""

import json
import time

import pytest
from tests.support.web_receiver import OK, WebReceiver, answer

from inferagent.adapters.notify_webhook import Webhook
from inferagent.model.notice import Notice, NoticeKind
from inferagent.ports import PortError

NOTICE = Notice("e1-opened", NoticeKind.OPENED, "gpu-a", "gpu-a: ill for 2 min", "now", episode="e1")


async def refusal(receiver: WebReceiver, deadline: float = 5.0) -> PortError:
    async with receiver.open():
        with pytest.raises(PortError) as caught:
            await Webhook(receiver.url, deadline).send(NOTICE)
    return caught.value


async def test_a_message_is_json_with_a_text_and_its_id_as_the_key():
    async with WebReceiver().open() as receiver:
        assert await Webhook(receiver.url).send(NOTICE) == "127.0.0.1 said 200 OK"
    (body,), (head,) = receiver.taken, receiver.heads
    document = json.loads(body)
    assert (document["text"], document["id"], document["kind"]) == (NOTICE.text, NOTICE.id, "opened")
    assert head.startswith(b"POST /hooks/T0-SECRET?key=SECRET HTTP/1.1\r\n")
    assert b"idempotency-key: e1-opened\r\n" in head.lower()
    assert b"content-type: application/json; charset=utf-8\r\n" in head.lower()


@pytest.mark.parametrize("status", ["201 Created", "202 Accepted", "204 No Content"])
async def test_any_2xx_has_taken_it(status):
    async with WebReceiver(answer(status)).open() as receiver:
        assert status.partition(" ")[0] in await Webhook(receiver.url).send(NOTICE)


@pytest.mark.parametrize("status", ["500 Oops", "502 Bad Gateway", "503 Busy", "408 Slow", "429 Too Many"])
async def test_what_may_pass_is_to_be_tried_again(status):
    problem = await refusal(WebReceiver(answer(status, b"in a while", "Retry-After: 30")))
    assert not problem.refused
    assert problem.retry_after == 30.0
    assert str(problem) == f"cannot notify by webhook at 127.0.0.1: it said {status} (in a while)"


@pytest.mark.parametrize(
    "status", ["400 Bad Request", "403 Forbidden", "404 Not Found", "410 Gone", "302 Found"]
)
async def test_any_other_answer_is_final(status):
    problem = await refusal(WebReceiver(answer(status, b"", "Location: http://127.0.0.1:9/")))
    assert problem.refused
    assert problem.retry_after is None


@pytest.mark.parametrize("said", ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "1e9", "99999999", "²", ""])
async def test_a_pause_that_is_no_number_of_seconds_is_none(said):
    problem = await refusal(WebReceiver(answer("503 Busy", b"", f"Retry-After: {said}".rstrip())))
    assert problem.retry_after is None


@pytest.mark.parametrize(
    "says", [b"", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 banana\r\n\r\n", b"\x16\x03\x01\x02\x00" * 40]
)
async def test_garbage_is_to_be_tried_again(says):
    problem = await refusal(WebReceiver(says))
    assert not problem.refused
    assert str(problem).startswith("cannot notify by webhook at 127.0.0.1: ")


async def test_nobody_there_is_to_be_tried_again():
    async with WebReceiver().open() as receiver:
        url = receiver.url
    with pytest.raises(PortError, match="cannot connect") as caught:
        await Webhook(url).send(NOTICE)
    assert not caught.value.refused


async def test_silence_ends_at_the_deadline():
    begun = time.monotonic()
    problem = await refusal(WebReceiver(None), 0.3)
    assert str(problem) == "cannot notify by webhook at 127.0.0.1: no answer within 0.3 s"
    assert time.monotonic() - begun < 20


async def test_an_answer_without_end_is_not_read_to_its_end():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n"
    async with WebReceiver(head, endless=True).open() as receiver:
        assert await Webhook(receiver.url, 2.0).send(NOTICE) == "127.0.0.1 said 200 OK"
    refused = b"HTTP/1.1 404 Not Found\r\nContent-Length: 999999999\r\n\r\nno\n"
    problem = await refusal(WebReceiver(refused, endless=True), 2.0)
    assert problem.refused
    assert len(str(problem)) < 400


async def test_the_address_is_in_no_error():
    echo = b"Cannot POST /hooks/T0-SECRET?key=SECRET here: /hooks/T0-SECRET"
    said = [str(await refusal(WebReceiver(answer("404 Not Found", echo))))]
    said.append(str(await refusal(WebReceiver(b"garbage"))))
    said.append(str(await refusal(WebReceiver(None), 0.1)))
    assert not [text for text in said if "SECRET" in text]
    assert "Cannot POST … here: …" in said[0]
    for address in ("https://a.b:99999/SECRET", "ftp://a.b/SECRET", "SECRET", "http://a.example.com/SECRET"):
        with pytest.raises(PortError, match="cannot notify by webhook: its address") as caught:
            Webhook(address)
        assert "SECRET" not in f"{caught.value!r} {caught.value.__cause__}"
        assert caught.value.refused


@pytest.mark.parametrize(
    ("url", "fields"),
    [
        ("https://hooks.slack.com/services/T/B/x", {"text"}),
        ("https://chat.googleapis.com/v1/spaces/A/messages?key=k", {"text"}),
        ("https://firm.webhook.office.com/webhookb2/x", {"text"}),
        ("https://discord.com/api/webhooks/1/x", {"content"}),
    ],
)
def test_chats_that_refuse_what_they_do_not_know_get_the_text_alone(url, fields):
    document = json.loads(Webhook(url)._body(NOTICE))
    assert set(document) == fields
    assert document.popitem()[1] == NOTICE.text


def test_a_receiver_of_ones_own_gets_everything():
    assert set(json.loads(Webhook("https://notslack.com/x")._body(NOTICE))) > {"text", "id", "evidence"}
    assert OK.startswith(b"HTTP/1.1 200")
