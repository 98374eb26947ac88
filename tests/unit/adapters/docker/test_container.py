"""Whatever stands in the answer, reading it fails at nothing."""

import pytest

from inferagent.adapters.docker.container import Container, ours_to_watch, read


def test_what_is_read():
    found = read(
        {
            "Id": "abc",
            "Name": "/vllm",
            "Path": "vllm",
            "Args": ["serve", "--port", "9000"],
            "State": {"Status": "running", "Pid": 12, "StartedAt": "t"},
            "HostConfig": {
                "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
                "NetworkMode": "host",
                "PortBindings": {"8000/tcp": [{"HostIp": "", "HostPort": "8000"}], "1/udp": None},
            },
        }
    )
    assert (found.name, found.runs, found.policy, found.network) == ("vllm", True, "unless-stopped", "host")
    assert found.listens == (("", 8000),)
    assert found.command == ("vllm", "serve", "--port", "9000")


@pytest.mark.parametrize(
    "odd", [{}, {"State": None, "HostConfig": [], "Config": "x"}, {"State": {"Pid": "12", "ExitCode": None}}]
)
def test_odd_answers_are_empty(odd):
    found = read(odd)
    assert not found.runs
    assert (found.pid, found.exit_code, found.policy, found.listens) == (0, 0, "no", ())


@pytest.mark.parametrize(
    ("container", "words"),
    [
        (Container("a", "b", exit_code=3), "exit code 3"),
        (Container("a", "b", exit_code=137), "killed by signal 9"),
        (Container("a", "b", exit_code=255), "exit code 255"),
        (
            Container("a", "b", exit_code=137, out_of_memory=True, memory=1 << 25),
            "out of memory: the kernel killed it at its limit of 32 MiB (exit code 137)",
        ),
        (
            Container("a", "b", exit_code=127, error="no such file"),
            "docker could not run it: no such file (exit code 127)",
        ),
    ],
)
def test_how_it_ended(container, words):
    assert container.ending == words


@pytest.mark.parametrize("status", ["removing", "dead"])
def test_one_that_is_being_removed(status):
    assert Container("a", "b", status=status).leaves


def test_a_pid_counts_only_where_the_kernel_says_whose_it_is(tmp_path):
    (tmp_path / "12").mkdir()
    (tmp_path / "12/cgroup").write_text("0::/system.slice/docker-abc.scope\n")
    assert ours_to_watch(Container("abc", "x", pid=12), tmp_path)
    assert not ours_to_watch(Container("abd", "x", pid=12), tmp_path)
    assert not ours_to_watch(Container("abc", "x", pid=13), tmp_path)
    assert not ours_to_watch(Container("", "x", pid=12), tmp_path)
