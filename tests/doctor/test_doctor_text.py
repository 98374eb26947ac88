"""Doctor's report for a person: what is broken first, 80 columns, colour only where asked."""

import re

from inferagent.cli.doctor_text import render

LONG = "cannot get an answer from https://gpu-a.example.com/.inferagent/ready: " + "no answer " * 12


def check(name, hop, verdict, evidence="e", cure="", hidden_by=""):
    return {
        "name": name,
        "hop": hop,
        "title": "it is so",
        "verdict": verdict,
        "evidence": evidence,
        "cure": cure,
        "hidden_by": hidden_by,
        "seconds": 0.1,
    }


def document(*checks):
    counts = {v: sum(c["verdict"] == v for c in checks) for v in ("ok", "warn", "fail", "skipped", "unknown")}
    return {"host": "gpu-a", "seconds": 1.26, "counts": counts, "checks": list(checks)}


SOME = document(
    check("config.valid", "configuration", "ok"),
    check("edge.port", "edge", "warn", "UDP is shut", "open it"),
    check("engine.port", "engine", "fail", LONG, "sudo systemctl restart vllm"),
    check("model.listed", "model", "skipped", "needs engine.port", hidden_by="engine.port"),
    check("gpu.report", "GPU", "unknown", "not read"),
    check("host.units", "units", "skipped", "systemd does not run this host"),
)


def test_the_broken_comes_first_then_what_is_not_known_then_warnings():
    lines = render(SOME).splitlines()
    assert lines[0] == "gpu-a  1 failed, 1 to look at, 1 cannot be told, 1 ok, 2 skipped (1.3 s)"
    heads = [line for line in lines if re.match(r"FAIL|WARN|\?\?\?\?", line) and "(" in line]
    assert [head.split()[0] for head in heads] == ["FAIL", "????", "WARN"]
    assert heads[0] == "FAIL  engine: it is so  (engine.port)"
    assert "      → sudo systemctl restart vllm" in lines


def test_consequences_are_one_line():
    text = render(SOME)
    assert "-     model           not told before engine.port is mended" in text
    assert "-     units           systemd does not run this host" in text
    assert "ok    configuration   1 ok" in text


def test_it_fits_a_screen():
    for every in (False, True):
        assert max(map(len, render(SOME, every=every).splitlines())) <= 80


def test_all_of_it():
    text = render(SOME, every=True)
    assert "ok    config.valid" in text
    assert text.count("engine.port") >= 2


def test_colour_only_where_asked():
    assert "\x1b" not in render(SOME)
    painted = render(SOME, colour=True)
    assert re.sub(r"\x1b\[\d+m", "", painted) == render(SOME)


def test_nothing_is_said_of_nothing():
    assert render({**document(), "host": ""}).startswith("this host  nothing to check")
