"""The power is cut at each step of a drain and of the way back: the host resumes in order, saved state whole.

The host has a kernel of its own, so that what was not on the disk yet is lost. Another host goes on serving.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.hosts.cuts import Cut, out_of_order, unexplained
from tests.hosts.host import until
from tests.hosts.powercut import ENGINE, Play
from tests.hosts.stage import UNITS
from tests.hosts.suite import say
from tests.hosts.uml import beside
from tests.hosts.users import Users

RATE = 4.0  # requests a second
LEFT = 10.0  # seconds until the edge's monitor has seen that a host is gone
TOLD = 2.0  # and until the edge has taken up a pool's change
SLOW_END = "[Service]\nExecStop=/bin/sleep 5\n"  # so that its stopping can be hit


@dataclass(frozen=True)
class Step:
    """`begins`: serving or held. `ends`: what it comes back to; "asked": either, the order had no answer yet.
    `grace`: of the cut, where users may still be sent there."""

    name: str
    begins: str
    ends: str
    grace: float | None
    deed: Callable[[Play], None]
    moment: Callable[[Play], bool]


@dataclass
class Tally:
    cuts: list[Cut] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    in_order: int = 0
    whole: int = 0
    lost: int = 0


def answered(_play: Play) -> bool:
    return True


def long_drain(play: Play) -> None:
    play.stream()
    play.drain()


def late_drain(play: Play) -> None:
    play.late()
    play.order("drain")


def late_death(play: Play) -> None:
    play.late()
    play.kill_engine()


def stopped(play: Play) -> bool:
    return play.phase("out") and play.engine("inactive", "failed")


def drain(play: Play) -> None:
    play.drain()


def drain_asked(play: Play) -> None:
    play.order("drain")


def drain_stop(play: Play) -> None:
    play.drain("--stop-engine")


def resume_asked(play: Play) -> None:
    play.order("resume")


def disabled(play: Play) -> bool:
    return play.accepted(False)


def enabled(play: Play) -> bool:
    return play.accepted(True)


def in_phase(phase: str) -> Callable[[Play], bool]:
    return lambda play: play.phase(phase)


def stopping(play: Play) -> bool:
    return play.engine("deactivating")


def forgotten(play: Play) -> bool:
    return not play.held()


STEPS = (
    Step("drain answered", "serving", "held", LEFT, drain, answered),
    Step("resume answered", "held", "serving", LEFT, Play.resume, answered),
    Step("ready URL 503", "serving", "asked", LEFT, drain_asked, Play.refused),
    Step("joining", "held", "serving", LEFT, Play.resume, in_phase("joining")),
    Step("leaving write under way", "serving", "asked", LEFT, late_drain, Play.sent),
    Step("enabling write accepted", "held", "serving", LEFT, Play.resume, enabled),
    Step("leaving write accepted", "serving", "held", TOLD, drain, disabled),
    Step("serving again", "held", "serving", LEFT, Play.resume, in_phase("serving")),
    Step("waits for quiet", "serving", "held", 0.0, long_drain, Play.waits),
    Step("resume not answered", "held", "asked", LEFT, resume_asked, forgotten),
    Step("out, engine runs", "serving", "held", None, drain, in_phase("out")),
    Step("engine's stop ordered", "serving", "stopped", LEFT, drain_stop, answered),
    Step("engine is being stopped", "serving", "stopped", None, drain_stop, stopping),
    Step("out, engine stopped", "serving", "stopped", None, drain_stop, stopped),
    Step("drain not answered", "serving", "asked", LEFT, drain_asked, Play.held),
    Step("engine died, write accepted", "serving", "serving", TOLD, Play.kill_engine, disabled),
    Step("engine died, write under way", "serving", "serving", LEFT, late_death, Play.sent),
)


def suite() -> None:
    with beside() as (scene, _, host):
        host.write(f"/etc/systemd/system/{ENGINE}.d/lab.conf", SLOW_END)
        host.run("systemctl", "daemon-reload")
        host.run("systemctl", "enable", "--quiet", *UNITS, "inferagent-ready.socket")
        scene.serve(host, 120.0)
        host.run("sync")
        play, tally = Play(scene, host), Tally()
        with Users(scene.public_host, RATE) as users:
            for step in STEPS:
                _cut(play, step, tally)
            _brought_to("serving", play)
        _judged(tally, users, host.name)


def _cut(play: Play, step: Step, tally: Tally) -> None:
    """What misses is told, and the next step is tried all the same."""
    try:
        _brought_to(step.begins, play)
        step.deed(play)
        until(lambda: step.moment(play), f"the moment of “{step.name}”", 60.0, 0.005)
        tally.cuts.append(play.cut(step.name, step.grace))
        first, took = play.back()
        tally.lost += play.lost()
        play.whole()
        tally.whole += 1
        end = step.ends if step.ends != "asked" else "held" if first["hold"] else "serving"
        wrong = out_of_order(play.before, held=step.begins == "serving")
        assert not wrong, f"before the cut: {wrong}"
        more = play.comes_to(end, booted=True)
        play.whole()
        tally.in_order += 1
        writes = f"writes before it {play.before}, after it {play.written()}"
        say(f"{step.name}: answers {took:.1f} s after power is back, {end} {more:.1f} s later; {writes}")
    except (AssertionError, OSError) as missed:
        tally.failed.append(step.name)
        say(f"{step.name}: MISSED: {missed}")


def _brought_to(begin: str, play: Play) -> None:
    if not play.host.lives:
        play.back()
    told = play.host.told()
    if begin == "serving" and told.get("hold"):
        play.resume()
    elif begin == "held" and not told.get("hold"):
        play.drain()
    play.comes_to(begin)


def _judged(tally: Tally, users: Users, host: str) -> None:
    cuts = len(tally.cuts)
    lost = unexplained(users.traffic.outcomes, tally.cuts, host)
    failed = sum(users.failed.values())
    cut = failed - len(lost)
    say(f"{users.sent} requests, {failed} failed: {cut} by the cuts themselves, {len(lost)} else")
    say(f"what was written just before the order and not synced was lost in {tally.lost} of {cuts} cuts")
    say(f"{cuts} cuts, {tally.in_order} resumed in order, state whole in {tally.whole}")
    assert cuts == len(STEPS), f"only {cuts} of {len(STEPS)} steps were cut"
    assert tally.lost, "no cut lost anything: the power was not really cut"
    assert not tally.failed, f"missed: {', '.join(tally.failed)}"
    assert not lost, f"failed, and no cut explains it: {lost}"
