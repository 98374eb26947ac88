"""Undoing at Cloudflare: what setup made is deleted, what it changed goes back, what others use is left."""

from collections.abc import Callable

from inferagent.adapters.cloudflare.identity import MARK
from inferagent.adapters.membership_replica import connector_id
from inferagent.model.membership import MembershipKind
from inferagent.ports import PortError
from inferagent.programs.setup.objects import read_config
from inferagent.programs.setup.record import Entry, Record
from inferagent.programs.setup.revert import MISSING, revert
from inferagent.programs.setup.session import Object, Session, Where

NOTHING: Object = {"ingress": [{"service": "http_status:404"}]}  # a configuration cannot be removed
READ_ONLY = frozenset({"id", "created_on", "modified_on", "networks", "healthy", "disabled_at", "zone_name"})
CONTENT = {"load balancer": "default_pools", "fallback pool": "origins", "shared pool": "origins"}

Undoer = Callable[[Entry, Object, str], str]


class Outside:
    """One undoing over one session. `header` is the record's."""

    def __init__(self, session: Session, header: Object, echo: Callable[[str], None]) -> None:
        self._session = session
        self._header = header
        self._echo = echo
        self._tunnel_in_use = False
        self._doomed: set[str] = set()  # configurations of tunnels that will be deleted

    def undo(self, entries: list[Entry], record: Record) -> None:
        """Entries in the order of undoing. PortError leaves the rest for the next try."""
        self._look_at_connectors(entries)
        for entry in entries:
            self._echo(self._undo(entry))
            record.undone(entry.number)

    def _undo(self, entry: Entry) -> str:
        kind = entry.intent["kind"]
        if kind in ("tunnel", "ingress", "dns record") and self._tunnel_in_use:
            return f"left {entry.step}: other hosts still use the tunnel"
        if kind == "ingress":
            return self._undo_ingress(entry)
        where = Where(**entry.intent["where"])
        current = self._session.find(entry.step, where)
        if current is None:
            return f"{entry.step} is gone already"
        if current["id"] != entry.result.get("id", current["id"]):
            return f"left {entry.step}: it is not the one that setup knew"
        one = f"{where.path}/{current['id']}"
        special: dict[str, Undoer] = {
            "monitor": self._undo_monitor,
            "tunnel": self._undo_tunnel,
            "pool": self._undo_pool,
            "shared pool": self._undo_pool,
        }
        return special.get(kind, self._undo_object)(entry, current, one)

    def _undo_object(self, entry: Entry, current: Object, one: str) -> str:
        kind, intent = entry.intent["kind"], entry.intent
        if intent["made"] and kind not in CONTENT:
            self._session.delete(entry.step, one)
            return f"deleted {entry.step}"
        after = entry.result.get("after") or intent["after"]
        merged = reverted(current, intent["before"], after)
        if kind in CONTENT and not merged.get(CONTENT[kind]):
            return self._delete_hollow(entry, current, one)
        if _put_back(self._session, entry.step, one, current, merged):
            return f"put {entry.step} back" if not intent["made"] else f"left {entry.step} to the other hosts"
        return f"{entry.step} is as it was"

    def _delete_hollow(self, entry: Entry, current: Object, one: str) -> str:
        """Nobody's part is left in a shared object. Others' objects stay even then."""
        if not str(current.get("description", "")).startswith(MARK):
            return f"left {entry.step}: nothing but this host is in it, and setup did not make it"
        if entry.intent["kind"] == "fallback pool":
            self._lead_elsewhere(current)
        self._session.delete(entry.step, one)
        return f"deleted {entry.step}"

    def _lead_elsewhere(self, fallback: Object) -> None:
        """A load balancer that outlives this fallback pool gets its last pool for it, as by default."""
        path = f"/zones/{self._header['zone']}/load_balancers"
        for balancer in self._session.entries("read the load balancers", path):
            if balancer.get("fallback_pool") == fallback["id"] and balancer.get("default_pools"):
                body = {"fallback_pool": balancer["default_pools"][-1]}
                what = f"change load balancer {balancer.get('name')}"
                self._session.change(what, "PATCH", f"{path}/{balancer['id']}", body)

    def _undo_pool(self, entry: Entry, current: Object, one: str) -> str:
        """The last pool that asks for the monitor takes it along, whoever made it."""
        done = self._undo_object(entry, current, one)
        monitors = one.rpartition("/pools/")[0] + "/monitors"
        found = [m for m in self._session.entries("read the monitors", monitors) if _marked(m)]
        for monitor in found:
            if monitor["id"] == current.get("monitor"):
                dropped = self._drop_monitor(f"{monitors}/{monitor['id']}", monitor)
                done += f" and the monitor of {self._header['public']}" if dropped else ""
        return done

    def _undo_monitor(self, entry: Entry, current: Object, one: str) -> str:
        if self._drop_monitor(one, current):
            return f"deleted {entry.step}"
        if entry.intent["made"]:
            return f"left {entry.step} to the other hosts"
        return self._undo_object(entry, current, one)

    def _drop_monitor(self, one: str, monitor: Object) -> bool:
        pools = one.rpartition("/monitors/")[0] + "/pools"
        users = [
            p for p in self._session.entries("read the pools", pools) if p.get("monitor") == monitor["id"]
        ]
        if users:
            return False
        self._session.delete("the monitor", one)
        return True

    def _undo_tunnel(self, entry: Entry, _current: Object, one: str) -> str:
        if not entry.intent["made"]:
            return f"{entry.step} is as it was"
        self._session.delete(f"the connections of {entry.step}", f"{one}/connections")
        self._session.delete(entry.step, one)
        return f"deleted {entry.step}"

    def _undo_ingress(self, entry: Entry) -> str:
        path, before, after = (entry.intent[key] for key in ("path", "before", "after"))
        if path in self._doomed:
            return f"{entry.step} goes with its tunnel"
        current = read_config(self._session, path)
        wanted = revert(current, before, after) or NOTHING
        if wanted != current and current is not None:
            self._session.change("put the tunnel's configuration back", "PUT", path, {"config": wanted})
        return f"put {entry.step} back"

    def _look_at_connectors(self, entries: list[Entry]) -> None:
        """A tunnel is deleted only when this host's connector is gone and no other host has one in it."""
        made = [e for e in entries if e.intent["kind"] == "tunnel" and e.intent["made"] and "id" in e.result]
        own = connector_id(str(self._header["metrics"])) if made else ""
        for entry in made:
            path = f"{entry.intent['where']['path']}/{entry.result['id']}/connections"
            connected = {
                str(c.get("id")) for c in self._session.entries("read the connections", path) if _live(c)
            }
            shared = self._header["membership"] == MembershipKind.REPLICA
            if own in connected or (connected and not shared):
                raise PortError(
                    f"cannot undo: the connector of {entry.step} is still connected; "
                    "drain and stop this host's agent first, then undo again"
                )
            self._tunnel_in_use = bool(connected)
            self._doomed.add(path.replace("/connections", "/configurations"))


