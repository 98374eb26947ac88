import os

import pytest
from tests.bench.proc import cpu_in, pss_in, regions, together, unshared, use_of

ROLLUP = "00400000-7ffd [rollup]\nRss: 4000 kB\nPss: 2048 kB\nPss_Dirty: 10 kB\n"


def region(start: str, name: str, shared: int, private: int) -> str:
    head = f"{start}-{start}f r-xp 00001000 08:01 {len(name)}    {name}".rstrip()
    return (
        f"{head}\nSize: 9 kB\nShared_Clean: {shared} kB\nShared_Dirty: 0 kB\n"
        f"Private_Clean: 1 kB\nPrivate_Dirty: {private - 1} kB\nVmFlags: rd ex mr\n"
    )


def test_cpu_is_user_and_system_time_whatever_the_program_is_called():
    fields = ["S", *(str(number) for number in range(4, 53))]  # the third field and those behind it
    hertz = os.sysconf("SC_CLK_TCK")
    assert cpu_in(f"7 (a) b (c) {' '.join(fields)}") == (14 + 15) / hertz


def test_pss_is_in_mib():
    assert pss_in(ROLLUP) == 2.0


def test_each_mapping_is_told_apart():
    text = region("7f00", "libc.so", 500, 20) + region("7f10", "", 0, 300)
    assert [(shared, private) for _, shared, private in regions(text)] == [(500.0, 20.0), (0.0, 300.0)]


def test_what_two_processes_share_counts_once():
    one = region("7f00", "libc.so", 500, 24) + region("7f10", "", 0, 200)
    two = region("7e00", "libc.so", 400, 300)
    assert unshared([one, two]) == (500 + 24 + 200 + 300) / 1024
    assert unshared([one]) < unshared([one, two])


def test_this_process_has_used_something():
    use = use_of(os.getpid())
    assert use.cpu > 0
    assert 1 < use.pss <= together([os.getpid()]) < 4096


def test_no_such_process_is_an_error():
    with pytest.raises(OSError, match="No such"):
        use_of(2**30)
