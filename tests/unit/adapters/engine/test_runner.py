"""Which bytes, CPU seconds and memory are work, and which are not."""

import pytest

from inferagent.adapters.engine.processes import Usage
from inferagent.adapters.engine.runner import MEMORY_STEP, Answers, Work
from inferagent.adapters.engine.sockets import Connection, Owner


def connection(port, *, sent, received, asking=False, owner=Owner.FOREIGN):
    return Connection((("e", 1), ("c", port)), owner, sent, received, asking, asking)


def grown(*looks):
    """How much the total grew at the last of these looks."""
    answers = Answers()
    totals = [answers.add(look) for look in looks]
    return totals[-1] - totals[-2]


def test_a_stream_that_goes_on_is_work():
    assert grown([connection(1, sent=10, received=5)], [connection(1, sent=60, received=5)]) == 50


def test_a_late_answer_to_an_old_question_is_work():
    asked = connection(1, sent=0, received=5, asking=True)
    assert grown([asked], [connection(1, sent=80, received=9)]) == 80


def test_a_question_answered_between_two_looks_is_not():
    assert grown([connection(1, sent=10, received=5)], [connection(1, sent=60, received=9)]) == 0


def test_bytes_that_merely_arrive_are_not():
    waiting = connection(1, sent=0, received=5, asking=True)
    assert grown([waiting], [connection(1, sent=0, received=500, asking=True)]) == 0


def test_new_and_closed_connections_are_not():
    assert grown([connection(1, sent=9, received=5)], [connection(2, sent=9, received=5)]) == 0
    assert grown([connection(1, sent=9, received=5)], []) == 0


def test_answers_to_the_agent_itself_are_not():
    before, after = (connection(1, sent=n, received=5, owner=Owner.AGENT) for n in (10, 60))
    assert grown([before], [after]) == 0


@pytest.mark.parametrize("owner", [Owner.CONNECTOR, Owner.ENGINE])
def test_answers_to_the_connector_and_inside_the_engine_are(owner):
    before, after = (connection(1, sent=n, received=5, owner=owner) for n in (10, 60))
    assert grown([before], [after]) == 50


def test_two_streams_add_up():
    before = [connection(1, sent=1, received=5), connection(2, sent=1, received=5)]
    after = [connection(1, sent=3, received=5), connection(2, sent=4, received=5)]
    assert grown(before, after) == 5


def process(cpu=0.0, memory=0, pid=1, started=1.0):
    return Usage(pid, started, cpu, memory, 0)


def test_cpu_time_counts_above_an_idle_processs_ticking():
    work = Work()
    assert work.add([process(5.0)], 10.0) == (5.0, 0)
    assert work.add([process(5.005)], 12.0) == (5.0, 0)
    assert work.add([process(5.105)], 14.0) == (5.1, 0)


def test_ticking_does_not_add_up():
    work = Work()
    first = work.add([process(5.0)], 0.0)
    assert all(work.add([process(5.0 + n * 0.009)], n * 2.0) == first for n in range(1, 50))


def test_memory_that_grows_slowly_adds_up():
    work = Work()
    work.add([process()], 0.0)
    work.add([process(memory=MEMORY_STEP - 1)], 2.0)
    assert work.memory == 0
    work.add([process(memory=MEMORY_STEP + 1)], 4.0)
    assert work.memory == MEMORY_STEP + 1


def test_memory_that_shrinks_is_no_work():
    work = Work()
    work.add([process(memory=10 * MEMORY_STEP)], 0.0)
    before = work.memory
    work.add([process(memory=MEMORY_STEP)], 2.0)
    assert work.memory == before


def test_another_life_of_the_same_pid_begins_anew():
    work = Work()
    work.add([process(5.0)], 0.0)
    assert work.add([process(0.5, started=2.0)], 2.0) == (5.5, 0)


def test_a_runner_that_ended_takes_nothing_away():
    work = Work()
    before = work.add([process(5.0)], 0.0)
    assert work.add([], 2.0) == before
