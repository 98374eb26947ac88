"""What of the edge can be set: delays, seeds, time-outs. Seconds everywhere."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """Defaults are Cloudflare's where they are known; a test or demo shortens what it says it shortens.

    addresses       loopback addresses of the tunnel listener; a connector makes one connection to each
    lag             how long a change of a pool, load balancer, monitor or DNS record takes to reach routing
    cache_s         how long a resolved hostname is kept
    silence_s       an endpoint silent for so long is answered 524, or cut if it had begun
    ping_s, dead_s  how often connectors are pinged, and when one that does not answer is dropped; 0 = never
    interval_scale  factor on every monitor interval (and nothing else)
    first_look      range, as a share of the interval, of the wait between enabling and the first look
    data_centres    how many look; their majority is the verdict
    reset_health    enabling a pool makes its health unknown (not established of the real one)
    public_tls_port of the same public side by HTTPS; 0 = any that is free
    dns_port        of the name server for the zone and for the edge's own names; 0 = any that is free
    spread          share of requests that do not go to the nearest replica of a tunnel
    """

    seed: int = 0
    tunnel_port: int = 0
    public_port: int = 0
    public_tls_port: int = 0
    dns_port: int = 0
    addresses: tuple[str, ...] = ("127.0.0.1", "127.0.0.2")
    lag: tuple[float, float] = (0.0, 10.0)
    cache_s: float = 5.0
    silence_s: float = 120.0
    ping_s: float = 15.0
    dead_s: float = 60.0
    interval_scale: float = 1.0
    first_look: tuple[float, float] = (0.0, 1.0)
    data_centres: tuple[str, ...] = ("Amsterdam, NL",)
    reset_health: bool = True
    spread: float = 0.0
