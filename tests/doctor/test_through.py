"""Answers that came through Cloudflare, and the hop that each tells of."""

import json

import pytest

from inferagent.adapters.hops.public import Reply, Step, StepError
from inferagent.programs.doctor.through import is_access, judged, tokens
from inferagent.programs.doctor.verdict import Hop


def reply(status, body="", **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, names, (body if isinstance(body, str) else json.dumps(body)).encode())


LOGIN = "https://team.cloudflareaccess.com/cdn-cgi/access/login/llm.example.com"
ANSWERS = [
    (reply(302, location=LOGIN), Hop.ACCESS),
    (reply(403, "<h1>", cf_access_domain="llm.example.com"), Hop.ACCESS),
    (reply(401, "", www_authenticate='Cloudflare-Access resource_metadata="x"'), Hop.ACCESS),
    (reply(403, "<html>Just a moment", cf_mitigated="challenge"), Hop.EDGE),
    (reply(530, "error code: 1033"), Hop.TUNNEL),
    (reply(530, "<title>Error 1033</title>"), Hop.TUNNEL),
    (reply(530, "<html>"), Hop.TUNNEL),
    (reply(530, "error code: 1016"), Hop.POOL),
    (reply(409, "error code: 1001"), Hop.DNS),
    (reply(522, "error code: 522"), Hop.DNS),
    (reply(524, "error code: 524"), Hop.ENGINE),
    (reply(502, "error code: 502"), Hop.INGRESS),
    (reply(403, ""), Hop.HOST_HEADER),
    (reply(404, ""), Hop.INGRESS),
    (reply(404, {"error": {"message": "The model `chat` does not exist."}}), Hop.MODEL),
    (reply(404, {"error": "model 'chat' not found"}), Hop.MODEL),
    (reply(503, ""), Hop.INGRESS),
    (reply(401, {"error": "Unauthorized"}), Hop.ENGINE),
]


@pytest.mark.parametrize(("answer", "hop"), ANSWERS)
def test_each_answer_tells_its_hop(answer, hop):
    outcome = judged(answer, "llm.example.com")
    assert outcome.hop is hop
    assert outcome.cure
    assert str(answer.status) in outcome.evidence


def test_an_answer_of_the_engine_is_none_of_these():
    assert judged(reply(200, {"choices": []}), "h") is None
    assert judged(reply(500, {"error": {"message": "boom"}}), "h") is None


def test_tokens_are_asked_for():
    good = {"choices": [{"message": {}}], "usage": {"completion_tokens": 1}}
    assert tokens(reply(200, good), "h") is None
    for answer in (
        reply(200, {"choices": []}),
        reply(200, "<html>hello"),
        reply(500, {"error": {"message": "boom"}}),
    ):
        assert tokens(answer, "h").hop is Hop.ENGINE


@pytest.mark.parametrize(
    ("step", "hop"), [(Step.CONNECT, Hop.EDGE), (Step.TLS, Hop.EDGE), (Step.ANSWER, None)]
)
def test_a_request_that_broke_off(step, hop):
    outcome = tokens(StepError(step, "cannot x"), "gpu.example.com")
    assert (outcome.hop, outcome.evidence) == (hop, "cannot x")


def test_a_redirect_elsewhere_is_not_access():
    assert not is_access(reply(301, location="https://llm.example.com/"))
    assert not is_access(reply(302, location="https://[cloudflareaccess.com"))
    assert not is_access(reply(302, location="https://evil.example.com/cloudflareaccess.com"))


def test_an_answer_is_shown_short_and_without_a_page():
    shown = judged(reply(502, "<html>" + "x" * 5000), "h").evidence
    assert len(shown) < 200
    assert "<html>" not in shown
