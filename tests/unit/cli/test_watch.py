"""One line a change, on real looks at an agent; nothing where only ages and counts move."""

import signal
import subprocess
import sys

from inferagent.cli.client import Reply, UnreachableError
from inferagent.cli.watch import View, lines, view

AT = "2026-11-22T12:07:11+01:00"


def document(sentence="serving", **changes):
    return {"phase": "serving", "host": "gpu-home", "sentence": sentence, "at": AT} | changes


class EnoughError(Exception):
    pass


def said(*views):
    told, left = [], list(views)

    def sleep(_seconds):
        if not left:
            raise EnoughError

    try:
        lines(lambda: left.pop(0), told.append, sleep)
    except EnoughError:
        return told
    raise AssertionError


def test_a_line_is_said_when_something_changed_and_only_then():
    looks = [View(document(f"no edge connection for {n} s")) for n in range(3)]
    looks += [
        View(document("out, held", cure="inferagent resume")),
        View(document("out, held", cure="inferagent resume")),
    ]
    assert said(*looks) == [
        "12:07:11  gpu-home  no edge connection for 0 s",
        "12:07:11  gpu-home  out, held  → inferagent resume",
    ]


def test_an_agent_that_does_not_answer_is_a_change_too():
    gone = View(problem="cannot reach the agent", cure="start it")
    first, second, third = said(View(document()), gone, View(document()))
    assert second.endswith("  cannot reach the agent")
    assert first == third


def test_a_look_never_raises():
    def unreachable():
        raise UnreachableError("cannot reach", "start it")

    assert view(unreachable) == View(problem="cannot reach", cure="start it")
    young = Reply(503, "", {"message": "cannot tell yet", "cure": "inferagent status"})
    assert view(lambda: young) == View(problem="cannot tell yet", cure="inferagent status")
    assert view(lambda: Reply(200, "", document())).document == document()


def test_a_page_is_the_status_or_the_problem():
    assert View(document()).page(colour=False, width=80).startswith("gpu-home  SERVING")
    assert View(problem="p", cure="c").page(colour=False, width=80) == "p\n  → c\n"
    assert View(problem="p").page(colour=False, width=80) == "p\n"


def test_in_a_pipe_it_prints_lines_until_interrupted(agent, status_of):
    agent.shows = [status_of(at=AT), status_of(phase="out", sentence="out, held", at=AT)]
    words = ["-m", "inferagent.cli.main", "status", "--watch", "--config", str(agent.folder)]
    child = subprocess.Popen(
        [sys.executable, "-u", *words], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    try:
        assert child.stdout.readline() == "12:07:11  gpu-home  serving\n"
        assert child.stdout.readline() == "12:07:11  gpu-home  out, held\n"
        child.send_signal(signal.SIGINT)
        assert child.wait(10) == 0
    finally:
        child.kill()
        child.communicate()


def test_json_and_watch_exclude_each_other(agent, run_command):
    assert run_command("status", "--json", "--watch", "--config", agent.folder).exit_code == 2
