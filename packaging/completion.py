"""`python packaging/completion.py [DIR]`: write the completion of bash, zsh and fish, as click makes it.

The scripts ask `inferagent` itself at each TAB, so that they change only when click's own do.
"""

import sys
from pathlib import Path

from click.shell_completion import get_completion_class

from inferagent.cli.main import cli

FOLDER = Path(__file__).with_name("completion")
NAMES = {"bash": "inferagent.bash", "zsh": "_inferagent", "fish": "inferagent.fish"}


def script(shell: str) -> str:
    kind = get_completion_class(shell)
    assert kind is not None
    complete = kind(cli, {}, "inferagent", "_INFERAGENT_COMPLETE")
    return str(complete.source_template % complete.source_vars()).strip() + "\n"


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for shell, name in NAMES.items():
        (folder / name).write_text(script(shell), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
