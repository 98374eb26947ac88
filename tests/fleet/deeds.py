"""What can happen to a host of the fleet: ways to fall ill, to be blinded, to be told, and to recover."""

from collections.abc import Callable

from tests.fleet.engine import FOR_EVER, Request
from tests.fleet.fleet import Fleet
from tests.fleet.host import Host
from tests.fleet.users import GAME, XORG

from inferagent.model.tunnel import IngressRule

Deed = Callable[[Fleet, Host], None]
STREAM = 900.0


def for_good(fleet: Fleet, host: Host) -> None:
    host.engine.supervised = False
    host.engine.kill()


def cannot_live(fleet: Fleet, host: Host) -> None:
    """Whoever starts it, it dies a second later, for five minutes."""
    host.engine.supervised = False
    host.engine.short_lived_until = host.clock.now() + 300.0
    host.engine.kill()


def stall(fleet: Fleet, host: Host) -> None:
    host.engine.ills.hung_until = max(host.engine.ills.hung_until, host.clock.now() + 50.0)


def hang(fleet: Fleet, host: Host) -> None:
    host.engine.ills.hung_until = FOR_EVER


def ill(name: str, value: object) -> Deed:
    return lambda fleet, host: setattr(host.engine.ills, name, value)


def sight(name: str, value: object) -> Deed:
    return lambda fleet, host: setattr(host.engine.sight, name, value)


def line(name: str, value: object) -> Deed:
    return lambda fleet, host: setattr(host.line, name, value)


def late(kind: str, seconds: float) -> Deed:
    def deed(fleet: Fleet, host: Host) -> None:
        host.line.writes, host.line.late = kind, seconds

    return deed


def on(name: str, value: object) -> Deed:
    return lambda fleet, host: setattr(host, name, value)


def on_users(name: str, value: object) -> Deed:
    return lambda fleet, host: setattr(host.users, name, value)


def connector(name: str, value: object) -> Deed:
    return lambda fleet, host: setattr(host.connector, name, value)


def units(unknown: bool) -> Deed:
    def deed(fleet: Fleet, host: Host) -> None:
        host.units_unknown = unknown
        host.engine.tell()
        host.connector.tell()

    return deed


def hand_edits(fleet: Fleet, host: Host) -> None:
    """Somebody changes what is none of the agent's business, while agents write."""
    for pool in fleet.edge.pools:
        pool.entry["own_note"] = f"{pool.entry['own_note']}."
        pool.entry["origins"][0]["weight"] = 0.5


def sheds(percent: int) -> Deed:
    return lambda fleet, host: host.pool.entry.update(
        load_shedding={"default_percent": percent, "default_policy": "random"}
    )


def resends(fleet: Fleet, host: Host) -> None:
    for _ in range(20):
        host.take(Request(work=20.0))


def stream(fleet: Fleet, host: Host) -> None:
    host.take(Request(work=STREAM))


def lan(fleet: Fleet, host: Host) -> None:
    host.take(Request(work=120.0, lan=True))


def clone(fleet: Fleet, host: Host) -> None:
    host.foreign = True
    host.pool.entry["description"] = "inferagent machine=ffffffffffffffff serves=chat"


def unclone(fleet: Fleet, host: Host) -> None:
    host.foreign = False
    host.pool.entry["description"] = f"inferagent machine={host.terms.machine} serves=chat"
    host.connector.tunnel_id = host.terms.tunnel_id


def torn(fleet: Fleet, host: Host) -> None:
    """The agent dies, and half of its state with it."""
    host.kill_agent()
    host.disk.torn()
    host.forgot = True
    fleet.note(host, "torn")
    host.crashed()


def restarted(down: float) -> Deed:
    def deed(fleet: Fleet, host: Host) -> None:
        host.kill_agent()
        fleet.later(down, host.start_agent)

    return deed


def frozen(fleet: Fleet, host: Host) -> None:
    host.freeze()
    fleet.later(25.0, host.thaw)


def crash(after: int) -> Deed:
    """The agent dies between two of its next effects."""
    return lambda fleet, host: setattr(host, "crash_at", host.effects + after)


def misled(fleet: Fleet, host: Host) -> None:
    host.connector.ingress = (IngressRule("", "", "http_status:404"),)


