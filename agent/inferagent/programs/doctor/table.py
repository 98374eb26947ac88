"""Every check of doctor, each behind those that it needs. The order is the order of looking for a cause."""

from inferagent.programs.doctor import (
    checks_account,
    checks_balancer,
    checks_config,
    checks_engine,
    checks_host,
    checks_outside,
    checks_pool,
    checks_tunnel,
)
from inferagent.programs.doctor.verdict import Check, Hop

_BEFORE = (
    *checks_config.CHECKS,
    *checks_engine.GPU_CHECKS[::-1],
    *checks_engine.CHECKS,
    checks_host.READY_CHECK,
    *checks_account.CHECKS,
    checks_pool.RECORD_CHECK,
    *checks_pool.CHECKS,
    *checks_balancer.CHECKS,
    *checks_outside.DNS_CHECKS,
    *checks_outside.EDGE_CHECKS,
    *checks_tunnel.CHECKS,
    *checks_tunnel.INGRESS_CHECKS,
    *checks_outside.ANSWER_CHECKS,
    *checks_pool.MONITOR_CHECKS,
    *checks_host.CHECKS,
)
# What the agent says comes last: nearly everything else may be the reason for it.
_SAID = Check(
    "agent.status",
    Hop.AGENT,
    "it is as it should be",
    checks_host.said,
    tuple(check.name for check in _BEFORE),
)
CHECKS = (*_BEFORE, _SAID)
