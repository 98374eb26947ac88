"""decide_us, decide_ill_us: one whole decision, narration included, over readings that are new at every tick.

Each tick goes on from the state that the one before left, as in the agent. Beside them, in the same minute:
what else such a tick costs, so that a slow machine shows.
"""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure, load_average, machine, spread, tidy
from tests.bench.wide_engine import conditions as metrics_conditions
from tests.bench.wide_engine import metrics
from tests.support import build

from inferagent.adapters.engine.vllm import read_metrics
from inferagent.adapters.local_http import Answer
from inferagent.model.engine import Load, Progress
from inferagent.model.observed import Observed
from inferagent.model.reading import Value
from inferagent.policy.decide import decide
from inferagent.runtime.report import Scene, status

TICKS, QUICK_TICKS = 20_000, 2_000
STEP = 0.5  # seconds of virtual time between two ticks
GPUS = 8
ROUNDS = 200  # of each thing beside

Timed = tuple[list[float], str]


async def measure(_folder: Path, quick: bool) -> list[Figure]:
    ticks = QUICK_TICKS if quick else TICKS
    conditions: dict[str, Any] = {**machine(), **metrics_conditions()}
    about = "mode act, own pool with one peer, each reading new at each tick"
    fine, fine_said = run([fine_at(build.NOW + number * STEP) for number in range(ticks)])
    ill, ill_said = run([ill_at(build.NOW + number * STEP) for number in range(ticks)])
    compared = beside()
    conditions |= {"load_after": load_average()}
    fine_host = {**conditions, "host": f"1 GPU, {about}", "says": fine_said}
    ill_host = {
        **conditions,
        "host": f"{GPUS} GPUs lost, engine refuses, no edge connection, {about}",
        "says": ill_said,
    }
    return [
        spread("decide_us", fine, fine_host, compared, "us"),
        spread("decide_ill_us", ill, ill_host, compared, "us"),
    ]


def fine_at(now: float) -> Observed:
    """A serving host at this second; its engine works, so that every counter has moved."""
    signature = tuple((name, float(int(now) * place)) for place, name in enumerate("abcdefghij"))
    engine = build.look(now, progress=Value(Progress(signature), now), load=Value(Load(2, 0), now))
    return build.observed(
        now=now,
        engine=engine,
        connector=build.connector(now),
        generation=Value(build.generation(begun=now - 3.0), now),
        membership=Value(build.view(build.PEER), now),
        gpus=Value(build.gpus(), now),
    )


def ill_at(now: float) -> Observed:
    return replace(
        fine_at(now),
        engine=build.warming(now),
        connector=build.connector(now, ready=Value(0, now)),
        gpus=Value(build.gpus(GPUS, "lost"), now),
    )


def run(seen: Sequence[Observed]) -> Timed:
    """Microseconds of each decision but the first, and what the last one says."""
    desired, saved = build.desired(), build.saved()
    samples: list[float] = []
    sentence = ""
    for observed in seen:
        begun = time.perf_counter_ns()
        decision = decide(observed, desired, saved)
        samples.append((time.perf_counter_ns() - begun) / 1000)
        saved, sentence = decision.saved, decision.sentence
    return samples[1:], sentence


def beside() -> dict[str, Any]:
    """What else an agent does at a tick, or a look: medians in microseconds."""
    body = Answer(200, metrics().encode())
    observed = fine_at(build.NOW)
    decision = decide(observed, build.desired(), build.saved())
    wall = "2026-11-22T12:00:00+01:00"
    scene = Scene("bench", observed, build.desired(), decision, observed.membership, wall)
    document = status(scene)
    return {
        "status_document_us": median_us(lambda: status(scene)),
        "status_document_as_json_us": median_us(lambda: json.dumps(asdict(document))),
        "reading_the_engines_metrics_again_us": median_us(lambda: read_metrics(body, 0.0)),
    }


def median_us(deed: Callable[[], object]) -> float:
    samples = []
    for _ in range(ROUNDS):
        begun = time.perf_counter_ns()
        deed()
        samples.append((time.perf_counter_ns() - begun) / 1000)
    return tidy(statistics.median(samples))
