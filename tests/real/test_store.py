"""A copied store answers with one thread, and the one that it was copied from is as before."""

import hashlib
import json
from pathlib import Path

from tests.real.store import PARAMS, copy_of

MODEL = {"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:aa", "size": 3}


def store_in(folder: Path, *layers: dict[str, object]) -> Path:
    place = folder / "manifests/registry.example.com/library/chat"
    place.mkdir(parents=True)
    (place / "latest").write_text(json.dumps({"schemaVersion": 2, "layers": [MODEL, *layers]}))
    (folder / "blobs").mkdir()
    (folder / "blobs/sha256-aa").write_text("gguf")
    return folder


def parameters(store: Path) -> dict[str, object]:
    manifest = json.loads(next(store.rglob("latest")).read_text())
    (digest,) = [layer["digest"] for layer in manifest["layers"] if layer["mediaType"] == PARAMS]
    content = (store / "blobs" / digest.replace(":", "-")).read_bytes()
    assert digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
    found: dict[str, object] = json.loads(content)
    return found


def test_a_copy_has_one_thread(tmp_path: Path) -> None:
    store = store_in(tmp_path / "store")
    before = next(store.rglob("latest")).read_text()
    made = copy_of(store, tmp_path / "copy")
    assert parameters(made) == {"num_thread": 1}
    assert (made / "blobs/sha256-aa").read_text() == "gguf"
    assert next(store.rglob("latest")).read_text() == before


def test_other_parameters_stay(tmp_path: Path) -> None:
    store = store_in(tmp_path / "store", {"mediaType": PARAMS, "digest": "sha256:bb", "size": 9})
    (store / "blobs/sha256-bb").write_text('{"top_k": 5, "num_thread": 8}')
    assert parameters(copy_of(store, tmp_path / "copy")) == {"top_k": 5, "num_thread": 1}
    assert (store / "blobs/sha256-bb").read_text() == '{"top_k": 5, "num_thread": 8}'
