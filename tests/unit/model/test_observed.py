"""A job slot that nobody used yet is an idle one."""

from inferagent.model.observed import Job, Observed


def test_job_by_name() -> None:
    busy = Job(running=True, begun=1.0)
    observed = Observed(2.0, "b", jobs=(("push", busy),))
    assert observed.job("push") is busy
    assert observed.job("engine") == Job()
