"""Checks from outside: names, the edge, Access, and the answer that a user gets."""

from inferagent.adapters.hops.names import NoNameError
from inferagent.adapters.hops.public import Reply, StepError
from inferagent.programs.doctor.looks_config import SERVICE_TOKEN, settings
from inferagent.programs.doctor.looks_here import CONNECTOR
from inferagent.programs.doctor.looks_outside import (
    EDGE_ADDRESSES,
    EDGE_TCP,
    EDGE_UDP,
    HOST_ANSWER,
    OWN_ADDRESSES,
    PUBLIC_ADDRESSES,
    PUBLIC_ANSWER,
    PUBLIC_NAME,
    READY_PAGE,
)
from inferagent.programs.doctor.sight import Sight
from inferagent.programs.doctor.through import SERVICE_AUTH, broken_off, is_access, judged, tokens
from inferagent.programs.doctor.values import listed
from inferagent.programs.doctor.verdict import CannotTellError, Check, Hop, Outcome, fail, ok, warn

RESOLVER = "resolvectl status; is the name server in /etc/resolv.conf alive?"
OUTBOUND = "allow outgoing port 7844, UDP and TCP; nothing has to come in"


async def own_name(sight: Sight) -> Outcome:
    return _resolved((await settings(sight)).connector.hostname, await sight.see(OWN_ADDRESSES))


async def public_name(sight: Sight) -> Outcome:
    return _resolved(await sight.see(PUBLIC_NAME), await sight.see(PUBLIC_ADDRESSES))


def _resolved(name: str, found: tuple[str, ...] | NoNameError) -> Outcome:
    if isinstance(found, NoNameError):
        return fail(str(found), f"sudo inferagent setup (a new name takes minutes); dig {name}")
    return ok(f"{name} is at {listed(found[:2])}")


async def edge_names(sight: Sight) -> Outcome:
    found = await sight.see(EDGE_ADDRESSES)
    lost = [host for host, addresses in found if isinstance(addresses, NoNameError)]
    if lost:
        return fail(f"cannot resolve {listed(lost)}", RESOLVER)
    return ok(listed([host for host, _ in found]))


async def resolver(sight: Sight) -> Outcome:
    """Whether any answer comes at all; that a name is missing is an answer too."""
    try:
        await sight.see(OWN_ADDRESSES)
    except CannotTellError as error:
        return fail(str(error), RESOLVER)
    return ok("the name server answers")


async def edge_port(sight: Sight) -> Outcome:
    """QUIC is what cloudflared prefers, TCP what it falls back to."""
    tcp, udp = await sight.see(EDGE_TCP), await sight.see(EDGE_UDP)
    connector = await sight.try_see(CONNECTOR)
    if udp.answered == udp.asked and tcp.answered == tcp.asked:
        return ok("UDP and TCP get through")
    if not (tcp.answered or udp.answered):
        why = f"{udp.why}; {tcp.why}"
        if connector is not None and connector.connections:
            return warn(f"{why}; yet the connector has {connector.connections} connections", OUTBOUND)
        return fail(why, OUTBOUND)
    if not udp.answered:
        return warn(f"{udp.why}: the connector falls back to TCP", OUTBOUND)
    if not tcp.answered:
        return warn(f"{tcp.why}: nothing to fall back to", OUTBOUND)
    return warn(f"one of two regions does not answer: {udp.why or tcp.why}", OUTBOUND)


async def edge_tls(sight: Sight) -> Outcome:
    host = (await settings(sight)).connector.hostname
    page = await sight.see(READY_PAGE)
    if isinstance(page, StepError):
        return broken_off(page, host)
    return ok(f"{host}: connected, the certificate is good")


async def access(sight: Sight) -> Outcome:
    page = await sight.see(READY_PAGE)
    if isinstance(page, Reply) and is_access(page):
        host = (await settings(sight)).connector.hostname
        if await sight.see(SERVICE_TOKEN):
            return fail(
                f"Access refuses the service token at {host} ({page.status})",
                "one.dash.cloudflare.com > Access > Service auth: is it expired? Its policy needs the action "
                "Service Auth, not Allow",
            )
        return fail(f"Access asks for a login at {host} ({page.status})", SERVICE_AUTH)
    return ok("nothing asks for a login")


async def ready_page(sight: Sight) -> Outcome:
    """What the monitor would get."""
    host = (await settings(sight)).connector.hostname
    page = await sight.see(READY_PAGE)
    if isinstance(page, Reply) and isinstance(said := page.json(), dict) and "ready" in said:
        return ok(f"answers {page.status}, phase {said.get('phase')}")
    return judged(page, host) or fail(
        f"{host}: the ready URL is answered by something else ({getattr(page, 'status', '')})",
        "sudo inferagent setup (its rule stands first)",
        Hop.INGRESS,
    )


async def host_answer(sight: Sight) -> Outcome:
    host = (await settings(sight)).connector.hostname
    return tokens(await sight.see(HOST_ANSWER), host) or ok(f"a real answer from {host}")


async def public_answer(sight: Sight) -> Outcome:
    name = await sight.see(PUBLIC_NAME)
    return tokens(await sight.see(PUBLIC_ANSWER), name) or ok(f"a real answer from {name}")


REACHED = ("dns.host", "edge.tls", "access.host")
DNS_CHECKS = (
    Check("dns.resolver", Hop.DNS, "a name server answers", resolver, ("config.valid",)),
    Check(
        "dns.host", Hop.DNS, "the host's name resolves", own_name, ("dns.resolver", "dns.record", "dns.zone")
    ),
    Check(
        "dns.public",
        Hop.DNS,
        "the public name resolves",
        public_name,
        ("dns.resolver", "dns.zone", "balancer.there"),
    ),
    Check("dns.edge", Hop.DNS, "the edge's names resolve", edge_names, ("dns.resolver",)),
)
EDGE_CHECKS = (
    Check("edge.port", Hop.EDGE, "port 7844 gets out", edge_port, ("dns.edge",)),
    Check("edge.tls", Hop.EDGE, "HTTPS to the host's name", edge_tls, ("dns.host",)),
    Check(
        "access.host",
        Hop.ACCESS,
        "Access lets programs in",
        access,
        ("edge.tls", "credentials.service-token"),
    ),
)
BEHIND = ("connector.connections", "ingress.rules", "ingress.pushed", "account.tunnel")
ANSWER_CHECKS = (
    Check("ready.public", Hop.READY, "the monitor's way", ready_page, (*REACHED, *BEHIND, "ready.here")),
    Check(
        "answer.host",
        Hop.ENGINE,
        "one real answer by the host's name",
        host_answer,
        (*REACHED, *BEHIND, "ready.public", "ingress.host-header", "engine.answer", "model.listed"),
    ),
    Check(
        "answer.public",
        Hop.ENGINE,
        "one real answer by the public name",
        public_answer,
        ("dns.public", "answer.host", "balancer.there", "balancer.fallback", "pool.endpoint", "pool.enabled"),
    ),
)