DEEDS: dict[str, Deed] = {
    "nothing": lambda fleet, host: None,
    "engine killed": lambda fleet, host: host.engine.kill(),
    "engine killed for good": for_good,
    "engine cannot live": cannot_live,
    "engine flashes": lambda fleet, host: host.engine.flash() if host.engine.alive else None,
    "engine hangs": hang,
    "engine stalls": stall,
    "engine answers wrongly": ill("wrong", True),
    "engine answers rightly": ill("wrong", False),
    "engine refuses": ill("refuses", True),
    "engine stopped by a person": lambda fleet, host: host.engine.stop(person=True),
    "engine started by a person": lambda fleet, host: None if host.engine.alive else host.engine.spawn(),
    "model gone": ill("no_model", True),
    "model back": ill("no_model", False),
    "engine degraded": ill("degraded", "runs on the CPU"),
    "engine whole": ill("degraded", ""),
    "start stuck": lambda fleet, host: (setattr(host.engine.ills, "load_stuck", True), host.engine.kill())[0],
    "LAN request": lan,
    "stream": stream,
    "burst": resends,
    "counters gone": sight("metrics", "na"),
    "counters fail": sight("metrics", "failed"),
    "counters renamed": sight("metrics", "renamed"),
    "counters back": sight("metrics", "ok"),
    "blind": sight("blind", True),
    "seeing": sight("blind", False),
    "looks slow": sight("slow", True),
    "looks quick": sight("slow", False),
    "connector killed": lambda fleet, host: host.connector.kill(),
    "connector metrics fail": connector("metrics_fail", True),
    "connector metrics back": connector("metrics_fail", False),
    "line cut": connector("edge", False),
    "line back": connector("edge", True),
    "ingress wrong": misled,
    "ingress right": lambda fleet, host: setattr(host.connector, "ingress", host.terms.ingress),
    "API cut": line("cut", True),
    "API back": line("cut", False),
    "token revoked": line("token", False),
    "token given": line("token", True),
    "writes refused": line("writes", "refused"),
    "writes lost": line("writes", "lost"),
    "writes late": late("late", 40.0),
    "writes late, answered": late("late-answered", 20.0),
    "writes well": line("writes", "ok"),
    "hand disables": lambda fleet, host: host.hand(False) if host.pool.enabled else None,
    "hand enables": lambda fleet, host: host.hand(True) if not host.pool.enabled else None,
    "hand edits": hand_edits,
    "hand sheds": sheds(50),
    "hand sheds no more": sheds(0),
    "clone": clone,
    "no clone": unclone,
    "another tunnel": connector("tunnel_id", "tunnel-x"),
    "drain": lambda fleet, host: (host.drain(), None)[1],
    "drain --last": lambda fleet, host: (host.drain(last=True), None)[1],
    "drain --stop-engine": lambda fleet, host: (host.drain(last=True, stop_engine=True), None)[1],
    "drain --deadline": lambda fleet, host: (host.drain(deadline=20.0, stop_engine=True), None)[1],
    "drain --for": lambda fleet, host: (host.drain(last=True, lasts=60.0), None)[1],
    "lend": lambda fleet, host: (host.lend(60.0, last=True), None)[1],
    "lend unasked": lambda fleet, host: (host.lend(60.0), None)[1],
    "game starts": lambda fleet, host: host.users.put(fleet.now, *host.users.others, GAME),
    "game ends": lambda fleet, host: host.users.put(fleet.now, XORG),
    "desktop anew": lambda fleet, host: host.users.restart_desktop(fleet.now),
    "GPU users unseen": on_users("unseen", True),
    "GPU users seen": on_users("unseen", False),
    "clock back": lambda fleet, host: host.jump(-86400.0),
    "clock ahead": lambda fleet, host: host.jump(86400.0),
    "clock right": lambda fleet, host: host.jump(0.0),
    "resume": lambda fleet, host: (host.resume(), None)[1],
    "park": lambda fleet, host: host.resettle(parked="nobody asked for an hour"),
    "unpark": lambda fleet, host: host.resettle(parked=""),
    "agent restarted": restarted(1.0),
    "agent away": restarted(40.0),
    "agent frozen": frozen,
    "crash 1": crash(1),
    "crash 2": crash(2),
    "crash 3": crash(3),
    "crash 5": crash(5),
    "reboot": lambda fleet, host: fleet.spawn(host.reboot(20.0)),
    "sleep": lambda fleet, host: fleet.spawn(host.suspend(60.0)),
    "state torn": torn,
    "disk full": lambda fleet, host: setattr(host.disk, "full", True),
    "disk free": lambda fleet, host: setattr(host.disk, "full", False),
    "GPU lost": on("gpu_fault", "lost"),
    "GPU silent": on("gpu_blind", True),
    "GPU off the bus": lambda fleet, host: (setattr(host, "gpu_fault", "lost"), host.kernel_says(79))[1],
    "GPU memory fault": lambda fleet, host: host.kernel_says(48),
    "GPU cured": on("gpu_fault", ""),
    "fault cleared": lambda fleet, host: (host.clear_faults(), None)[1],
    "units unreadable": units(True),
    "units readable": units(False),
    "monitor blind": lambda fleet, host: setattr(fleet.edge.monitor, "blind", True),
    "monitor sees": lambda fleet, host: setattr(fleet.edge.monitor, "blind", False),
    "account down": lambda fleet, host: setattr(fleet.account, "down", True),
    "account up": lambda fleet, host: setattr(fleet.account, "down", False),
    "many users": lambda fleet, host: setattr(fleet, "rate", 4.0 * len(fleet.hosts)),
    "few users": lambda fleet, host: setattr(fleet, "rate", 0.2),
}

