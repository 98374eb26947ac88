"""A unit lives as long as it has an incarnation."""

from inferagent.model.unit import Unit, UnitState


def test_alive() -> None:
    assert Unit(UnitState.STOPPING, "7:1", 7).alive
    assert not Unit(UnitState.RESTARTING).alive
