"""What differs between Cloudflare plans, or is not established, or must be short in a demo."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Defaults are those of a paid plan without Enterprise. Times in seconds."""

    max_pools: int = 20
    max_load_balancers: int = 20
    max_endpoints_per_pool: int = 20
    max_endpoints_per_account: int | None = None
    monitor_interval_min: int = 15
    monitor_interval_max: int = 3600
    steering_policies: frozenset[str] = frozenset({"", "off", "random"})
    rate_limit: int = 1200
    rate_window_s: float = 300.0
    rate_block_s: float = 300.0
    latency_s: float = 0.0
    pools_tell_healthy: bool = True
    """The published schema has no `healthy` in a pool; the real list shows it."""
