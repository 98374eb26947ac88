"""Objects at Cloudflare as setup wants them, and the step that makes or changes one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from inferagent.programs.setup.session import Object, Session, Where

Ids = dict[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One object by name.

    `make` is the body of a new one, `change` the fields in which an existing one differs ({}: none). Both get
    the ids known so far, by `key`. `parts` is what of a new one is this host's alone; None: all of it.
    """

    kind: str
    key: str
    title: str
    where: Where
    make: Callable[[Ids], Object]
    change: Callable[[Object, Ids], Object]
    parts: Callable[[Ids], Object] | None = None
    note: str = ""


@dataclass(slots=True)
class Work:
    """What the steps share: the conversation, and the ids that they learn on the way."""

    session: Session
    ids: Ids = field(default_factory=dict)


@dataclass(slots=True)
class ObjectStep:
    """Make or change one object; it is looked up again at its own moment."""

    work: Work
    wanted: Wanted
    change: str
    _existing: Object | None = None
    _body: Object = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.wanted.title

    def intent(self) -> Object:
        wanted, ids = self.wanted, self.work.ids
        self._existing = self.work.session.find(wanted.title, wanted.where)
        if self._existing is None:
            self._body = wanted.make(ids)
            after = wanted.parts(ids) if wanted.parts else {}
            before: Object = {}
        else:
            self._body = after = wanted.change(self._existing, ids)
            before = {key: self._existing[key] for key in after if key in self._existing}
        where = {"path": wanted.where.path, "match": dict(wanted.where.match)}
        return {
            "kind": wanted.kind,
            "made": self._existing is None,
            "before": before,
            "after": after,
            "where": {**where, "params": dict(wanted.where.params)},
        }

    def apply(self) -> Object:
        found = self._written()
        self.work.ids[self.wanted.key] = str(found["id"])
        if self._existing is None:
            return {"id": found["id"]}
        return {"id": found["id"], "after": {key: found.get(key) for key in self._body}}

    def _written(self) -> Object:
        session, wanted = self.work.session, self.wanted
        if self._existing is None:
            return session.create(wanted.title, wanted.where, self._body)
        if not self._body:
            return self._existing
        path = f"{wanted.where.path}/{self._existing['id']}"
        return session.change(f"change {wanted.title}", "PATCH", path, self._body)


@dataclass(slots=True)
class IngressStep:
    """Put the whole configuration of the tunnel, the foreign rules kept."""

    work: Work
    account: str
    title: str
    change: str
    rules: Callable[[list[Object]], list[Object]]
    _config: Object = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.title

    def intent(self) -> Object:
        before = read_config(self.work.session, self._path())
        self._config = {**(before or {}), "ingress": self.rules((before or {}).get("ingress", []))}
        return {"kind": "ingress", "path": self._path(), "before": before, "after": self._config}

    def apply(self) -> Object:
        self.work.session.change("configure the tunnel", "PUT", self._path(), {"config": self._config})
        return {}

    def _path(self) -> str:
        return config_path(self.account, self.work.ids["tunnel"])


def config_path(account: str, tunnel: str) -> str:
    return f"/accounts/{account}/cfd_tunnel/{tunnel}/configurations"


def read_config(session: Session, path: str) -> Object | None:
    """The tunnel's configuration, None before the first."""
    found = session.get("read the tunnel's configuration", path)
    config = found.get("config") if isinstance(found, dict) else None
    return config if isinstance(config, dict) else None


def step_for(work: Work, wanted: Wanted, existing: Object | None) -> ObjectStep | None:
    """The step that is still needed, None when all is as wanted; notes the id of what exists."""
    if existing is None:
        return ObjectStep(work, wanted, f"make {wanted.title}{wanted.note}")
    work.ids[wanted.key] = str(existing["id"])
    fields = wanted.change(existing, work.ids)
    if not fields:
        return None
    return ObjectStep(work, wanted, f"change {wanted.title}: {', '.join(map(_plainly, fields))}")


def _plainly(field_name: str) -> str:
    return "endpoints" if field_name == "origins" else field_name.replace("_", " ")


def differing(existing: Object, wanted: dict[str, Any]) -> Object:
    return {key: value for key, value in wanted.items() if existing.get(key) != value}
