"""The metrics of this host: the Status document in numbers, and what the agent has done so far."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from inferagent.model.phase import Label, Phase
from inferagent.model.status import Status, StatusGpu
from inferagent.ports import PortError
from inferagent.runtime.board import PROBES, Board
from inferagent.runtime.counters import Counters
from inferagent.runtime.exposition import Family, counter, exposition, gauge, state_set


@dataclass
class Metrics:
    """`document` gives the last Status, `bugs` the ticks that failed."""

    document: Callable[[], Status | None]
    bugs: Callable[[], int]
    board: Board
    counters: Counters = field(default_factory=Counters)

    def text(self) -> str:
        """PortError while there is nothing to tell."""
        document = self.document()
        if document is None:
            raise PortError("cannot tell metrics yet: the agent has just started")
        return exposition([*of_status(document), *self.counters.families(), *self._own()])

    def _own(self) -> Iterator[Family]:
        looks = {name: self.board.failures[name] for name in PROBES}
        yield counter("probe_failures_total", "Looks that came back with nothing.", "probe", looks)
        yield counter("tick_failures_total", "Decisions that a bug broke off.", "", {"": self.bugs()})
        yield gauge("tasks", "What the agent does side by side at this moment.", under_way())


def under_way() -> int | None:
    """Tasks of the event loop that asks; None where none runs."""
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:
        return None


def of_status(document: Status) -> Iterator[Family]:
    yield gauge(
        "up_info",
        "The agent that tells this, always 1.",
        1,
        version=document.agent_version,
        host=document.host,
        mode=document.mode,
    )
    yield state_set("phase", "The phase of this host.", [phase.value for phase in Phase], document.phase)
    labels = [label.value for label in Label]
    yield state_set("label", "What this host does while it is out.", labels, document.label)
    yield gauge(
        "phase_since_timestamp_seconds", "When the present phase began, in Unix time.", _unix(document.since)
    )
    yield gauge("as_intended", "1 where `inferagent status` ends with 0.", document.exit_code == 0)
    yield gauge("status_exit_code", "The exit code of `inferagent status`.", document.exit_code)
    yield gauge("ready", "1 while the ready URL answers 200.", document.verdict)
    yield gauge("held", "1 while a hold stands.", bool(document.hold))
    yield _findings(document)
    yield gauge(
        "root_cause",
        "1 for the root cause of this host's state, none while there is none.",
        1 if document.root_code else None,
        code=document.root_code,
        component=document.root_component,
    )
    yield from _pool(document)
    yield from _flight(document)
    yield from _warming(document)
    yield from _gpus(document)


def _findings(document: Status) -> Family:
    samples = tuple(
        ({"code": one.code, "component": one.component, "health": one.health}, 1.0)
        for one in {(one.code, one.component, one.health): one for one in document.findings}.values()
    )
    return Family("finding", "gauge", "1 for each finding that stands.", samples)


def _pool(document: Status) -> Iterator[Family]:
    pool = document.membership
    member = None if pool.state == "unknown" else pool.state == "in"
    yield gauge("pool_member", "1 while the pool reads in, by the last reading.", member)
    yield gauge("pool_healthy", "1 while the monitor says healthy.", pool.healthy)
    yield gauge("pool_reading_age_seconds", "Age of the last reading of the pool.", pool.age)
    yield gauge("pool_others", "Other endpoints of the pool.", pool.peers)
    yield gauge("pool_others_effective", "Other endpoints that receive users.", pool.peers_effective)


def _flight(document: Status) -> Iterator[Family]:
    ways = (("tunnel", document.in_flight_tunnel), ("lan", document.in_flight_lan))
    samples = tuple(({"via": way}, float(count)) for way, count in ways if count is not None)
    yield Family("requests_in_flight", "gauge", "Requests that await their answer, by way in.", samples)
    yield gauge("edge_connections", "The connector's connections to the edge.", document.connections)


def _warming(document: Status) -> Iterator[Family]:
    load = document.warming
    if load is None:
        return
    yield gauge("warming_read_bytes", "Bytes of the model that have been read.", load.read)
    yield gauge("warming_size_bytes", "Bytes of the model.", load.total)
    yield gauge("warming_still_seconds", "Seconds without any progress of the load.", load.still)


def _gpus(document: Status) -> Iterator[Family]:
    def each(name: str, about: str, value: Callable[[StatusGpu], float | None]) -> Family:
        known = ((gpu, value(gpu)) for gpu in document.gpus)
        samples = tuple((_names(gpu), float(number)) for gpu, number in known if number is not None)
        return Family(name, "gauge", about, samples)

    yield each("gpu_healthy", "0 for a GPU with a fault.", lambda gpu: not gpu.fault)
    yield each("gpu_utilization_ratio", "Share of the time in which it worked.", _utilization)
    yield each("gpu_memory_used_bytes", "Memory in use.", lambda gpu: gpu.memory_used)
    yield each("gpu_memory_size_bytes", "Memory that there is.", lambda gpu: gpu.memory_total)
    yield each("gpu_temperature_celsius", "Temperature of the chip.", lambda gpu: gpu.temperature)


def _utilization(gpu: StatusGpu) -> float | None:
    return None if gpu.utilisation is None else gpu.utilisation / 100


def _names(gpu: StatusGpu) -> dict[str, str]:
    return {"gpu": str(gpu.index), "uuid": gpu.uuid, "name": gpu.name}


def _unix(moment: str) -> float | None:
    try:
        return datetime.fromisoformat(moment).timestamp()
    except ValueError:
        return None
