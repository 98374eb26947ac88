import time
from datetime import datetime

from inferagent.adapters.clock import BootClock


def test_now_counts_boot_time():
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    now = BootClock().now()
    assert before <= now <= before + 1.0


def test_the_boot_id_is_the_kernels(tmp_path):
    (tmp_path / "boot_id").write_text("0b0a\n")
    assert BootClock(tmp_path / "boot_id").boot() == "0b0a"
    assert len(BootClock().boot()) == 36


def test_wall_time_has_a_zone_and_whole_seconds():
    said = datetime.fromisoformat(BootClock().wall())
    assert said.tzinfo is not None
    assert said.microsecond == 0


async def test_sleep_takes_its_time():
    begun = time.monotonic()
    await BootClock().sleep(0.01)
    assert time.monotonic() - begun >= 0.01
