"""An account at the API stand-in, and hosts that are set up in it, each in a folder of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from inferagent.config.load import load
from inferagent.lab.cloudflare.server import PERMISSIONS, Served, serve
from inferagent.lab.cloudflare.settings import Settings
from inferagent.lab.cloudflare.store import Store
from inferagent.model.desired import EngineKind
from inferagent.programs import setup
from inferagent.programs.setup import ConnectorRequest, EngineRequest, SetupRequest

TOKEN = "a-token-of-the-lab"
PUBLIC = "llm.example.com"
DATES = {"modified_on", "created_on", "created_at", "version"}


@contextmanager
def serving(store: Store, settings: Settings | None = None) -> Iterator[Served]:
    """The stand-in in a thread of its own: setup waits for its answers."""
    loop = asyncio.new_event_loop()
    found: list[Served] = []
    ready, leave = threading.Event(), asyncio.Event()

    async def stay() -> None:
        async with serve(store, settings) as served:
            found.append(served)
            ready.set()
            await leave.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(stay(),))
    thread.start()
    assert ready.wait(10)
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(leave.set)
        thread.join(10)
        loop.close()


@dataclass
class Lab:
    """An account with an API, and a folder in which every host has its own."""

    store: Store
    served: Served
    folder: Path
    said: list[str] = field(default_factory=list)

    def request(self, host: str, kind: EngineKind = EngineKind.VLLM, **changes: object) -> SetupRequest:
        port = 8000 if kind is EngineKind.VLLM else 11434
        home = self.folder / host
        token = self.folder / "api-token"
        token.write_text(f"{TOKEN}\n")
        plain = SetupRequest(
            host=host,
            public=PUBLIC,
            engine=EngineRequest(kind, f"http://127.0.0.1:{port}", (("chat", "model"),), ("engine", "serve")),
            connector=ConnectorRequest(metrics="127.0.0.1:9"),
            api_token_file=token,
            api=self.served.url,
            config_dir=home / "etc",
            state_dir=home / "state",
            run_dir=home / "run",
        )
        return replace(plain, **changes)

    @property
    def token(self) -> str:
        return TOKEN

    def machine(self, request: SetupRequest) -> str:
        return f"{sum(request.host.encode()):016x}"

    def replaced(self, request: SetupRequest, **changes: Any) -> SetupRequest:
        return replace(request, **changes)

    def setup(self, request: SetupRequest, machine: str = "", confirm: bool = True) -> int:
        identity = machine or self.machine(request)
        return setup.run(
            request, apply=True, confirm=lambda _: confirm, echo=self.said.append, machine=lambda: identity
        )

    def plan(self, request: SetupRequest) -> list[str]:
        said: list[str] = []
        code = setup.run(
            request,
            apply=False,
            confirm=lambda _: False,
            echo=said.append,
            machine=lambda: self.machine(request),
        )
        assert code == 0, said
        return said

    def undo(self, request: SetupRequest) -> int:
        return setup.undo(request.config_dir, echo=self.said.append, api_token_file=request.api_token_file)

    def look(self) -> dict[str, Any]:
        """The account as it is configured."""
        return self.store.snapshot(live=False)

    def undated(self) -> Any:
        """The same without the marks that any write leaves: when, and which in a row."""
        return _without(self.look(), DATES)

    def only(self, table: str) -> dict[str, Any]:
        (found,) = getattr(self.store, table).values()
        return found

    def named(self, table: str, name: str) -> dict[str, Any]:
        (found,) = [o for o in getattr(self.store, table).values() if o["name"] == name]
        return found

    def files(self) -> dict[str, bytes]:
        every = [path for path in self.folder.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in every}

    def config(self, request: SetupRequest) -> Any:
        settings = load(request.config_dir).settings
        assert settings is not None
        return settings


def _without(found: Any, keys: set[str]) -> Any:
    if isinstance(found, dict):
        return {key: _without(value, keys) for key, value in found.items() if key not in keys}
    return [_without(item, keys) for item in found] if isinstance(found, list) else found


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    store = Store()
    store.add_token(TOKEN, PERMISSIONS)
    with serving(store) as served:
        yield Lab(store, served, tmp_path)
