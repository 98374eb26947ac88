"""Counters and gauges under the names of the real program, written as text for Prometheus."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from inferagent.lab.connector import runtime
from inferagent.lab.connector.options import VERSION

PREFIX = "cloudflared_"
TUNNEL = f"{PREFIX}tunnel_"
# Families that stand still here: nothing of the lab goes these ways.
STILL = {
    "config_local_config_pushes": "counter",
    "config_local_config_pushes_errors": "counter",
    "icmp_total_replies": "counter",
    "icmp_total_requests": "counter",
    "proxy_connect_streams_errors": "counter",
    "tcp_active_sessions": "gauge",
    "tcp_total_sessions": "counter",
    "udp_active_sessions": "gauge",
    "udp_total_sessions": "counter",
}
CONNECT_MS = ("1", "10", "25", "50", "100", "500", "1000", "5000", "+Inf")
CALL_S = ("0.05", "0.15000000000000002", "0.45000000000000007", "1.35", "4.050000000000001", "+Inf")
CALL = 'handler="registration",method="register_connection"'


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
    pages: int = 0

    def text(self) -> str:
        self.pages += 1
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
        lines += self._calls()
        for name, kind in STILL.items():
            lines += _plain(PREFIX + name, kind, 0)
        lines += _histogram("proxy_connect_latency", CONNECT_MS, "", 0)
        return "\n".join([*lines, *runtime.lines(self.started, self.pages)]) + "\n"

    def _calls(self) -> list[str]:
        """Registrations once more, as calls; not shown before the first one."""
        failed = sum(self.register_failed.values())
        made = self.registered + failed
        if not made:
            return []
        lines = _metric(f"{PREFIX}rpc_client_operations", "counter", "Calls", [(f"{{{CALL}}}", made)])
        if failed:
            name = f"{PREFIX}rpc_client_failures"
            lines += _metric(name, "counter", "Calls that failed", [(f"{{{CALL}}}", failed)])
        return lines + _histogram("rpc_client_latency_secs", CALL_S, CALL, self.registered)


def _plain(name: str, kind: str, value: float) -> list[str]:
    return _metric(name, kind, name.replace("_", " "), [("", value)])


def _histogram(name: str, bounds: Sequence[str], labels: str, count: int) -> list[str]:
    """Of things that took no time."""
    name, more = PREFIX + name, f"{labels}," if labels else ""
    of = f"{{{labels}}}" if labels else ""
    buckets = [f'{name}_bucket{{{more}le="{bound}"}} {count}' for bound in bounds]
    head = [f"# HELP {name} {name.replace('_', ' ')}", f"# TYPE {name} histogram"]
    return [*head, *buckets, f"{name}_sum{of} 0", f"{name}_count{of} {count}"]


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
