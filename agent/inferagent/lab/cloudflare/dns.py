"""DNS records of the zone."""

from pydantic import ValidationError

from inferagent.lab.cloudflare.calls import Answer, B, Call, Route, new_id, paged
from inferagent.lab.cloudflare.errors import ApiError, invalid_dns, reasons
from inferagent.lab.cloudflare.schema.dns import RecordEdit, RecordPut
from inferagent.lab.cloudflare.store import Object, Tables

WRITE = "DNS Write"
READ = "DNS Read"
PER_PAGE = 100
ADDRESS = ("A", "AAAA")
PROXIABLE = (*ADDRESS, "CNAME")
DEFAULTS: Object = {"proxied": False, "comment": None, "tags": [], "settings": {}, "meta": {}}
SEARCHED = ("name", "content", "comment")


def list_records(call: Call) -> Answer:
    found = [record for record in call.tables.dns_records.values() if _wanted(call, record)]
    return paged(call, found, PER_PAGE)


def get_record(call: Call) -> Answer:
    return Answer(_record(call, call.tables))


def create_record(call: Call) -> Answer:
    fresh = {"id": new_id(), "created_on": call.now()}
    return _kept(call, DEFAULTS | fresh | _parsed(call, RecordPut).given())


def update_record(call: Call) -> Answer:
    before = _record(call, call.store.tables)
    given = _parsed(call, RecordPut).given()
    return _kept(call, DEFAULTS | {key: before[key] for key in ("id", "created_on")} | given)


def edit_record(call: Call) -> Answer:
    return _kept(call, _record(call, call.store.tables) | _parsed(call, RecordEdit).given())


def delete_record(call: Call) -> Answer:
    record = _record(call, call.store.tables)
    call.store.remove("dns_record", record["id"])
    return Answer({"id": record["id"]})


def _parsed(call: Call, model: type[B]) -> B:
    try:
        return model.model_validate(call.body)
    except ValidationError as error:
        raise invalid_dns(9005, reasons(error)) from None


def _record(call: Call, tables: Tables) -> Object:
    record = tables.dns_records.get(call.params["record"])
    if record is None:
        raise ApiError(404, 81044, "Record does not exist.")
    return record


def _kept(call: Call, record: Object) -> Answer:
    record["name"] = _full_name(record["name"].rstrip(".").lower(), call.store.zone["name"])
    record["proxiable"] = record["type"] in PROXIABLE
    if record["proxied"] and not record["proxiable"]:
        raise invalid_dns(9004, f"cannot proxy a record of type {record['type']}")
    _refuse_conflict(call, record)
    record["modified_on"] = call.now()
    call.store.put("dns_record", record["id"], record)
    return Answer(record)


def _full_name(name: str, zone: str) -> str:
    """`@` is the zone itself, and a name outside of the zone is taken as relative to it."""
    if name in ("@", zone):
        return zone
    return name if name.endswith(f".{zone}") else f"{name}.{zone}"


def _refuse_conflict(call: Call, record: Object) -> None:
    others = call.store.dns_records.items()
    same_name = [other for key, other in others if other["name"] == record["name"] and key != record["id"]]
    if any(o["type"] == record["type"] and o["content"] == record["content"] for o in same_name):
        raise ApiError(400, 81058, "An identical record exists already.")
    if record["type"] == "CNAME" and any(o["type"] in PROXIABLE for o in same_name):
        raise ApiError(400, 81053, "An A, AAAA or CNAME record of that host exists already.")
    if record["type"] in ADDRESS and any(o["type"] == "CNAME" for o in same_name):
        raise ApiError(400, 81054, "A CNAME record of that host exists already.")


def _wanted(call: Call, record: Object) -> bool:
    ask = call.query
    if ask.get("type", record["type"]) != record["type"]:
        return False
    if ask.get("proxied", str(record["proxied"]).lower()) != str(record["proxied"]).lower():
        return False
    return all(_matches(call, key, str(record[key] or "")) for key in SEARCHED)


def _matches(call: Call, key: str, value: str) -> bool:
    value = value.lower()
    ask = {name: text.lower() for name, text in call.query.items() if name.split(".")[0] == key}
    return (
        ask.get(key, value) == value
        and ask.get(f"{key}.exact", value) == value
        and ask.get(f"{key}.contains", "") in value
        and value.startswith(ask.get(f"{key}.startswith", ""))
        and value.endswith(ask.get(f"{key}.endswith", ""))
    )


ALL = "/zones/{zone}/dns_records"
ONE = ALL + "/{record}"
ROUTES = [
    Route("GET", ALL, list_records, (READ, WRITE)),
    Route("POST", ALL, create_record, (WRITE,)),
    Route("GET", ONE, get_record, (READ, WRITE)),
    Route("PUT", ONE, update_record, (WRITE,)),
    Route("PATCH", ONE, edit_record, (WRITE,)),
    Route("DELETE", ONE, delete_record, (WRITE,)),
]
