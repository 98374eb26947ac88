"""One clinic for all of doctor's tests: a host that is well, broken one thing at a time."""

from collections.abc import Iterator

import pytest
from tests.support.clinic import Clinic, opened


@pytest.fixture(scope="session")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with opened(tmp_path_factory.mktemp("clinic")) as found:
        yield found
