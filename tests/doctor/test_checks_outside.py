"""Checks from outside, where the clinic shows no such case."""

import pytest
from tests.support.doctoring import configured, judged

from inferagent.adapters.hops.names import NoNameError
from inferagent.adapters.hops.public import Reply, Step, StepError
from inferagent.programs.doctor.looks_here import CONNECTOR, Connector
from inferagent.programs.doctor.looks_outside import (
    EDGE_ADDRESSES,
    EDGE_TCP,
    EDGE_UDP,
    HOST_ANSWER,
    OWN_ADDRESSES,
    PUBLIC_ANSWER,
    PUBLIC_NAME,
    READY_PAGE,
    Reached,
)
from inferagent.programs.doctor.verdict import Hop

ALL, NONE, HALF = Reached(2, 2, ""), Reached(0, 2, "cannot get out"), Reached(1, 2, "cannot reach one")
LOST, LINKED = Connector(0, "", "", 1, ()), Connector(4, "", "", 1, ())


@pytest.mark.parametrize(
    ("tcp", "udp", "connector", "verdict", "words"),
    [
        (ALL, ALL, LOST, "ok", "get through"),
        (ALL, NONE, LOST, "warn", "falls back"),
        (NONE, ALL, LOST, "warn", "nothing to fall back"),
        (HALF, ALL, LOST, "warn", "one of two"),
        (NONE, NONE, LOST, "fail", "cannot get out"),
        (NONE, NONE, LINKED, "warn", "yet the connector has 4"),
    ],
)
def test_port_7844(tmp_path, tcp, udp, connector, verdict, words):
    given = {EDGE_TCP: tcp, EDGE_UDP: udp, CONNECTOR: connector}
    result = judged("edge.port", configured(tmp_path), given)
    assert (result.verdict, words in result.outcome.evidence) == (verdict, True)


def test_names_that_do_not_resolve(tmp_path):
    missing = NoNameError("cannot resolve x: there is no such name")
    direction = configured(tmp_path)
    assert judged("dns.host", direction, {OWN_ADDRESSES: missing}).verdict == "fail"
    assert judged("dns.resolver", direction, {OWN_ADDRESSES: missing}).verdict == "ok"
    found = judged(
        "dns.edge", direction, {EDGE_ADDRESSES: (("region1.x", missing), ("region2.x", ("1.2.3.4",)))}
    )
    assert (found.verdict, found.outcome.evidence) == ("fail", "cannot resolve region1.x")


@pytest.mark.parametrize(
    ("page", "verdict", "hop"),
    [
        (Reply(200, {}, b'{"ready": true, "phase": "serving"}'), "ok", Hop.READY),
        (Reply(503, {}, b'{"ready": false, "phase": "out"}'), "ok", Hop.READY),
        (Reply(200, {}, b'{"object": "list"}'), "fail", Hop.INGRESS),
        (Reply(530, {}, b"error code: 1033"), "fail", Hop.TUNNEL),
        (StepError(Step.ANSWER, "cannot get an answer"), "fail", Hop.READY),
    ],
)
def test_the_monitors_way(tmp_path, page, verdict, hop):
    result = judged("ready.public", configured(tmp_path), {READY_PAGE: page})
    assert (result.verdict, result.hop) == (verdict, hop)


GOOD = Reply(200, {}, b'{"choices": [{}], "usage": {"completion_tokens": 1}}')


@pytest.mark.parametrize(
    ("answer", "verdict", "hop"),
    [
        (GOOD, "ok", Hop.ENGINE),
        (Reply(502, {}, b"error code: 502"), "fail", Hop.INGRESS),
        (Reply(404, {}, b'{"error": {"message": "the model chat does not exist"}}'), "fail", Hop.MODEL),
        (StepError(Step.ANSWER, "cannot get an answer"), "fail", Hop.ENGINE),
    ],
)
@pytest.mark.parametrize("name", ["answer.host", "answer.public"])
def test_the_answer_names_the_hop(tmp_path, name, answer, verdict, hop):
    given = {HOST_ANSWER: answer, PUBLIC_ANSWER: answer, PUBLIC_NAME: "llm.example.com"}
    result = judged(name, configured(tmp_path), given)
    assert (result.verdict, result.hop) == (verdict, hop)
