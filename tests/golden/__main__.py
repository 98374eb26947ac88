"""`python -m tests.golden`: write the golden files anew. Read each one that git shows as changed."""

import sys

from tests.golden.files import FOLDER, texts


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    wanted = texts()
    for path in FOLDER.glob("*.txt"):
        if path.stem not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (FOLDER / f"{name}.txt").write_text(text, "utf-8")
    sys.stdout.write(f"{len(wanted)} files in {FOLDER}\n")


if __name__ == "__main__":
    main()
