"""A stand-in docker daemon, and the client that speaks to it."""

from collections.abc import Iterator

import pytest
from tests.support.fake_docker import FakeDocker, fake_docker

from inferagent.adapters.docker.daemon import Docker


@pytest.fixture
def daemon(tmp_path) -> Iterator[FakeDocker]:
    with fake_docker(tmp_path) as made:
        yield made


@pytest.fixture
def docker(daemon) -> Docker:
    return Docker(daemon.socket, answers=5.0)
