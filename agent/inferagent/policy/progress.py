"""How far the load of a model is, in numbers and in words; only shown, never judged."""

from inferagent.model.desired import EngineKind
from inferagent.model.reading import known
from inferagent.model.status import StatusWarming
from inferagent.policy.facts import Facts

SLOWEST = 1e5  # bytes a second below which nothing can be said of the time left
STILL = 20.0  # seconds without any movement before that is said


def progress(facts: Facts) -> StatusWarming | None:
    """None while nothing is being loaded, or nobody can tell."""
    warmup, memory = known(facts.observed.engine.warmup), facts.memory
    if warmup is None or not warmup.loaded or memory.generation_ok_at is not None:
        return None
    if facts.terms.engine is EngineKind.OLLAMA and memory.asked_since is None:
        return None  # its port is open at once: what it loads, somebody has asked for
    looked, moved = memory.warm_looked_at, memory.warm_moved_at
    rate = memory.warm_rate if memory.warm_rate and memory.warm_rate >= SLOWEST else None
    missing = max(0, warmup.total - warmup.loaded)
    return StatusWarming(
        read=min(warmup.loaded, warmup.total) if warmup.total else warmup.loaded,
        total=warmup.total or None,
        rate=rate,
        left=missing / rate if rate and missing else None,
        still=0.0 if looked is None or moved is None else max(0.0, looked - moved),
    )


def said(load: StatusWarming) -> str:
    """ "12.4/40.1 GB, 38 MB/s, about 12 min"."""
    if load.total is not None and load.read >= load.total:
        whole = f"all {_gb(load.total)} GB are read, and no generation has come back yet"
        return f"{whole}, nothing has moved for {load.still:.0f} s" if load.still >= STILL else whole
    parts = [f"{_gb(load.read)} GB read" if load.total is None else f"{_gb(load.read)}/{_gb(load.total)} GB"]
    if load.still >= STILL:
        parts.append(f"nothing has moved for {load.still:.0f} s")
    elif load.rate is not None:
        parts.append(f"{load.rate / 1e6:.0f} MB/s")
        parts += [f"about {_about(load.left)}"] if load.left is not None else []
    return ", ".join(parts)


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f}"


def _about(seconds: float) -> str:
    """To ten seconds, a minute, or an hour's tenth: it is a guess."""
    if seconds < 90:
        return f"{max(10, round(seconds / 10) * 10)} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
