import pytest

from inferagent.adapters.units.cgroup import HIERARCHIES, processes

GROUP = "/system.slice/x.service"


def put(folder, text: str) -> None:
    folder.mkdir(parents=True)
    (folder / "cgroup.procs").write_text(text)


@pytest.mark.parametrize("hierarchy", HIERARCHIES)
def test_inner_groups_are_looked_at_too(tmp_path, hierarchy):
    group = tmp_path / hierarchy / "system.slice/x.service"
    put(group, "10\n11\n")
    put(group / "workers", "12\n0\n")
    assert processes(GROUP, tmp_path) == {10, 11, 12}


@pytest.mark.parametrize("group", ["", "/", GROUP])
def test_no_group_has_no_processes(tmp_path, group):
    put(tmp_path / "other", "1\n")
    (tmp_path / "cgroup.procs").write_text("1\n")
    assert processes(group, tmp_path) == frozenset()
