"""Who a process is: by its name and its ancestors, from a /proc that may hide anything."""

import os
from pathlib import Path

import pytest

from inferagent.adapters.gpu.processes import DEEPEST, name_of, parents_of


def put(proc: Path, pid: int, parent: int | str, name: bytes = b"blender\n") -> None:
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    (folder / "comm").write_bytes(name)
    (folder / "stat").write_text(f"{pid} (a) b) S {parent} 1 1 0 -1")


def test_this_process_by_the_real_proc() -> None:
    assert name_of(os.getpid()) == Path("/proc/self/comm").read_text().strip()
    found = parents_of(os.getpid())
    assert found[0] == os.getppid()
    assert os.getpid() not in found


def test_the_ancestors_end_with_the_first_process(tmp_path: Path) -> None:
    for pid, parent in ((4242, 60), (60, 40), (40, 1)):
        put(tmp_path, pid, parent)
    assert parents_of(4242, tmp_path) == (60, 40, 1)
    assert parents_of(1, tmp_path) == ()


def test_a_chain_that_breaks_off_is_as_long_as_it_is(tmp_path: Path) -> None:
    put(tmp_path, 4242, 60)
    put(tmp_path, 70, 0)  # the kernel's own
    put(tmp_path, 80, "x")
    assert parents_of(4242, tmp_path) == (60,)
    assert parents_of(70, tmp_path) == parents_of(80, tmp_path) == parents_of(90, tmp_path) == ()


def test_a_circle_has_an_end(tmp_path: Path) -> None:
    put(tmp_path, 5, 6)
    put(tmp_path, 6, 5)
    assert len(parents_of(5, tmp_path)) == DEEPEST


@pytest.mark.parametrize(
    ("raw", "name"),
    [(b"VLLM::EngineCor\n", "VLLM::EngineCor"), (b"a\x1bb\n", "a?b"), (b"\xff\n", "\ufffd"), (b"", "")],
)
def test_a_name_is_one_plain_line(tmp_path: Path, raw: bytes, name: str) -> None:
    put(tmp_path, 7, 1, raw)
    assert name_of(7, tmp_path) == name


def test_one_that_is_hidden_has_none(tmp_path: Path) -> None:
    assert name_of(7, tmp_path) == ""
