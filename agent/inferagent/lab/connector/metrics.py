"""Counters and gauges under the names of the real program, written as text for Prometheus."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from inferagent.lab.connector.options import VERSION

TUNNEL = "cloudflared_tunnel_"


@dataclass(slots=True)
class Metrics:
    """`ha_connections` counts connections that are up or being tried: it is no sign of readiness."""

    total_requests: int = 0
    concurrent_requests: int = 0
    request_errors: int = 0
    response_by_code: Counter[int] = field(default_factory=Counter)
    ha_connections: int = 0
    config_version: int = 0
    registered: int = 0
    register_failed: Counter[str] = field(default_factory=Counter)
    locations: dict[int, str] = field(default_factory=dict)
    started: float = field(default_factory=time.time)

    def text(self) -> str:
        lines = _metric(
            "build_info",
            "gauge",
            "Version of the program",
            [('{goversion="",revision="",type="stand-in",version="' + VERSION + '"}', 1)],
        )
        lines += _plain("cloudflared_orchestration_config_version", "gauge", self.config_version)
        lines += _plain(TUNNEL + "concurrent_requests_per_tunnel", "gauge", self.concurrent_requests)
        lines += _plain(TUNNEL + "ha_connections", "gauge", self.ha_connections)
        lines += _plain(TUNNEL + "request_errors", "counter", self.request_errors)
        lines += _by(TUNNEL + "response_by_code", "status_code", self.response_by_code)
        lines += _metric(
            TUNNEL + "server_locations",
            "gauge",
            "Where each connection ends",
            [
                (f'{{connection_id="{i}",edge_location="{at}"}}', 1)
                for i, at in sorted(self.locations.items())
            ],
        )
        lines += _plain(TUNNEL + "total_requests", "counter", self.total_requests)
        failed = [
            (f'{{error="{error}",rpcName="registerConnection"}}', n)
            for error, n in sorted(self.register_failed.items())
        ]
        lines += _metric(TUNNEL + "tunnel_register_fail", "counter", "Registrations refused", failed)
        if self.registered:
            done = [('{rpcName="registerConnection"}', self.registered)]
            lines += _metric(TUNNEL + "tunnel_register_success", "counter", "Registrations", done)
        lines += _plain("process_start_time_seconds", "gauge", self.started)
        return "\n".join(lines) + "\n"


def _plain(name: str, kind: str, value: float) -> list[str]:
    return _metric(name, kind, name.replace("_", " "), [("", value)])


def _by(name: str, label: str, values: Counter[int]) -> list[str]:
    return _metric(
        name,
        "counter",
        name.replace("_", " "),
        [(f'{{{label}="{key}"}}', n) for key, n in sorted(values.items())],
    )


def _metric(name: str, kind: str, about: str, samples: Sequence[tuple[str, float]]) -> list[str]:
    """A family without samples is not shown, as with the real program."""
    if not samples:
        return []
    return [f"# HELP {name} {about}", f"# TYPE {name} {kind}"] + [
        f"{name}{labels} {value}" for labels, value in samples
    ]
