"""The report: exit codes, counts, and the JSON that others may rely on."""

import json

import pytest

from inferagent.programs.doctor.report import SCHEMA, Report, exit_code
from inferagent.programs.doctor.running import Result
from inferagent.programs.doctor.verdict import Check, Hop, Verdict, fail, ok, skipped, unknown, warn


async def judge(_sight):
    return ok("")


def result(outcome):
    return Result(Check("dns.host", Hop.DNS, "it resolves", judge), outcome, 0.25)


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([ok("")], 0),
        ([ok(""), warn("a", "b"), skipped("c")], 0),
        ([ok(""), unknown("a")], 3),
        ([unknown("a"), fail("b", "c")], 1),
        ([], 0),
    ],
)
def test_exit_codes(outcomes, code):
    assert exit_code([result(outcome) for outcome in outcomes]) == code


def test_the_document():
    report = Report(
        "gpu-a", "2026-11-22T10:00:00+01:00", 1.234, (result(fail("no", "do", Hop.EDGE)), result(ok("x")))
    )
    document = json.loads(json.dumps(report.document()))
    assert (document["schema"], document["exit_code"], document["seconds"]) == (SCHEMA, 1, 1.23)
    assert document["counts"] == {"ok": 1, "warn": 0, "fail": 1, "skipped": 0, "unknown": 0}
    assert document["checks"][0] == {
        "name": "dns.host",
        "hop": "edge",
        "title": "it resolves",
        "verdict": "fail",
        "evidence": "no",
        "cure": "do",
        "hidden_by": "",
        "seconds": 0.25,
    }
    assert report.count(Verdict.FAIL) == 1
