"""The policy's numbers and the shape of this host, made once from the settings."""

import shlex

from inferagent.config.settings import Settings
from inferagent.model.check import Check
from inferagent.model.desired import Terms
from inferagent.model.tunnel import IngressRule

READY_PATH = r"^/\.inferagent/ready$"


def ingress_of(settings: Settings) -> tuple[IngressRule, ...]:
    """What the connector's configuration must begin with: the ready URL first, then the engine."""
    hostname = settings.connector.hostname
    return (
        IngressRule(hostname, READY_PATH, f"http://127.0.0.1:{settings.ready.port}"),
        IngressRule(hostname, "", settings.only_engine.url),
    )


def terms_of(settings: Settings, *, machine: str = "", made_by_setup: bool = False) -> Terms:
    """`machine` is this machine's identity (S15), "" where it is not known; `made_by_setup`: setup created
    the pool, disabled, so that no other hand disabled it."""
    engine, membership = settings.only_engine, settings.membership
    drain, limits, probe = settings.drain, settings.limits, settings.probe
    return Terms(
        engine=engine.kind,
        names=tuple(public for public, _ in engine.serves),
        engine_names=tuple(own for _, own in engine.serves),
        membership=membership.kind,
        pool=membership.pool,
        alone=membership.alone,
        ingress=ingress_of(settings),
        tunnel_id=settings.connector.tunnel,
        machine=machine,
        made_by_setup=made_by_setup,
        gpus=engine.gpus,
        engine_unit=engine.unit,
        connector_unit=settings.connector.unit,
        settle=drain.settle,
        quiet=drain.quiet,
        deadline=drain.deadline,
        deadline_alone=drain.deadline_alone,
        deadline_operator=drain.deadline_operator,
        monitor_bound=membership.monitor_bound,
        fresh=probe.fresh,
        falls=probe.falls,
        no_edge=limits.no_edge,
        hang_frozen=probe.hang_frozen,
        hang_frozen_traffic=probe.hang_frozen_traffic,
        suspect_frozen=probe.suspect_frozen,
        generation_deadline=probe.generation_deadline,
        stuck_load=limits.stuck_load,
        warming_without_progress=limits.warming_without_progress,
        restarts_per_hour=limits.restarts_per_hour,
        joins_per_hour=limits.joins_per_hour,
        hold_off=limits.hold_off,
        hold_off_reset=limits.hold_off_reset,
        reconnect_first=limits.reconnect_first,
        reconnect_last=limits.reconnect_last,
        pace_look=probe.look,
        pace_membership=probe.membership,
        stop_when_parked=settings.idle.stop_engine,
        checks=tuple(Check(one.called, one.effect, shlex.join(one.exec)) for one in settings.check),
    )
