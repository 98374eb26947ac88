"""A slice of `make fuzz`: few inputs of each target with a fixed seed, and every input that once failed."""

import json
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from tests.fuzz.runner import KEPT, Judged, examine, run
from tests.fuzz.targets import TARGETS

CASES = sorted((Path(__file__).parent / "cases").glob("*.json"))
INPUTS = {"configuration": 600, "metrics": 2000, "answers": 1500, "state": 1000}


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_crashes_a_reader_or_gets_a_wrong_verdict(name):
    with closing(TARGETS[name]()) as target:
        tally = run(target, 2024, range(INPUTS[name]))
    assert not tally.failures, "\n".join(f"{one.index}: {one.kind}: {one.said}" for one in tally.failures[:3])
    assert tally.inputs == INPUTS[name]
    assert all(tally.words[word] > INPUTS[name] / 20 for word in ("accepted", "refused")), tally.words


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_what_failed_once_is_right_now(path):
    found = json.loads(path.read_text("utf-8"))
    with closing(TARGETS[found["target"]]()) as target:
        kind, judged = examine(target, found["case"])
    assert kind == "", judged.wrong


@pytest.mark.parametrize("name", TARGETS)
def test_the_same_seed_makes_the_same_inputs(name):
    with closing(TARGETS[name]()) as target:
        for index in range(20):
            case = target.make(Random(index))
            assert json.dumps(target.make(Random(index))) == json.dumps(case)
            assert json.loads(json.dumps(case)) == case  # it can be written down and judged again


class Broken:
    """A target of which each third input crashes its reader, and each fifth is judged wrongly."""

    name = "broken"

    def make(self, random):
        return {"number": random.randrange(15)}

    def judge(self, case):
        if case["number"] % 3 == 0:
            raise RecursionError("too deep")
        return Judged("accepted", ("it is wrong",) if case["number"] % 5 == 0 else ())


def test_crashes_and_wrong_verdicts_are_counted_and_kept(tmp_path):
    tally = run(Broken(), 1, range(300))
    assert tally.kinds["crash"] > 50
    assert tally.kinds["wrong"] > 15
    assert len(tally.failures) == KEPT
    first = tally.failures[0]
    written = json.loads(first.write(tmp_path).read_text())
    assert written["case"] == first.case
    assert examine(Broken(), written["case"])[0] == first.kind
    assert "300 inputs" in tally.line("broken")
