from typing import Any

import pytest

from inferagent.lab.cloudflare import dns

CNAME = {
    "type": "CNAME",
    "name": "gpu-1.example.com",
    "content": "x.cfargotunnel.com",
    "ttl": 1,
    "proxied": True,
}


def made(api: Any, **change: Any) -> dict[str, Any]:
    record: dict[str, Any] = api(dns.create_record, CNAME | change)
    return record


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("gpu-1", "gpu-1.example.com"),
        ("GPU-1.example.com.", "gpu-1.example.com"),
        ("@", "example.com"),
        ("example.com", "example.com"),
    ],
)
def test_names_are_completed_with_the_zone(api: Any, given: str, kept: str) -> None:
    assert made(api, name=given)["name"] == kept


@pytest.mark.parametrize(
    "change",
    [
        {"surprise": 1},
        {"proxied": "true"},
        {"ttl": 30},
        {"ttl": "1"},
        {"type": "SRV"},
        {"type": "TXT"},
        {"id": "x"},
        {"content": ""},
    ],
)
def test_a_bad_body_is_refused(api: Any, change: dict[str, Any]) -> None:
    assert api.refused(dns.create_record, CNAME | change) == (400, 1004)
    assert api.store.dns_records == {}


def test_a_hostname_with_a_cname_has_nothing_else(api: Any) -> None:
    record = made(api)
    assert api.refused(dns.create_record, CNAME) == (400, 81058)
    assert api.refused(dns.create_record, CNAME | {"content": "y.example.com"}) == (400, 81053)
    assert api.refused(dns.create_record, CNAME | {"type": "A", "content": "192.0.2.1"}) == (400, 81054)
    other = made(api, name="gpu-2")
    assert api.refused(dns.edit_record, {"name": "gpu-1", "content": "z"}, record=other["id"]) == (400, 81053)
    assert api(dns.edit_record, {"content": "y.example.com"}, record=record["id"])["name"] == CNAME["name"]
    assert made(api, type="TXT", content="note", proxied=False)["proxiable"] is False


def test_patch_keeps_and_put_resets(api: Any) -> None:
    record = made(api, comment="mine")
    patched = api(dns.edit_record, {"proxied": False}, record=record["id"])
    assert (patched["comment"], patched["proxied"]) == ("mine", False)
    put = {key: value for key, value in CNAME.items() if key != "proxied"}
    after = api(dns.update_record, put, record=record["id"])
    assert (after["comment"], after["proxied"], after["id"]) == (None, False, record["id"])
    assert api.refused(dns.update_record, {"content": "z"}, record=record["id"]) == (400, 1004)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["gpu-1", "gpu-2", "web"]),
        ({"type": "A"}, ["web"]),
        ({"name": "gpu-1.example.com"}, ["gpu-1"]),
        ({"name": "gpu-1"}, []),
        ({"name.exact": "web.example.com"}, ["web"]),
        ({"name.startswith": "GPU"}, ["gpu-1", "gpu-2"]),
        ({"name.endswith": "2.example.com"}, ["gpu-2"]),
        ({"content.contains": "cfargotunnel"}, ["gpu-1", "gpu-2"]),
        ({"comment.exact": "mine"}, ["gpu-2"]),
        ({"proxied": "false"}, ["web"]),
        ({"page": "2", "per_page": "2"}, ["web"]),
    ],
)
def test_the_list_is_filtered_and_paged(api: Any, query: dict[str, str], expected: list[str]) -> None:
    made(api)
    made(api, name="gpu-2", comment="mine")
    made(api, name="web", type="A", content="192.0.2.1", proxied=False)
    found = [record["name"].split(".")[0] for record in api(dns.list_records, query=query)]
    assert found == expected


def test_a_deleted_record_is_gone(api: Any) -> None:
    record = made(api)
    assert api(dns.delete_record, record=record["id"]) == {"id": record["id"]}
    assert api.refused(dns.get_record, record=record["id"]) == (404, 81044)
