"""Before the package is removed: adopted containers go on without us, and docker restarts them as before.

The rest of what setup did stays, with the configuration, for a package that comes back.
"""

import sys
from pathlib import Path

from inferagent.config.fragments import DEFAULT_FOLDER
from inferagent.ports import PortError
from inferagent.programs.setup.adopt_steps import undo_step
from inferagent.programs.setup.record import Record
from inferagent.programs.setup.undoing import state_dir_of

HELD = frozenset({"enable", "policy"})


def main(argv: list[str]) -> int:
    """`leaving [CONFIG]`; 1 where something is left to a person."""
    try:
        record = Record(state_dir_of(Path(argv[0]) if argv else DEFAULT_FOLDER))
        record.trust()
        for entry in reversed(record.entries()):
            if not entry.undone and entry.intent["kind"] in HELD:
                sys.stderr.write(f"{undo_step(entry.intent, entry.result)}\n")
                record.undone(entry.number)
    except (PortError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
