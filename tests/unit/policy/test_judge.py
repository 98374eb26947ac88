"""All judges in a row."""

from tests.support.build import dead, desired, gpus, observed, saved, val

from inferagent.model.desired import Hold
from inferagent.model.health import Health
from inferagent.policy.judge import judge


def test_causes_come_worst_first_and_each_is_a_finding_too():
    seen = observed(engine_unit=val(dead(exit="exit code 0")), gpus=val(gpus(fault="lost")))
    facts = judge(seen, desired(hold=Hold("")), saved())
    assert [cause.code for cause in facts.causes] == ["engine-gone", "gpu-lost", "hold"]
    health = {finding.code: finding.health for finding in facts.findings}
    assert health["engine-gone"] is Health.UNHEALTHY
    assert health["hold"] is Health.HEALTHY


def test_a_healthy_host_has_nothing_to_say_and_nothing_new_to_remember_but_its_looks():
    facts = judge(observed(), desired(), saved())
    assert (facts.causes, facts.findings) == ((), ())
    assert judge(observed(), desired(), facts.saved).saved == facts.saved


def test_the_date_of_a_cause_is_kept_from_tick_to_tick():
    seen = observed(engine_unit=val(dead(exit="exit code 0")))
    first = judge(seen, desired(), saved())
    later = judge(observed(now=1005.0, engine_unit=val(dead(exit="exit code 0"))), desired(), first.saved)
    assert later.causes[0].since == first.causes[0].since == 1000.0
