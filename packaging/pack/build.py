"""deb and rpm, by nfpm, from the disks that were laid out."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from pack import disk, legal, wheels
from pack.project import ARCHITECTURES, PACKAGING, ROOT, PackError, beside, epoch, maintainer, run, version

LAYERS = {"deb": disk.for_deb, "rpm": disk.for_rpm}
LISTED = "  # The files of the folder docs are listed here when it is built: rpm marks them as such."
BAR = 12_000_000  # bytes of a package


def build(kinds: tuple[str, ...], architecture: str, out: Path, scratch: Path) -> list[Path]:
    """The packages of one architecture."""
    place = scratch / architecture
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    library, bill = place / "shared" / disk.LIBRARY, place / "shared" / disk.BILL
    wheels.unpack(wheels.fetch(architecture, scratch / "wheels"), library)
    bill.parent.mkdir(parents=True)
    bill.write_text(legal.bill(library, place))
    disk.lay(place / "shared")
    out.mkdir(parents=True, exist_ok=True)
    for kind, layer in LAYERS.items():  # the description names the files of both
        layer(place / "shared", place / kind)
        disk.settle(place / kind)
        shutil.copytree(ROOT / kind, place / "scripts" / kind)
    text = (PACKAGING / "nfpm.yaml").read_text("utf-8")
    (place / "nfpm.yaml").write_text(text.replace(LISTED, "\n".join([LISTED, *_marked(place)])))
    return [_package(kind, architecture, place, out) for kind in kinds]


def _marked(place: Path) -> Iterator[str]:
    """A line of the description for each file that rpm marks."""
    for path in sorted((place / "docs").rglob("*")):
        if path.is_file():
            inside = path.relative_to(place / "docs")
            kind = "license" if "licenses" in inside.parts else "doc"
            yield f"  - {{src: {path.relative_to(place)}, dst: /{inside}, type: {kind}, packager: rpm}}"


def _package(kind: str, architecture: str, place: Path, out: Path) -> Path:
    values = {
        "PACK_ARCH": ARCHITECTURES[architecture],
        "PACK_VERSION": version(),
        "PACK_MAINTAINER": maintainer(),
        "SOURCE_DATE_EPOCH": str(epoch()),
    }
    argv = ["package", "--config", "nfpm.yaml", "--packager", kind, "--target", str(out)]
    said = run(beside("nfpm"), *argv, cwd=place, env=values)
    path = out / Path(said.strip().splitlines()[-1].rpartition(" ")[2]).name
    if path.stat().st_size > BAR:
        raise PackError(f"cannot ship {path.name}: {path.stat().st_size} bytes, at most {BAR}")
    return path
