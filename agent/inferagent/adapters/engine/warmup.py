"""How far a starting engine is: what all its processes have read, hold and burnt."""

from inferagent.adapters.engine.processes import tree, usages
from inferagent.model.engine import Warmup


def warmup(pid: int) -> Warmup:
    """Sums over the tree of the main pid; OSError when there is no such process."""
    found = usages(tree(pid))
    if not found:
        raise OSError(f"there is no process {pid}")
    return Warmup(
        read_bytes=sum(one.read_bytes for one in found),
        memory_bytes=sum(one.memory_bytes for one in found),
        cpu_seconds=sum(one.cpu_seconds for one in found),
    )
