"""What is known of the connector: connections, traffic through it, and the ingress that it really uses."""

from dataclasses import dataclass, field

from inferagent.model.reading import NEVER, Reading


@dataclass(frozen=True, slots=True)
class IngressRule:
    """One rule of the connector's configuration, in its order; "" stands for an absent field.

    `host`: the Host header that the service gets instead of the user's; two rules are the same without it.
    """

    hostname: str
    path: str
    service: str
    host: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Ingress:
    """The configuration in use. `version` is -1 before the first push."""

    version: int
    rules: tuple[IngressRule, ...]


@dataclass(frozen=True, slots=True)
class Traffic:
    """`total` requests since the connector's start and `in_flight` now, over every hostname of the tunnel.

    `failed`: answered with 5xx since then; None where that is not counted.
    """

    total: int
    in_flight: int
    failed: int | None = None


@dataclass(frozen=True, slots=True)
class ConnectorLook:
    """One probe of the connector. `ready` counts its edge connections (0 when /ready says 503).

    `connector_id` is the incarnation-bound id that /ready names; `tunnel_id` tells two agents apart (S15).
    """

    ready: Reading[int] = NEVER
    traffic: Reading[Traffic] = NEVER
    ingress: Reading[Ingress] = NEVER
    tunnel_id: Reading[str] = NEVER
    version: str = ""
