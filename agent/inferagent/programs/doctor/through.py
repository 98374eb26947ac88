"""What an answer that came through Cloudflare says about the way: which hop gave it, and what to do.

Each rule is data; the first that fits is the one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from inferagent.adapters.engine.generation import has_tokens
from inferagent.adapters.hops.public import Reply, Step, StepError
from inferagent.programs.doctor.values import mapping, text
from inferagent.programs.doctor.verdict import Hop, Outcome, fail

TUNNELS = "one.dash.cloudflare.com > Networks > Tunnels"
SERVICE_AUTH = (
    "one.dash.cloudflare.com > Access > Service auth: make a service token, keep it in credentials/"
    "access-client-id and access-client-secret, and give the application a policy with the action "
    "Service Auth"
)
SHOWN = 120  # characters of an answer


@dataclass(frozen=True, slots=True)
class Rule:
    """`says` gets the answer; its words are completed by status and body."""

    fits: Callable[[Reply], bool]
    hop: Hop
    says: str
    cure: str


def is_access(reply: Reply) -> bool:
    """A login page instead of an answer, or a plain refusal by Access."""
    target = _host(reply.headers.get("location", ""))
    if reply.status in range(300, 400) and target.endswith("cloudflareaccess.com"):
        return True
    marks = {name for name in reply.headers if name.startswith("cf-access-")}
    asks = "cloudflare-access" in reply.headers.get("www-authenticate", "").lower()
    return reply.status in (401, 403) and (bool(marks) or asks or "cloudflare access" in reply.text.lower())


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _code(*codes: str) -> Callable[[Reply], bool]:
    return lambda reply: (
        reply.status >= 400
        and any(f"error code: {code}" in reply.text or f"Error {code}" in reply.text for code in codes)
    )


def _status(*statuses: int) -> Callable[[Reply], bool]:
    return lambda reply: reply.status in statuses


def names_model(reply: Reply) -> bool:
    return reply.status == 404 and "model" in _complaint(reply).lower()


RULES = (
    Rule(is_access, Hop.ACCESS, "Cloudflare Access refuses", SERVICE_AUTH),
    Rule(
        lambda reply: reply.headers.get("cf-mitigated", "") != "",
        Hop.EDGE,
        "Cloudflare's bot or firewall rules stop the request",
        "dash.cloudflare.com > Security: skip the rule for this hostname, and turn Bot Fight Mode off",
    ),
    Rule(
        _code("1033"),
        Hop.TUNNEL,
        "no connector runs for the tunnel behind this name (error 1033)",
        "sudo systemctl restart cloudflared; inferagent status",
    ),
    Rule(
        _code("1016"),
        Hop.POOL,
        "no enabled endpoint is left behind this name (error 1016)",
        "dash.cloudflare.com > Traffic > Load Balancing: enable the fallback pool",
    ),
    Rule(
        _code("1000", "1001", "1002", "1014"),
        Hop.DNS,
        "Cloudflare knows no proxied record of this name",
        "sudo inferagent setup",
    ),
    Rule(
        _status(521, 522, 523, 525, 526),
        Hop.DNS,
        "the name leads to a server and not to the tunnel",
        "sudo inferagent setup (a proxied CNAME to TUNNEL.cfargotunnel.com)",
    ),
    Rule(
        _status(524, 504),
        Hop.ENGINE,
        "no answer began in the time that Cloudflare waits",
        "stream the answers, or give vLLM --sse-keep-alive-interval",
    ),
    Rule(
        _status(530),
        Hop.TUNNEL,
        "Cloudflare cannot reach the tunnel behind this name",
        "sudo systemctl restart cloudflared; inferagent status",
    ),
    Rule(
        _status(502),
        Hop.INGRESS,
        "the connector cannot reach the service that its rule names",
        f"{TUNNELS}: the service of this hostname, or sudo inferagent setup",
    ),
    Rule(
        lambda reply: reply.status == 403 and not reply.body.strip(),
        Hop.HOST_HEADER,
        "the engine refuses the Host header (Ollama on loopback)",
        f"{TUNNELS}: HTTP Host Header = localhost for this hostname, or sudo inferagent setup",
    ),
    Rule(names_model, Hop.MODEL, "the engine does not know the model", "give every host the same names"),
    Rule(
        _status(404),
        Hop.INGRESS,
        "a catch-all rule answers, not the engine",
        f"{TUNNELS}: a rule for this hostname, before the last one; or sudo inferagent setup",
    ),
    Rule(
        lambda reply: reply.status == 503 and not reply.body.strip(),
        Hop.INGRESS,
        "the connector has no rules yet, or a rule answers 503",
        f"{TUNNELS}: publish the hostname, or sudo inferagent setup",
    ),
    Rule(
        _status(401),
        Hop.ENGINE,
        "the engine wants a key (--api-key)",
        "let the edge ask for keys instead: Access, or a Worker",
    ),
)


def judged(answer: Reply | StepError, host: str) -> Outcome | None:
    """Who stands in the way of this answer; None where it came from behind the tunnel."""
    if isinstance(answer, StepError):
        return broken_off(answer, host)
    for rule in RULES:
        if rule.fits(answer):
            return fail(f"{host}: {rule.says} ({_shown(answer)})", rule.cure, rule.hop)
    return None


def tokens(answer: Reply | StepError, host: str) -> Outcome | None:
    """The same for a question to the engine: None for a real answer."""
    other = judged(answer, host)
    if other is not None or isinstance(answer, StepError):
        return other
    if answer.status == 200 and has_tokens(mapping(answer.json())):
        return None
    return fail(f"{host}: no tokens, but {_shown(answer)}", "inferagent status", Hop.ENGINE)


def broken_off(error: StepError, host: str) -> Outcome:
    match error.step:
        case Step.CONNECT:
            return fail(str(error), "is outgoing HTTPS allowed, or only by a proxy?", Hop.EDGE)
        case Step.TLS:
            zone = host.partition(".")[2]
            cure = (
                f"dash.cloudflare.com > {zone} > SSL/TLS > Edge Certificates: Universal SSL covers one label "
                f"below {zone} only"
            )
            return fail(str(error), cure, Hop.EDGE)
    return fail(str(error), "inferagent status; more time: --deadline 60s")


def _complaint(reply: Reply) -> str:
    body = mapping(reply.json())
    error = body.get("error", "")
    return error if isinstance(error, str) else text(mapping(error), "message")


def _shown(reply: Reply) -> str:
    said = _complaint(reply) or (reply.text if "<" not in reply.text else "")
    words = " ".join(said.split())[:SHOWN]
    return f"{reply.status} {words}".rstrip()
