"""Each membership: a drain costs nobody a request; a killed engine is left at once and comes back; agents
that end change nothing.

Real agents, provisioned by the real setup; engines, connectors, edge and account are the lab's. The three
worlds run side by side, their times shortened.
"""

import asyncio
from collections.abc import Callable

import pytest
from tests.support.scenario import QUICK, SAID, Figures, play

KINDS = ("own-pool", "pull", "replica")
OUT_WITHIN = {"own-pool": 10.0, "pull": 10.0, "replica": 10.0}  # beside other tests on two cores
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Figures | BaseException]:
    folder = tmp_path_factory.mktemp("memberships")

    async def all_three() -> dict[str, Figures | BaseException]:
        plays = (play(kind, folder / kind) for kind in KINDS)
        return dict(zip(KINDS, await asyncio.gather(*plays, return_exceptions=True), strict=True))

    return asyncio.run(all_three())


@pytest.mark.parametrize("kind", KINDS)
def test_a_drain_costs_no_request_a_kill_only_those_before_it_is_out_an_absence_nothing(
    kind: str,
    played: dict[str, Figures | BaseException],
    record_property: Callable[[str, object], None],
) -> None:
    found = played[kind]
    if isinstance(found, BaseException):
        raise found
    record_property("figure", f"membership {found.line()}")
    record_property("figure", f"memberships shortened: {SAID}")
    assert found.drain_failed == 0
    assert found.drain_sent >= 10
    assert found.drain >= float(QUICK.settings["drain.settle"].rstrip("s"))  # type: ignore[union-attr]
    assert found.kill_out < OUT_WITHIN[kind]
    assert found.late == ()
    assert (found.away_changed, found.away_failed) == ((), 0)
