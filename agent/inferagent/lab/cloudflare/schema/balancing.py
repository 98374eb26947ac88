"""Request bodies of pools, monitors and load balancers."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from inferagent.lab.cloudflare.schema.base import Body, Share

ObjectName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", max_length=100)]
Percent = Annotated[float, Field(ge=0, le=100)]
Path = Annotated[str, StringConstraints(pattern=r"^/")]
Codes = Annotated[str, StringConstraints(pattern=r"^([1-5]\d\d|[1-5]xx)(,([1-5]\d\d|[1-5]xx))*$")]
Region = Literal[
    "WNAM", "ENAM", "WEU", "EEU", "NSAM", "SSAM", "OC", "ME",
    "NAF", "SAF", "SAS", "SEAS", "NEAS", "CHINA", "ALL_REGIONS",
]  # fmt: skip
Steering = Literal[
    "off", "geo", "random", "dynamic_latency", "proximity",
    "least_outstanding_requests", "least_connections", "",
]  # fmt: skip
Affinity = Literal["none", "cookie", "ip_cookie", "header"]
PoolMap = dict[str, list[str]]


class Header(Body):
    host: list[str] = Field(default_factory=list, alias="Host", max_length=1)


class Endpoint(Body):
    """One entry of `origins`."""

    name: Annotated[str, StringConstraints(min_length=1)]
    address: Annotated[str, StringConstraints(min_length=1)]
    enabled: bool = True
    weight: Share = 1.0
    header: Header = Field(default_factory=Header)
    port: int = Field(default=0, ge=0, le=65535)
    virtual_network_id: str = ""
    flatten_cname: bool = True


class LoadShedding(Body):
    default_percent: Percent = 0
    default_policy: Literal["random", "hash"] = "random"
    session_percent: Percent = 0
    session_policy: Literal["hash"] = "hash"


class EndpointSteering(Body):
    policy: Literal["random", "hash", "least_outstanding_requests", "least_connections"] = "random"


class Filter(Body):
    disable: bool | None = None
    healthy: bool | None = None


class NotificationFilter(Body):
    origin: Filter | None = None
    pool: Filter | None = None


class _Pool(Body):
    description: str = ""
    enabled: bool = True
    latitude: float = 0
    load_shedding: LoadShedding | None = None
    longitude: float = 0
    minimum_origins: int = Field(default=1, ge=0)
    monitor: str = ""
    monitor_group: str = ""
    notification_email: str = ""
    notification_filter: NotificationFilter | None = None
    origin_steering: EndpointSteering = Field(default_factory=EndpointSteering)


class _Placed(_Pool):
    check_regions: list[Region] | None = None
    health_sources: list[Literal["local", "regional", "global"]] | None = None


class PoolCreate(_Pool):
    """The schema of POST lacks `check_regions`; PUT and PATCH have it."""

    name: ObjectName
    origins: list[Endpoint] = Field(min_length=1)


class PoolUpdate(_Placed):
    name: ObjectName
    origins: list[Endpoint] = Field(min_length=1)


class PoolEdit(_Placed):
    name: ObjectName = ""
    origins: list[Endpoint] = Field(default_factory=list, min_length=1)


class PoolsEdit(Body):
    """PATCH on the collection can do this one thing."""

    notification_email: Literal[""] = ""


class MonitorBody(Body):
    """POST, PUT and PATCH: nothing is required."""

    allow_insecure: bool = False
    consecutive_down: int = Field(default=0, ge=0)
    consecutive_up: int = Field(default=0, ge=0)
    description: str = ""
    expected_body: str = ""
    expected_codes: Codes = "200"
    follow_redirects: bool = False
    header: dict[str, list[str]] = Field(default_factory=dict)
    interval: int = 60
    method: str = "GET"
    path: Path = "/"
    port: Annotated[int, Field(ge=0, le=65535)] | None = None
    probe_zone: str = ""
    retries: int = Field(default=2, ge=0, le=5)
    timeout: int = Field(default=5, ge=1, le=10)
    type: Literal["http", "https", "tcp", "udp_icmp", "icmp_ping", "smtp"] = "http"


class AdaptiveRouting(Body):
    failover_across_pools: bool = False


class LocationStrategy(Body):
    mode: Literal["pop", "resolver_ip"] = "pop"
    prefer_ecs: Literal["always", "never", "proximity", "geo"] = "proximity"


class RandomSteering(Body):
    default_weight: Share = 1.0
    pool_weights: dict[str, Share] = Field(default_factory=dict)


class AffinityAttributes(Body):
    drain_duration: float = 0
    headers: list[str] = Field(default_factory=list)
    require_all_headers: bool = False
    samesite: Literal["Auto", "Lax", "None", "Strict"] = "Auto"
    secure: Literal["Auto", "Always", "Never"] = "Auto"
    zero_downtime_failover: Literal["none", "temporary", "sticky"] = "none"


class FixedResponse(Body):
    content_type: str = ""
    location: str = ""
    message_body: str = ""
    status_code: int = 200


class _Routing(Body):
    adaptive_routing: AdaptiveRouting = Field(default_factory=AdaptiveRouting)
    country_pools: PoolMap = Field(default_factory=dict)
    location_strategy: LocationStrategy = Field(default_factory=LocationStrategy)
    pop_pools: PoolMap = Field(default_factory=dict)
    random_steering: RandomSteering = Field(default_factory=RandomSteering)
    region_pools: PoolMap = Field(default_factory=dict)
    session_affinity: Affinity = "none"
    session_affinity_attributes: AffinityAttributes = Field(default_factory=AffinityAttributes)
    session_affinity_ttl: float = 0
    steering_policy: Steering = ""
    ttl: float = 30


class Overrides(_Routing):
    default_pools: list[str] = Field(default_factory=list)
    fallback_pool: str = ""


class Rule(Body):
    condition: str = ""
    disabled: bool = False
    fixed_response: FixedResponse = Field(default_factory=FixedResponse)
    name: str = ""
    overrides: Overrides = Field(default_factory=Overrides)
    priority: int = 0
    terminates: bool = False


class _LoadBalancer(_Routing):
    description: str = ""
    enabled: bool = True
    networks: list[str] = Field(default_factory=list)
    proxied: bool = False
    rules: list[Rule] = Field(default_factory=list)


class LoadBalancerPut(_LoadBalancer):
    """POST and PUT."""

    name: Annotated[str, StringConstraints(min_length=1)]
    default_pools: list[str] = Field(min_length=1)
    fallback_pool: str


class LoadBalancerEdit(_LoadBalancer):
    name: Annotated[str, StringConstraints(min_length=1)] = ""
    default_pools: list[str] = Field(default_factory=list, min_length=1)
    fallback_pool: str = ""
