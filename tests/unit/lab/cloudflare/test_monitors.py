from typing import Any

import pytest

from inferagent.lab.cloudflare import monitors, pools


def test_a_new_monitor_has_the_defaults(api: Any) -> None:
    made = api(monitors.create_monitor, {})
    assert (made["type"], made["method"], made["path"], made["timeout"]) == ("http", "GET", "/", 5)
    assert (made["interval"], made["retries"], made["expected_codes"]) == (60, 2, "200")


@pytest.mark.parametrize(
    "change",
    [
        {"interval": 14},
        {"interval": 3601},
        {"interval": "60"},
        {"interval": 60.5},
        {"interval": True},
        {"expected_codes": 200},
        {"expected_codes": "ok"},
        {"header": {"Host": "a.example.com"}},
        {"path": "ready"},
        {"type": "grpc"},
        {"load_balancer_monitor_timeout": 5},
        {"surprise": 1},
    ],
)
def test_a_bad_body_is_refused(api: Any, change: dict[str, Any]) -> None:
    made = api.monitor()
    assert api.refused(monitors.edit_monitor, change, monitor=made["id"]) == (400, 1002)
    assert api(monitors.get_monitor, monitor=made["id"]) == made


def test_the_range_of_the_interval_is_a_setting(api: Any) -> None:
    api.settings = type(api.settings)(monitor_interval_min=1)
    assert api.monitor(interval=1)["interval"] == 1


def test_patch_keeps_and_put_resets(api: Any) -> None:
    made = api.monitor(path="/ready", interval=30)
    patched = api(monitors.edit_monitor, {"interval": 20}, monitor=made["id"])
    assert (patched["path"], patched["interval"]) == ("/ready", 20)
    put = api(monitors.update_monitor, {"interval": 20}, monitor=made["id"])
    assert (put["path"], put["type"], put["id"]) == ("/", "http", made["id"])


def test_a_monitor_in_use_cannot_be_deleted(api: Any) -> None:
    made = api.monitor()
    pool = api.pool(monitor=made["id"])
    assert api.refused(monitors.delete_monitor, monitor=made["id"]) == (412, 1005)
    found = api(monitors.monitor_references, monitor=made["id"])
    assert [(item["resource_type"], item["resource_id"]) for item in found] == [("pool", pool["id"])]
    api(pools.delete_pool, pool=pool["id"])
    assert api(monitors.delete_monitor, monitor=made["id"]) == {"id": made["id"]}
    assert api(monitors.list_monitors) == []
    assert api.refused(monitors.get_monitor, monitor=made["id"]) == (404, 1001)
