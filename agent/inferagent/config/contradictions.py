"""Keys that are right alone and wrong together; each clash is one function or one line of a table."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from inferagent.config.containers import container_of
from inferagent.config.durations import format_duration
from inferagent.config.errors import KeyPath, dotted
from inferagent.config.kinds import shown
from inferagent.config.settings import (
    CHECK_NAME,
    OWN_CONNECTOR,
    OWN_ENGINE,
    OWN_UNITS,
    Connector,
    Engine,
    Settings,
)
from inferagent.model.membership import MembershipKind

MOST_CHECKS = 20
LONGEST_SOCKET, MOST_PATH = "operator.sock", 107  # bytes that the kernel takes as the path of a socket
# Receivers whose address alone lets anybody write there.
SECRET_HOSTS = (
    "hooks.slack.com",
    "discord.com",
    "discordapp.com",
    "chat.googleapis.com",
    "webhook.office.com",
    "logic.azure.com",
)
LOCAL = ("127.0.0.1", "localhost", "::1", "[::1]")


@dataclass(frozen=True, slots=True)
class Clash:
    """Keys that contradict each other; the first one that a file of this host sets is shown as the place."""

    keys: tuple[KeyPath, ...]
    what: str
    cure: str


@dataclass(frozen=True, slots=True)
class Below:
    """`low` must be smaller than `high`, or at most equal where `equal`; "off" is exempt."""

    low: tuple[str, str]
    high: tuple[str, str]
    because: str
    equal: bool = False


ORDER = (
    Below(("drain", "settle"), ("drain", "deadline"), "a drain settles before its deadline"),
    Below(("drain", "settle"), ("drain", "deadline_alone"), "a drain settles before its deadline"),
    Below(("drain", "settle"), ("drain", "deadline_operator"), "a drain settles before its deadline"),
    Below(("drain", "settle"), ("drain", "shutdown"), "a shutdown has to leave the pool first"),
    Below(("drain", "quiet"), ("drain", "deadline"), "a drain is quiet before its deadline"),
    Below(("drain", "deadline_alone"), ("drain", "deadline"), "alone, repair is more urgent", equal=True),
    Below(("probe", "look"), ("probe", "fresh"), "a reading is renewed before it is too old"),
    Below(("probe", "host"), ("probe", "fresh"), "a reading is renewed before it is too old"),
    Below(("probe", "gpus"), ("probe", "fresh"), "a reading is renewed before it is too old"),
    Below(("probe", "membership"), ("probe", "fresh"), "a reading is renewed before it is too old"),
    Below(("probe", "look"), ("probe", "suspect_frozen"), "it takes two looks to see that nothing moved"),
    Below(("probe", "generation_deadline"), ("probe", "hang_frozen"), "the generation is the hang's witness"),
    Below(
        ("probe", "generation_deadline"),
        ("probe", "hang_frozen_traffic"),
        "the generation is the hang's witness",
    ),
    Below(
        ("probe", "suspect_frozen"), ("probe", "hang_frozen_traffic"), "suspicion comes before the verdict"
    ),
    Below(
        ("probe", "hang_frozen_traffic"), ("probe", "hang_frozen"), "traffic shows a hang sooner", equal=True
    ),
    Below(("limits", "hold_off"), ("limits", "hold_off_reset"), "serving must outlast the wait", equal=True),
    Below(("limits", "reconnect_first"), ("limits", "reconnect_last"), "the pauses grow", equal=True),
)


def contradictions(settings: Settings) -> Iterator[Clash]:
    """Every clash in otherwise valid settings."""
    yield from _folders(settings)
    yield from _engines(settings)
    for index, engine in enumerate(settings.engine):
        if engine.image and container_of(engine.unit):
            continue
        yield from _image(("engine", index), engine)
        yield from _who_runs(("engine", index), engine, "the engine")
    yield from _who_runs(("connector",), settings.connector, "the connector")
    yield from _membership(settings)
    yield from _order(settings)
    yield from _ports(settings)
    yield from _webhook(settings)
    yield from _checks(settings)


def _folders(settings: Settings) -> Iterator[Clash]:
    run, state = settings.agent.run, settings.agent.state
    keys: tuple[KeyPath, ...] = (("agent", "run"), ("agent", "state"))
    longest = len(os.fsencode(run / LONGEST_SOCKET))
    if longest > MOST_PATH:
        what = f"is too long: its sockets have paths of {longest} bytes, and {MOST_PATH} is the most"
        yield Clash(keys[:1], what, 'write a short one such as run = "/run/inferagent"')
    if _plain(run) == _plain(state):
        what = "run and state are one folder: what ends with the boot would lie among what outlives it"
        yield Clash(keys, what, 'write another, such as run = "/run/inferagent"')


def _plain(folder: Path) -> str:
    """Two slashes at the begin mean no more than one."""
    return os.path.normpath(f"//{folder}")


def _engines(settings: Settings) -> Iterator[Clash]:
    if len(settings.engine) != 1:
        what = f"this version takes one engine, here are {len(settings.engine)}"
        yield Clash((("engine",),), what, "keep one [[engine]]")


def _image(at: KeyPath, engine: Engine) -> Iterator[Clash]:
    """Keys of a container that is made, where none is."""
    if engine.image:
        what = "an image is run by the unit of a container, and unit names another"
        yield Clash(((*at, "image"), (*at, "unit")), what, 'write unit = "inferagent-container@vllm.service"')
        return
    for name, given in (("volumes", engine.volumes), ("publish", engine.publish)):
        if given:
            what = f"{name} is only for a container that is made from an image"
            yield Clash(((*at, name), (*at, "unit")), what, f"add an image, or delete {name}")


def _who_runs(at: KeyPath, part: Engine | Connector, name: str) -> Iterator[Clash]:
    unit, command = (*at, "unit"), (*at, "command")
    if part.unit in OWN_UNITS:
        yield from _own_unit(at, part, name)
        return
    if part.unit and part.command:
        yield Clash((command, unit), f"unit and command both say who runs {name}", "delete one of the two")
    if not part.unit and not part.command:
        what = f"neither unit nor command says who runs {name}"
        yield Clash((at, command), what, 'add command = ["program", "--option"] or unit = "name.service"')
    if part.unit and part.environment:
        what = f"environment is only for a command, and {name} is a unit"
        cure = f"sudo systemctl edit {part.unit}, and delete environment here"
        yield Clash(((*at, "environment"), unit), what, cure)


def _own_unit(at: KeyPath, part: Engine | Connector, name: str) -> Iterator[Clash]:
    """The units that come with inferagent: what they run, and with which environment, stands here."""
    unit, engine = (*at, "unit"), isinstance(part, Engine)
    if (part.unit == OWN_ENGINE) is not engine:
        cure = f'write unit = "{OWN_ENGINE if engine else OWN_CONNECTOR}"'
        yield Clash((unit,), f"{part.unit} does not run {name}", cure)
    elif engine and not part.command:
        what = f"{part.unit} runs the command that stands here, and there is none"
        yield Clash((unit,), what, 'add command = ["program", "--option"]')


def _membership(settings: Settings) -> Iterator[Clash]:
    own = settings.membership
    if own.kind is MembershipKind.OWN_POOL:
        for name in ("account", "zone", "pool", "load_balancer"):
            if not settings.at("membership", name):
                key: KeyPath = ("membership", name)
                what = f'kind = "own-pool" needs {name}'
                yield Clash((key, ("membership", "kind")), what, "sudo inferagent setup finds and writes it")
    api = urlsplit(own.api)
    if api.scheme == "http" and api.hostname not in LOCAL:
        what = "must begin with https:// where it is not on this host: each call carries the API token"
        yield Clash((("membership", "api"),), what, "write https:// instead of http://")
    if own.kind is MembershipKind.REPLICA and settings.idle.after is not None:
        what = 'must be "off" with membership.kind = "replica": a replica does not leave for soft causes'
        yield Clash((("idle", "after"), ("membership", "kind")), what, 'write after = "off"')
    if own.alone and own.kind is MembershipKind.REPLICA:
        what = "true says that no other host serves, and replicas of one tunnel are several"
        yield Clash((("membership", "alone"), ("membership", "kind")), what, "write alone = false")


def _order(settings: Settings) -> Iterator[Clash]:
    for rule in ORDER:
        low, high = settings.at(*rule.low), settings.at(*rule.high)
        if low is None or high is None or low < high or (rule.equal and low == high):
            continue
        relation = "at most" if rule.equal else "less than"
        limit = f"{dotted(rule.high)} ({format_duration(high)})"
        what = f"{format_duration(low)} must be {relation} {limit}: {rule.because}"
        cure = f"write a smaller {dotted(rule.low)} or a larger {dotted(rule.high)}"
        yield Clash((rule.low, rule.high), what, cure)


def _ports(settings: Settings) -> Iterator[Clash]:
    taken: dict[int, KeyPath] = {}
    for key, host, port in _listeners(settings):
        if host not in LOCAL:
            continue
        other = taken.setdefault(port, key)
        if other != key:
            what = f"port {port} is used twice, by {dotted(other)} and {dotted(key)}"
            yield Clash((key, other), what, "give each its own port")


def _listeners(settings: Settings) -> Iterator[tuple[KeyPath, str, int]]:
    for index, engine in enumerate(settings.engine):
        parts = urlsplit(engine.url)
        yield ("engine", index, "url"), parts.hostname or "", parts.port or 80
    yield ("connector", "metrics"), *settings.connector.metrics
    yield ("ready", "port"), "127.0.0.1", settings.ready.port
    if settings.metrics.listen is not None:
        yield ("metrics", "listen"), *settings.metrics.listen


def _webhook(settings: Settings) -> Iterator[Clash]:
    url = urlsplit(settings.notify.webhook)
    host = (url.hostname or "").lower()
    if url.scheme == "http" and host not in LOCAL:
        what = "must begin with https:// where it is not on this host: it tells how this host is"
        yield Clash((("notify", "webhook"),), what, "write https:// instead of http://")
    if any(host == known or host.endswith(f".{known}") for known in SECRET_HOSTS):
        what = f"an address at {host} is a secret: whoever knows it can write there"
        cure = "delete it here and put it into credentials/notify-webhook beside config.toml, mode 0600"
        yield Clash((("notify", "webhook"),), what, cure)


def _checks(settings: Settings) -> Iterator[Clash]:
    if len(settings.check) > MOST_CHECKS:
        what = f"at most {MOST_CHECKS} checks are run, here are {len(settings.check)}"
        yield Clash((("check",),), what, "let one program do the work of several")
    taken: dict[str, KeyPath] = {}
    for index, check in enumerate(settings.check):
        at: KeyPath = ("check", index)
        if check.deadline >= check.every:
            limit = f"{dotted((*at, 'every'))} ({format_duration(check.every)})"
            what = f"{format_duration(check.deadline)} must be less than {limit}: a run ends before the next"
            cure = "write a smaller deadline or a larger every"
            yield Clash(((*at, "deadline"), (*at, "every")), what, cure)
        if re.fullmatch(CHECK_NAME, check.called) is None:
            what = f"the name of its program, {shown(check.called)}, cannot be the name of the check"
            yield Clash(((*at, "exec"), at), what, 'add name = "disk-ok"')
        other = taken.setdefault(check.called, at)
        if other != at:
            what = f'two checks are called "{check.called}"'
            yield Clash(((*at, "name"), (*at, "exec"), other), what, "give each a name of its own")
