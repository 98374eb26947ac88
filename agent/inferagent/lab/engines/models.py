"""The models of the Ollama stand-in: a folder of blobs and of small files that name them."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from inferagent.lab.engines.words import WORDS

MADE_UP_BYTES = 1 << 20


def full(name: str) -> str:
    """The name with its tag; without one it is `latest`."""
    return name if ":" in name else f"{name}:latest"


@dataclass(frozen=True)
class Model:
    """`size` in bytes is that of its manifest; what has become of its blob the next load finds out."""

    name: str
    digest: str
    size: int
    modified: str
    blob: Path


class Models:
    """What `ollama list` lists; every change is on disk before the call returns."""

    def __init__(self, root: Path) -> None:
        self.blobs, self.manifests = root / "blobs", root / "manifests" / "library"
        self.blobs.mkdir(parents=True, exist_ok=True)
        self.manifests.mkdir(parents=True, exist_ok=True)

    def manifest(self, name: str) -> Path:
        base, _, tag = full(name).rpartition(":")
        if not base or not tag or {"", ".", ".."} & {*base.split("/"), tag}:
            raise ValueError(f"cannot read {name!r} as a model's name")
        return self.manifests / base / tag

    def blob(self, digest: str) -> Path:
        return self.blobs / f"sha256-{digest}"

    def get(self, name: str) -> Model | None:
        """None for a name that stands for nothing here, one that is no name included."""
        try:
            path = self.manifest(name)
            manifest = json.loads(path.read_text())
            digest, size = str(manifest["digest"]), int(manifest["size"])
        except (ValueError, OSError):
            return None
        when = datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
        return Model(full(name), digest, size, when, self.blob(digest))

    def all(self) -> list[Model]:
        paths = (path for path in self.manifests.rglob("*") if path.is_file())
        names = sorted(f"{path.parent.relative_to(self.manifests)}:{path.name}" for path in paths)
        return [model for name in names if (model := self.get(name))]

    def put(self, name: str, digest: str) -> None:
        path = self.manifest(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"digest": digest, "size": self.blob(digest).stat().st_size}))

    def store(self, content: bytes) -> str:
        """Keeps a blob; returns its digest."""
        digest = hashlib.sha256(content).hexdigest()
        self.blob(digest).write_bytes(content)
        return digest

    def make_up(self, name: str) -> None:
        """A model of that name out of nothing, the same bytes each time."""
        seed = f"{full(name)} {' '.join(WORDS)} ".encode()
        self.put(name, self.store((seed * (MADE_UP_BYTES // len(seed) + 1))[:MADE_UP_BYTES]))

    def delete(self, name: str) -> None:
        self.manifest(name).unlink()
