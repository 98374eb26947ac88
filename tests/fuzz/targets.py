"""What can be fuzzed, by name."""

from typing import Protocol

from tests.fuzz.api_target import Answers
from tests.fuzz.config_target import Configuration
from tests.fuzz.metrics_target import Metrics
from tests.fuzz.runner import Target
from tests.fuzz.state_target import State


class Closing(Target, Protocol):
    """A target that leaves nothing behind."""

    def close(self) -> None: ...


class Maker(Protocol):
    def __call__(self) -> Closing: ...


TARGETS: dict[str, Maker] = {
    "configuration": Configuration,
    "metrics": Metrics,
    "answers": Answers,
    "state": State,
}
