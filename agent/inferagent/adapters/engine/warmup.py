"""How far a starting engine is: what all its processes have read, hold and burnt."""

from collections.abc import Iterable

from inferagent.adapters.engine.processes import Usage, tree, usages
from inferagent.model.engine import Warmup


def warmup(pid: int, total: int = 0) -> Warmup:
    """Sums over the tree of the main pid, for weights of `total` bytes; OSError without such a process."""
    found = usages(tree(pid))
    if not found:
        raise OSError(f"there is no process {pid}")
    return summed(found, found, total)


def summed(found: Iterable[Usage], loaders: Iterable[Usage], total: int) -> Warmup:
    """`loaders` are those of the processes that load the model."""
    every = tuple(found)
    return Warmup(
        read_bytes=sum(one.read_bytes for one in every),
        memory_bytes=sum(one.memory_bytes for one in every),
        cpu_seconds=sum(one.cpu_seconds for one in every),
        total=total,
        loaded=sum(map(_loaded, loaders)),
    )


def _loaded(one: Usage) -> int:
    """What comes from the page cache, or belongs to another user, shows in the memory alone."""
    return max(one.read_bytes, one.memory_bytes)