# What follows each other often in life, with seconds between (None: as drawn): without these, random stories
# hardly ever meet some rules.
SEQUENCES: dict[str, tuple[tuple[str, float | None], ...]] = {
    "drain and stop": (("drain --last", 15.0), ("LAN request", 2.0), ("drain --stop-engine", 20.0)),
    "stopped at once": (("drain --stop-engine", 25.0),),
    "stopped with a stream": (("stream", 1.0), ("drain --stop-engine", 30.0)),
    "drain and back": (("drain --last", None), ("resume", None)),
    "lent and played": (("lend", 25.0), ("game starts", 60.0), ("game ends", 20.0)),
    "lent through a boot": (("lend", 25.0), ("reboot", 45.0)),
    "drained for a while": (("drain --for", 75.0),),
    "clocks jump in a hold": (("drain --for", 10.0), ("clock back", 10.0), ("reboot", 40.0)),
    "held through a boot": (("drain --last", None), ("reboot", 30.0)),
    "held and killed": (("drain --last", 14.0), ("engine killed for good", 10.0)),
    "lost GPU, dead engine": (("GPU lost", 8.0), ("engine killed for good", 8.0)),
    "cured and cleared": (("GPU off the bus", 8.0), ("GPU cured", 6.0), ("fault cleared", 20.0)),
    "cleared in vain": (("GPU off the bus", 8.0), ("fault cleared", 20.0)),
    "cleared and again": (("GPU memory fault", 8.0), ("fault cleared", 8.0), ("GPU memory fault", 8.0)),
    "full disk, drained, resumed": (("drain --last", 14.0), ("disk full", 0.0), ("resume", 10.0)),
    "cloned while out": (("drain --last", 14.0), ("clone", 16.0), ("resume", 8.0)),
    "token gone in a drain": (("engine hangs", 15.0), ("token revoked", 30.0)),
    "edited while out": (("drain --last", 14.0), ("hand edits", 1.0), ("resume", 15.0)),
    "late and back": (("writes late", 0.0), ("drain --last", None), ("resume", 45.0)),
    "parked": (("park", 20.0),),
    "degraded": (("engine degraded", 20.0),),
    "parked and called": (("park", 20.0), ("nothing", None)),
    "dies and dies": (("engine killed for good", 5.0), ("engine cannot live", 20.0)),
    "another hand, dead engine": (("hand disables", 20.0), ("engine killed for good", 20.0)),
    "resumed blind": (("drain --last", 14.0), ("connector metrics fail", 8.0), ("resume", 12.0)),
    "writes refused, drained": (("writes refused", 0.0), ("drain --last", 20.0)),
    "token gone, drained": (("token revoked", 0.0), ("drain --last", 20.0)),
    "disk full, dead engine": (("disk full", 1.0), ("engine killed", 20.0)),
    "stalls under load": (("burst", 0.0), ("engine stalls", 45.0)),
    "another hand": (("writes well", 0.0), ("hand disables", 20.0)),
    "another hand, and resume": (("hand disables", 20.0), ("resume", 20.0)),
    "agent gone": (("agent restarted", 5.0),),
    "upgrade": (("agent away", 45.0),),
}
