"""Request bodies of tunnels and their configurations."""

import base64
import binascii
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from inferagent.lab.cloudflare.schema.base import Body

SECRET_BYTES = 32


def _secret(value: str) -> str:
    try:
        raw = base64.b64decode(value, validate=True)
    except binascii.Error:
        raise ValueError("must be base64") from None
    if len(raw) < SECRET_BYTES:
        raise ValueError(f"must be at least {SECRET_BYTES} bytes")
    return value


Secret = Annotated[str, AfterValidator(_secret)]
TunnelName = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class TunnelCreate(Body):
    name: TunnelName
    config_src: Literal["local", "cloudflare"] = "local"
    tunnel_secret: Secret = ""


class TunnelEdit(Body):
    name: TunnelName = ""
    tunnel_secret: Secret = ""


class Access(Body):
    """`audTag` and `teamName` are required wherever `access` is given."""

    aud_tag: list[str] = Field(alias="audTag")
    team_name: str = Field(alias="teamName")
    required: bool = False


def _no_access() -> Access:
    return Access(audTag=[], teamName="")


class EndpointRequest(Body):
    """`originRequest`: how the connector calls the engine. Times in whole seconds."""

    access: Access = Field(default_factory=_no_access)
    ca_pool: str = Field(default="", alias="caPool")
    connect_timeout: int = Field(default=10, alias="connectTimeout")
    disable_chunked_encoding: bool = Field(default=False, alias="disableChunkedEncoding")
    http2_origin: bool = Field(default=False, alias="http2Origin")
    http_host_header: str = Field(default="", alias="httpHostHeader")
    keep_alive_connections: int = Field(default=100, alias="keepAliveConnections")
    keep_alive_timeout: int = Field(default=90, alias="keepAliveTimeout")
    match_sni_to_host: bool = Field(default=False, alias="matchSNItoHost")
    no_happy_eyeballs: bool = Field(default=False, alias="noHappyEyeballs")
    no_tls_verify: bool = Field(default=False, alias="noTLSVerify")
    origin_server_name: str = Field(default="", alias="originServerName")
    proxy_type: str = Field(default="", alias="proxyType")
    tcp_keep_alive: int = Field(default=30, alias="tcpKeepAlive")
    tls_timeout: int = Field(default=10, alias="tlsTimeout")


class IngressRule(Body):
    """The schema requires `hostname`; the catch-all rule, last of all, goes without."""

    service: Annotated[str, StringConstraints(min_length=1)]
    hostname: str = ""
    path: str = ""
    origin_request: EndpointRequest = Field(default_factory=EndpointRequest, alias="originRequest")


class Configuration(Body):
    ingress: list[IngressRule] = Field(min_length=1)
    origin_request: EndpointRequest = Field(default_factory=EndpointRequest, alias="originRequest")


class ConfigurationPut(Body):
    config: Configuration
