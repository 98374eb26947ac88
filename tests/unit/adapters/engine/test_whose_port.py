"""Whose a port is, from made-up processes; what is not known is nobody's fault."""

from dataclasses import replace

import pytest

from inferagent.adapters.engine.census import Process
from inferagent.adapters.engine.sock_diag import Listening
from inferagent.adapters.engine.whose_port import Scene, Whose, answering, named, whose

AT = Listening("127.0.0.1", 8000, 1000, 77)
HERS = Listening("127.0.0.1", 8000, 33, 77)
MAIN, CHILD = Process(10, "vllm", frozenset({1000})), Process(11, "worker", frozenset({1000}))
OTHER = Process(20, "python3", frozenset({1000}), sockets=frozenset({77}))
HIDDEN = replace(MAIN, uids=frozenset({500}), sockets=None)
WEB = Process(30, "thing", frozenset({33}), sockets=None)


def scene(*people: Process, at: Listening = AT, more: tuple[Listening, ...] = (), **fields) -> Scene:
    family = fields.pop("family", frozenset(one.pid for one in people if one.pid in (10, 11)))
    whole = Scene((at,), (at, *more), {one.pid: one for one in people}, 10, family, lambda *_: True)
    return replace(whole, **fields)


def test_a_holder_outside_of_the_engines_tree_is_foreign_and_named():
    found = scene(MAIN, CHILD, OTHER)
    assert (whose(found), named(found)) == (Whose.FOREIGN, "python3")


def test_a_worker_that_holds_it_too_makes_it_the_engines():
    assert whose(scene(MAIN, replace(CHILD, sockets=frozenset({77})), OTHER)) is Whose.ENGINE


def test_without_a_process_of_the_engine_any_known_holder_is_foreign():
    assert whose(scene(OTHER, main=0)) is Whose.FOREIGN


def test_a_socket_that_nobody_is_seen_to_hold_is_unknown():
    assert whose(scene(MAIN, replace(OTHER, sockets=frozenset()))) is Whose.UNKNOWN


def test_an_engine_of_another_user_is_told_by_the_uid():
    found = scene(HIDDEN, WEB, at=HERS)
    assert (whose(found), named(found)) == (Whose.FOREIGN, "")


def test_an_engine_of_the_same_user_whose_sockets_are_hidden_is_unknown():
    assert whose(scene(HIDDEN, WEB, at=replace(HERS, uid=500))) is Whose.UNKNOWN


def test_any_user_of_the_engines_tree_counts():
    child = replace(CHILD, uids=frozenset({33}), sockets=None)
    assert whose(scene(HIDDEN, child, WEB, at=HERS)) is Whose.UNKNOWN


def test_an_engine_that_listens_elsewhere_has_somebody_before_it():
    elsewhere = Listening("127.0.0.1", 8001, 1000, 88)
    engine = replace(MAIN, sockets=frozenset({88}))
    assert whose(scene(engine, OTHER, more=(elsewhere,))) is Whose.FRONT
    assert whose(scene(HIDDEN, WEB, at=HERS, more=(replace(elsewhere, uid=500),))) is Whose.FRONT


@pytest.mark.parametrize("name", ["docker-proxy", "nginx", "systemd-socket-", "rootlessport"])
def test_who_listens_on_behalf_of_others_is_unknown(name):
    assert whose(scene(MAIN, replace(OTHER, name=name))) is Whose.UNKNOWN
    assert whose(scene(HIDDEN, WEB, replace(WEB, pid=31, name=name), at=HERS)) is Whose.UNKNOWN


def test_what_an_agent_has_started_is_unknown():
    assert whose(scene(replace(OTHER, marked=True), main=0)) is Whose.UNKNOWN


def test_an_engine_that_runs_a_container_is_unknown():
    assert whose(scene(replace(MAIN, name="docker"), OTHER)) is Whose.UNKNOWN


def test_a_container_of_the_same_network_is_unknown():
    inside = replace(WEB, cgroup="0::/system.slice/docker-0123456789abcdef.scope\n")
    assert whose(scene(inside, at=HERS, main=0)) is Whose.UNKNOWN
    away = scene(inside, at=HERS, main=0, sees=lambda *_: False)
    assert whose(away) is Whose.FOREIGN


def test_an_engine_of_another_network_is_unknown():
    assert whose(scene(MAIN, OTHER, sees=lambda *_: False)) is Whose.UNKNOWN


def test_one_socket_of_two_that_is_not_known_to_be_foreign_is_enough():
    six = Listening("::", 8000, 1000, 78)
    assert whose(scene(MAIN, OTHER, at_port=(AT, six), everywhere=(AT, six))) is Whose.UNKNOWN


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("127.0.0.1", ["127.0.0.1", "0.0.0.0", "::"]),
        ("localhost", ["127.0.0.1", "::1", "0.0.0.0", "::"]),
        ("::1", ["::1", "0.0.0.0", "::"]),
        ("10.0.0.5", ["10.0.0.5"]),
        ("gpu.example.com", []),
    ],
)
def test_who_may_answer_at_an_address(host, addresses):
    every = ("127.0.0.1", "::1", "0.0.0.0", "::", "10.0.0.5")
    found = answering(host, [Listening(address, 8000, 0, 1) for address in every])
    assert sorted(one.address for one in found) == sorted(addresses)
