"""Lines of the event file: every event comes back, none is long, and nothing that is read makes it fall."""

import json
import random
from dataclasses import replace

import pytest

from inferagent.model.event import Episode, Event, EventKind, Evidence
from inferagent.model.event_line import LONGEST, decode, encode

EVENT = Event(
    wall="2026-11-22T12:03:11+01:00",
    boot="b",
    at=1083.5,
    kind=EventKind.BEGINS,
    text="the engine hangs",
    phase="serving",
    cause="engine-hung",
    why="the engine hangs: nothing has moved for 31 s",
    evidence=Evidence(31.0, "unanswered", 12.0, 3, True, "", 4, 1, 2, 2.0),
)


@pytest.mark.parametrize(
    "event",
    [
        EVENT,
        replace(EVENT, evidence=Evidence()),
        replace(EVENT, evidence=Evidence(still=0.0, in_flight=0, accepts=False, exit="killed by signal 9")),
        replace(EVENT, episode=Episode("drain", 1000.0, 40.5, open=False), unsaid=7),
        *(replace(EVENT, kind=kind) for kind in EventKind),
    ],
)
def test_what_is_written_is_read(event: Event) -> None:
    line = encode(event)
    assert line.endswith(b"\n")
    assert decode(line) == event


def test_unknown_is_left_out_and_nought_is_said() -> None:
    found = json.loads(encode(replace(EVENT, evidence=Evidence(still=0.0, accepts=False, peers=0))))
    assert found["evidence"] == {"still": 0.0, "accepts": False, "peers": 0}
    assert "label" not in found


@pytest.mark.parametrize("letter", ["x", "\n", "\0", "\x1b", "…", "\U0001f525", "\udc80", '"', "\\"])
def test_no_line_is_long_or_more_than_one(letter: str) -> None:
    """Whatever a unit or a server said."""
    text = letter * 10_000
    evidence = Evidence(generation=text, exit=text)
    event = replace(EVENT, text=text, why=text, cause=text, wall=text, boot=text, evidence=evidence)
    line = encode(replace(event, episode=Episode(text, 1.0)))
    assert len(line) <= LONGEST
    assert line.count(b"\n") == 1
    assert decode(line).kind is EventKind.BEGINS


def test_a_time_that_is_none_breaks_nothing() -> None:
    line = encode(replace(EVENT, evidence=Evidence(generation_age=float("inf"))))
    assert decode(line).evidence == Evidence()


GOOD = json.loads(encode(EVENT))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"\0" * 100,
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps(GOOD | {"schema": 2}).encode(),
        json.dumps(GOOD | {"kind": "flight"}).encode(),
        json.dumps(GOOD | {"kind": []}).encode(),
        json.dumps(GOOD | {"at": "now"}).encode(),
        json.dumps(GOOD | {"at": True}).encode(),
        json.dumps(GOOD | {"at": float("nan")}).encode(),
        json.dumps(GOOD | {"text": 1}).encode(),
        json.dumps(GOOD | {"unsaid": 1e999}).encode(),
        json.dumps(GOOD | {"episode": {"deed": "drain"}}).encode(),
    ],
)
def test_what_is_no_event_is_a_value_error(line: bytes) -> None:
    with pytest.raises(ValueError):
        decode(line)


def test_what_a_later_version_adds_is_passed_over() -> None:
    more = GOOD | {"mood": "good", "evidence": {"still": "long", "edge": 4, "hue": 1}}
    assert decode(json.dumps(more).encode()).evidence == Evidence(edge=4)
    assert decode(json.dumps(GOOD | {"evidence": 1, "episode": 1}).encode()).evidence == Evidence()


def test_damaged_lines_are_events_or_value_errors() -> None:
    chance, line = random.Random(1), bytearray(encode(EVENT))
    read = 0
    for _ in range(3000):
        damaged = bytearray(line)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            read += isinstance(decode(bytes(damaged)), Event)
        except ValueError:
            continue
    assert read
