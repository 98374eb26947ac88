"""Every fault of the soak, with what may follow from it; and the order in which a seed deals them."""

import random
from collections.abc import Iterator, Sequence

from tests.real.soak import strikes
from tests.real.soak.fault import Fault

DEAD = frozenset({"engine-gone", "engine-restarted"})
HUNG = frozenset({"engine-hung"})
HELD = frozenset({"hold", "engine-stopped", "in-use"})
FIRST = 4  # faults within which the agent is ended for the first time


def faults(engine: str) -> list[Fault]:
    """For "vllm" or "ollama".

    A killed worker ends vLLM whole, while Ollama loads the model again; one that is stopped Ollama itself
    replaces as soon as nobody waits for it any more, if the agent's restart does not come first.
    """
    whole = engine == "vllm"
    return [
        Fault("engine killed", strikes.main_killed, "must", DEAD, loses=True, new_life=True),
        Fault(
            "worker killed",
            strikes.worker_killed,
            "must" if whole else "may",
            DEAD | {"generation-failed"},
            loses=True,
            new_life=whole,
        ),
        Fault("worker stopped", strikes.worker_stopped, "must", HUNG, loses=True, new_life=whole),
        Fault("whole engine stopped", strikes.all_stopped, "must", HUNG, loses=True, new_life=True),
        Fault("engine killed, API 503", strikes.killed_without_api, "may", DEAD, loses=True, new_life=True),
        Fault(
            "engine killed, no state folder",
            strikes.killed_without_state,
            "must",
            DEAD,
            loses=True,
            new_life=True,
        ),
        Fault(
            "connector killed", strikes.connector_killed, "must", frozenset({"connector-gone"}), loses=True
        ),
        Fault(
            "connector stopped",
            strikes.connector_stopped,
            "may",
            frozenset({"no-edge"}),
            loses=True,
            settles=strikes.CONNECTOR_STOPPED,
        ),
        Fault(
            "edge refuses",
            strikes.edge_refuses,
            "may",
            frozenset({"no-edge"}),
            loses=True,
            settles=2 * strikes.EDGE_AWAY,
            everybody=True,
        ),
        Fault("tunnel cut", strikes.edge_cuts, "never", loses=True, settles=25.0),
        Fault("agent killed", strikes.agent_killed, "never", ends_agent=True),
        Fault("agent ended", strikes.agent_ended, "never", ends_agent=True),
        Fault("agent stopped", strikes.agent_stopped, "never"),
        Fault("API 500", strikes.api(kind="status", status=500), "never"),
        Fault("API 429", strikes.api(kind="status", status=429), "never"),
        Fault("API hangs", strikes.api(kind="hang"), "never"),
        Fault("API garbage", strikes.api(kind="garbage"), "never"),
        Fault("drain", strikes.operator("drain"), "must", HELD),
        Fault(
            "drain, engine stopped", strikes.operator("drain", "--stop-engine"), "must", HELD, new_life=True
        ),
        Fault("lend", strikes.operator("lend", "--for", "10m"), "must", HELD, new_life=True),
    ]


def deal(known: Sequence[Fault], seed: int) -> Iterator[Fault]:
    """Without end: every fault once, in an order of the seed's, then again in another.

    In the first round those that end the agent come early: its last life has to be a long one.
    """
    chance = random.Random(seed)
    early = True
    while known:
        order = chance.sample(known, len(known))
        if early:
            order = _early(order, chance)
        yield from order
        early = False


def _early(order: list[Fault], chance: random.Random) -> list[Fault]:
    ending = [fault for fault in order if fault.ends_agent]
    rest = [fault for fault in order if not fault.ends_agent]
    head = rest[: max(0, FIRST - len(ending))] + ending
    return [*chance.sample(head, len(head)), *rest[max(0, FIRST - len(ending)) :]]