def reverted(current: Object, before: Object, after: Object) -> Object:
    """The whole object with our change taken back."""
    merged = dict(current)
    for key in after:
        value = revert(current.get(key, MISSING), before.get(key, MISSING), after[key])
        merged.pop(key, None)
        if value is not MISSING:
            merged[key] = value
    return merged


def _put_back(session: Session, step: str, one: str, current: Object, merged: Object) -> bool:
    """PATCH knows no removal of a field: where one goes, the whole object is put."""
    changed = {key: value for key, value in merged.items() if current.get(key, MISSING) != value}
    gone = current.keys() - merged.keys()
    if not changed and not gone:
        return False
    method, fields = ("PUT", merged) if gone else ("PATCH", changed)
    session.change(f"put {step} back", method, one, _writable(fields))
    return True


def _writable(fields: Object) -> Object:
    found = {key: value for key, value in fields.items() if key not in READ_ONLY}
    if "origins" in found:
        found["origins"] = [{k: v for k, v in e.items() if k not in READ_ONLY} for e in found["origins"]]
    return found


def _marked(monitor: Object) -> bool:
    return str(monitor.get("description", "")).startswith(MARK)


def _live(connector: Object) -> bool:
    return any(not conn.get("is_pending_reconnect") for conn in connector.get("conns") or [])
