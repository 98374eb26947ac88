"""A copy of an Ollama store for one run: its models answer with one thread each.

Several threads of a generation wait for each other by spinning: where the machine is busy with other work, a
model of a few kilobytes then takes half a minute for four tokens.
"""

import hashlib
import json
import os
import shutil
from pathlib import Path

PARAMS = "application/vnd.ollama.image.params"


def copy_of(store: Path, target: Path) -> Path:
    """`target`, made; the models' contents are shared with `store` where the disk can do that."""
    shutil.copytree(store, target, copy_function=_linked, dirs_exist_ok=True)
    for manifest in sorted(path for path in (target / "manifests").rglob("*") if path.is_file()):
        _with_one_thread(manifest, target / "blobs")
    return target


def _with_one_thread(manifest: Path, blobs: Path) -> None:
    found = json.loads(manifest.read_text())
    others = [layer for layer in found["layers"] if layer["mediaType"] != PARAMS]
    own = next((layer for layer in found["layers"] if layer["mediaType"] == PARAMS), None)
    kept = json.loads(_blob(blobs, own["digest"]).read_text()) if own else {}
    content = json.dumps(kept | {"num_thread": 1}).encode()
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    _blob(blobs, digest).write_bytes(content)
    found["layers"] = [*others, {"mediaType": PARAMS, "digest": digest, "size": len(content)}]
    manifest.unlink()  # it may be a link to the store's own
    manifest.write_text(json.dumps(found))


def _blob(blobs: Path, digest: str) -> Path:
    return blobs / digest.replace(":", "-")


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
