"""A request, and an account in memory that answers like a Session."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from inferagent.adapters.cloudflare.client import ApiError
from inferagent.adapters.cloudflare.envelope import Refusal
from inferagent.model.desired import EngineKind
from inferagent.programs.setup.request import ConnectorRequest, EngineRequest, SetupRequest
from inferagent.programs.setup.session import Where


@dataclass
class Account:
    """Collections by path, each a list of objects; documents by path. `calls` lists the writes."""

    lists: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    documents: dict[str, Any] = field(default_factory=dict)
    calls: list[tuple[str, str, Any]] = field(default_factory=list)

    def get(self, what: str, path: str) -> Any:
        if path in self.documents:
            return self.documents[path]
        collection, _, key = path.rpartition("/")
        return self._one(what, collection, key)

    def entries(self, what: str, path: str, params: Any = None) -> list[dict[str, Any]]:
        return [dict(entry) for entry in self.lists.get(path, [])]

    def find(self, what: str, where: Where) -> dict[str, Any] | None:
        return next((e for e in self.entries(what, where.path) if where.finds(e)), None)

    def change(self, what: str, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((method, path, body))
        if path.endswith("/configurations"):
            self.documents[path] = body
            return body
        if method == "POST":
            made = {"id": f"{path.rpartition('/')[2]}-{len(self.lists.get(path, []))}", **body}
            self.lists.setdefault(path, []).append(made)
            return made
        collection, _, key = path.rpartition("/")
        old = self._one(what, collection, key)
        new = {**(old if method == "PATCH" else {"id": key}), **body}
        self.lists[collection] = [new if e["id"] == key else e for e in self.lists[collection]]
        return new

    def create(self, what: str, where: Where, body: dict[str, Any]) -> dict[str, Any]:
        return self.change(what, "POST", where.path, body)

    def delete(self, what: str, path: str) -> None:
        self.calls.append(("DELETE", path, None))
        collection, _, key = path.rpartition("/")
        self.lists[collection] = [e for e in self.lists.get(collection, []) if e["id"] != key]

    def _one(self, what: str, collection: str, key: str) -> dict[str, Any]:
        for entry in self.lists.get(collection, []):
            if entry["id"] == key:
                return entry
        raise ApiError(f"cannot {what}: not found", Refusal("not found", 404, 1001))


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def plain(tmp_path: Path) -> SetupRequest:
    """A request that is right in every field."""
    token = tmp_path / "api-token"
    token.write_text("secret\n")
    return SetupRequest(
        host="gpu-a",
        public="llm.example.com",
        engine=EngineRequest(
            EngineKind.VLLM, "http://127.0.0.1:8000", (("chat", "Qwen/Qwen3-8B"),), ("vllm", "serve")
        ),
        connector=ConnectorRequest(metrics="127.0.0.1:9"),
        api_token_file=token,
        api="http://127.0.0.1:9",
        config_dir=tmp_path / "etc",
        state_dir=tmp_path / "state",
        run_dir=tmp_path / "run",
    )
