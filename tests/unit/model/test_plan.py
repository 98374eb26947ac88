"""A plan shows its steps in order, numbered."""

from dataclasses import dataclass

from inferagent.model.plan import Plan


@dataclass(frozen=True)
class Made:
    name: str

    @property
    def change(self) -> str:
        return f"make {self.name}"

    def apply(self) -> object:
        return None


def test_lines() -> None:
    plan = Plan("set up", (Made("tunnel"), Made("pool")))
    assert plan.lines() == ("1. make tunnel", "2. make pool")
    assert Plan("set up", ()).lines() == ()
