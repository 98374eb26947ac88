"""Properties of systemd units by `systemctl show`: of any unit, loaded or not, without privilege."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from inferagent.adapters.program import Program
from inferagent.ports import PortError

PROPERTIES = ("Id", "LoadState", "ActiveState", "UnitFileState", "Restart")
BOOTED = Path("run/systemd/system")


def booted(root: Path = Path("/")) -> bool:
    """Whether systemd runs this host (see sd_booted(3))."""
    return (root / BOOTED).is_dir()


async def show(
    units: Sequence[str], timeout: float, systemctl: str = "systemctl"
) -> dict[str, Mapping[str, str]]:
    """By the name asked for. PortError where systemctl cannot be run, fails, or does not end in time."""
    argv = (systemctl, "show", "--no-pager", "--property", ",".join(PROPERTIES), "--", *units)
    ended = await Program(argv, timeout).run()
    if ended.code:
        raise PortError(f"cannot read the units: {systemctl} show: {ended.how}")
    blocks = ended.out.decode("utf-8", "replace").strip().split("\n\n")
    if len(blocks) != len(units):
        raise PortError("cannot read the units: systemctl show does not tell of each")
    return {unit: _properties(block) for unit, block in zip(units, blocks, strict=True)}


def _properties(block: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in block.splitlines())
    return {name: value for name, equals, value in pairs if equals}
