"""Who may do what with which part: licences, Debian's copyright file, and the list of parts (SBOM)."""

import csv
import itertools
import json
import re
import shutil
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path

from pack.project import ROOT, beside, epoch, run

# Where the metadata say it in words only.
SPOKEN = {"BSD": "BSD-3-Clause", "Apache 2.0": "Apache-2.0"}
CLASSIFIED = {
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: BSD License": "BSD-3-Clause",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
}
LICENCE = re.compile(r"(?i)licen[cs]e|copying|notice")
FORMAT = "https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/"
WHOLE = "Version 2.0, January 2004"  # in the text of the Apache licence
APACHE = "On Debian systems the whole text is in /usr/share/common-licenses/Apache-2.0."


@dataclass(frozen=True)
class Part:
    """A vendored package. `files`: its folders and modules, as they stand in the library."""

    name: str
    version: str
    licence: str
    files: tuple[str, ...]
    texts: tuple[tuple[str, str], ...]
    author: str


def parts(library: Path) -> list[Part]:
    return [_part(info) for info in sorted(library.glob("*.dist-info"))]


def _part(info: Path) -> Part:
    told = message_from_string((info / "METADATA").read_text("utf-8"))
    licence = told["License-Expression"] or told["License"] or ""
    licence = SPOKEN.get(licence, licence)
    if not licence or "\n" in licence:
        known = [CLASSIFIED[line] for line in told.get_all("Classifier", []) if line in CLASSIFIED]
        licence = known[0] if known else "unknown"
    files = _files(info)
    author = told["Author"] or told["Author-email"] or told["Name"]
    return Part(told["Name"], told["Version"], licence, files, tuple(_texts(info, files)), author)


def _files(info: Path) -> tuple[str, ...]:
    """Its folders and modules, by what the wheel says that it installs."""
    with (info / "RECORD").open(encoding="utf-8", newline="") as file:
        tops = {Path(row[0]).parts[0] for row in csv.reader(file)}
    here = sorted(top for top in tops if (info.parent / top).exists() and not top.endswith(".dist-info"))
    return tuple(f"{top}/*" if (info.parent / top).is_dir() else top for top in here)


def _texts(info: Path, files: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Name → text: the files of its licences, else what its one module says at its beginning."""
    found = [path for path in sorted(info.rglob("*")) if path.is_file() and LICENCE.match(path.name)]
    for path in found:
        yield path.name, path.read_text("utf-8")
    if not found and len(files) == 1 and files[0].endswith(".py"):
        lines = (info.parent / files[0]).read_text("utf-8").splitlines()
        head = itertools.takewhile(lambda line: line.startswith("#"), lines)
        yield "LICENSE", "\n".join(line.strip("# ") for line in head if line != "#####") + "\n"


def copyright_file(found: list[Part]) -> str:
    """In Debian's machine-readable format."""
    stanzas = [
        f"Format: {FORMAT}\nUpstream-Name: inferagent",
        f"Files: *\nCopyright: The inferagent authors\nLicense: Apache-2.0\n {APACHE}",
    ]
    for part in found:
        where = " ".join(f"usr/lib/inferagent/lib/{each}" for each in part.files)
        owners = "\n ".join(_owners(part))
        text = "\n .\n".join(f" {APACHE}" if WHOLE in text else _quoted(text) for _, text in part.texts)
        licence = re.sub(r"\bOR\b", "or", part.licence).replace(" AND ", " and ")
        stanzas.append(f"Files: {where}\nCopyright: {owners}\nLicense: {licence}\n{text}")
    return "\n\n".join(stanzas) + "\n"


def _owners(part: Part) -> list[str]:
    """The lines of its licences that name whose it is."""
    lines = [line.strip() for _, text in part.texts for line in text.splitlines()]
    named = [line for line in lines if re.match(r"(?i)copyright.*(\d{4}|©|\(c\))", line)]
    return list(dict.fromkeys(named)) or [part.author]


def _quoted(text: str) -> str:
    return "\n".join(f" {line.rstrip()}" if line.strip() else " ." for line in text.splitlines())


def lay_licences(found: list[Part], folder: Path) -> None:
    """Ours, and one file for each text of a vendored package."""
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "LICENSE", folder / "LICENSE")
    for part in found:
        for name, text in part.texts:
            (folder / f"{part.name}.{name}").write_text(text, "utf-8")


def bill(library: Path, scratch: Path) -> str:
    """The SBOM in CycloneDX 1.6 of what lies in `library` with its dist-info folders."""
    place = scratch / "sbom"
    venv.create(place, with_pip=False, clear=True)
    (site,) = place.glob("lib/python*/site-packages")
    (site / "vendored.pth").write_text(f"{library}\n")
    argv = ["environment", "--output-reproducible", "--spec-version", "1.6"]
    argv += ["--pyproject", str(ROOT / "pyproject.toml"), str(place / "bin/python")]
    made = run(beside("cyclonedx-py"), *argv, env={"SOURCE_DATE_EPOCH": str(epoch())})
    shutil.rmtree(place)
    return json.dumps(json.loads(made), indent=1, sort_keys=True) + "\n"
