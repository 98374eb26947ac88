"""Records as drivers write them, shortened to what they have in common; addresses and numbers are made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferagent.adapters.gpu.kernel_lines import MOST, KernelLines, Moment

FELL = "NVRM: Xid (PCI:0000:41:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus."
UUID = "GPU-5c9e1f30-0f4b-46e2-9a56-7d2f0c1b8a44"


class Log:
    """Feeds messages as records, one a second."""

    def __init__(self) -> None:
        self.lines = KernelLines()
        self.sequence = 100

    def say(self, *messages: str, priority: int = 3) -> list[bool]:
        return [self.take(f"{priority},{self.next()},{self.sequence * 1_000_000},-;{m}") for m in messages]

    def take(self, record: str | bytes) -> bool:
        raw = record.encode() if isinstance(record, str) else record
        return self.lines.take(raw, lambda stamp: Moment(stamp / 1e6, f"12:00:{stamp // 1_000_000 % 60:02}"))

    def next(self) -> int:
        self.sequence += 1
        return self.sequence

    @property
    def told(self):
        return [(f.pci, f.code, f.cure, f.evidence) for f in self.lines.faults.values()]


@pytest.fixture
def log():
    return Log()


def test_a_gpu_that_fell_off_the_bus(log):
    assert log.say(FELL) == [True]
    (fault,) = log.lines.faults.values()
    assert (fault.pci, fault.code, fault.words) == ("0000:41:00", "lost", "fell off the bus")
    assert (fault.cure, fault.evidence, fault.sequence) == ("reboot", "XID 79", 101)
    assert (fault.at, fault.clock) == (101.0, "12:00:41")


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            "NVRM: Xid (PCI:0000:3b:00): 48, pid=3021, name=python3, An uncorrectable double bit error (DBE)"
            " has been detected on GPU in the framebuffer at physAddr 0x18f31d80 partition 16.",
            ("0000:3b:00", "ecc", "reset", "XID 48"),
        ),
        (
            "NVRM: Xid (PCI:0000:3b:00): 74, pid=0, NVLink: fatal error detected on link 3(0x10000, 0x0)",
            ("0000:3b:00", "nvlink", "reset", "XID 74"),
        ),
        (
            "NVRM: Xid (PCI:0000:3b:00): 63, pid=1, Row Remapper: New row (0x18f31d80) marked for remapping",
            ("0000:3b:00", "xid-row-remap", "", "XID 63"),
        ),
        (
            "NVRM: Xid (PCI:0000:3b:00): 119, pid=7, name=nvidia-smi, Timeout after 6s of waiting for RPC",
            ("0000:3b:00", "gsp", "reset", "XID 119"),
        ),
        (
            "NVRM: Xid (PCI:0000:3b:00): 154, GPU recovery action changed from 0x0 (None) to 0x1"
            " (GPU Reset Required)",
            ("0000:3b:00", "reset-required", "reset", "XID 154"),
        ),
        (
            "NVRM: Xid (PCI:0000:3b:00): 154, GPU recovery action changed from 0x0 (None) to 0x2 (OS Reboot)",
            ("0000:3b:00", "reboot-required", "reboot", "XID 154"),
        ),
        (
            "NVRM: Xid (0000:03:00): 79, GPU has fallen off the bus.",
            ("0000:03:00", "lost", "reboot", "XID 79"),
        ),
        (
            "NVRM: Xid (PCI:0000:65:00 GPU-I:05): 95, pid=9, Uncontained: LTC TAG (0x7,0x0).",
            ("0000:65:00", "ecc", "reset", "XID 95"),
        ),
        ("NVRM: GPU 0000:41:00.0: GPU has fallen off the bus.", ("0000:41:00", "lost", "reboot", "")),
        (
            "NVRM: The NVIDIA GPU 0000:b3:00.0\\x0aNVRM: (PCI ID: 10de:26b5) installed in this system has"
            "\\x0aNVRM: fallen off the bus and is not responding to commands.",
            ("0000:b3:00", "lost", "reboot", ""),
        ),
        (
            "amdgpu 0000:03:00.0: amdgpu: GPU reset(4) failed",
            ("0000:03:00", "reset-failed", "reboot", "amdgpu"),
        ),
        (
            "amdgpu 0000:03:00.0: amdgpu: GPU reset end with ret = -62",
            ("0000:03:00", "reset-failed", "reboot", "amdgpu"),
        ),
        (
            "amdgpu 0000:03:00.0: [drm] device wedged, needs recovery",
            ("0000:03:00", "wedged", "reboot", "amdgpu"),
        ),
        ("amdgpu 0000:03:00.0: amdgpu: device lost from bus!", ("0000:03:00", "lost", "reboot", "amdgpu")),
        (
            "amdgpu 0000:03:00.0: amdgpu: ring comp_1.0.0 timeout, signaled seq=41, emitted seq=43",
            ("0000:03:00", "ring-timeout", "", "amdgpu"),
        ),
    ],
)
def test_each_line_has_its_meaning(log, message, told):
    assert log.say(message) == [True]
    assert log.told == [told]


@pytest.mark.parametrize(
    "message",
    [
        "NVRM: Xid (PCI:0000:3b:00): 13, pid=77, name=python3, Graphics SM Warp Exception on (GPC 7, TPC 1)",
        "NVRM: Xid (PCI:0000:3b:00): 31, pid=77, name=python3, Ch 0000001e, MMU Fault: ENGINE GRAPHICS",
        "NVRM: Xid (PCI:0000:3b:00): 43, pid=77, name=VLLM::Worker, channel 0x00000008",
        "NVRM: Xid (PCI:0000:3b:00): 45, pid=77, name=python3, Ch 00000018",
        "NVRM: Xid (PCI:0000:3b:00): 154, GPU recovery action changed from 0x1 (PF FLR) to 0x0 (None)",
        "NVRM: Xid (PCI:0000:3b:00): 154, GPU recovery action changed from 0x0 (None) to 0x3 (Drain P2P)",
        "NVRM: Xid (PCI:0000:3b:00): abc, pid=2",
        "NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  560.35.03  Release Build",
        "nvidia-nvswitch0: SXid (PCI:0000:c1:00.0): 12028, Non-fatal, Link 32 egress non-posted PRIV error",
        "amdgpu 0000:03:00.0: amdgpu: GPU reset(2) succeeded!",
        "amdgpu 0000:03:00.0: [drm] device wedged, but recovered through reset",
        "amdgpu 0000:03:00.0: amdgpu: Ring gfx_0.0.0 reset failed",
        "xe 0000:03:00.0: [drm] device wedged, needs recovery",
        "usb 1-1: a device that says NVRM has fallen",
    ],
)
def test_what_is_no_fault_is_none(log, message):
    assert log.say(message) == [False]
    assert log.told == []


def test_a_program_cannot_speak_for_the_kernel(log):
    """What is written to the log from outside bears another facility, and a process chooses its own name."""
    log.say(FELL, priority=11)
    log.say("NVRM: Xid (PCI:0000:3b:00): 31, pid=7, name=Xid (PCI:0:3b): 79, MMU Fault")
    for _ in range(3):
        log.say("amdgpu 0000:03:00.0: amdgpu:  Process GPU reset begin pid 12 thread x pid 13")
    assert log.told == []


def test_a_line_without_an_address_is_of_the_gpu_before_it(log):
    log.say(
        "NVRM: The NVIDIA GPU 0000:b3:00.0", "NVRM: fallen off the bus and is not responding to commands."
    )
    log.say("amdgpu 0000:28:00.0: amdgpu: GPU reset begin!")
    log.say("[drm:amdgpu_job_timedout [amdgpu]] *ERROR* GPU Recovery Failed: -110")
    assert [told[:2] for told in log.told] == [("0000:b3:00", "lost"), ("0000:28:00", "reset-failed")]


def test_the_uuid_is_learned_from_the_log(log):
    log.say(f"NVRM: GPU at PCI:0000:41:00: {UUID}", "NVRM: GPU Board Serial Number: 1561221010000", FELL)
    assert log.lines.uuids == {"0000:41:00": UUID}
    assert [told[0] for told in log.told] == ["0000:41:00"]


def test_the_same_story_in_two_lines_is_one_with_the_number(log):
    log.say("NVRM: GPU 0000:41:00.0: GPU has fallen off the bus.", FELL)
    assert log.told == [("0000:41:00", "lost", "reboot", "XID 79")]


def test_three_resets_within_an_hour_are_a_fault_and_three_in_a_day_are_none(log):
    begin = "amdgpu 0000:03:00.0: amdgpu: GPU reset begin!. Source:  1"
    for _ in range(3):
        log.sequence += 2000
        log.say(begin)
    assert log.told == []
    log.say(begin, begin)
    assert log.told == [("0000:03:00", "resets", "reboot", "amdgpu")]


def test_a_flood_of_one_kind_is_one_fault_with_its_first_and_last_time(log):
    fresh = [log.say(FELL) for _ in range(5000)]
    assert fresh.count([True]) == 1
    (fault,) = log.lines.faults.values()
    assert (fault.at, fault.last_at, fault.sequence) == (101.0, 5100.0, 5100)


def test_a_flood_of_many_kinds_is_bounded(log):
    for bus in range(256):
        for number in (48, 62, 79):
            log.say(f"NVRM: Xid (PCI:0000:{bus:02x}:00): {number}, pid=1")
            log.say(f"NVRM: GPU at PCI:0000:{bus:02x}:00: {UUID}")
    assert len(log.lines.faults) == MOST
    assert len(log.lines.uuids) == MOST


def test_a_fault_finds_room_among_what_is_only_worth_saying(log):
    for bus in range(MOST):
        log.say(f"NVRM: Xid (PCI:0000:{bus:02x}:00): 63, pid=1")
    assert log.say("NVRM: Xid (PCI:0000:01:00): 94, pid=1") == [False]
    assert log.say("NVRM: Xid (PCI:0000:01:00): 79, pid=1") == [True]
    assert ("0000:01:00", "lost") in log.lines.faults
    assert len(log.lines.faults) == MOST


def test_lines_read_a_second_time_change_nothing(log):
    log.say(FELL)
    before = dict(log.lines.faults)
    again = f"3,101,5,-;{FELL}".encode()
    assert not log.lines.take(again, lambda _: Moment(9999.0, "23:59:59"))  # its clock has drifted since
    assert log.lines.faults == before


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"\xff" * 500,
        b"NVRM: Xid (PCI:0000:41:00): 79, no head",
        b"3,1,;NVRM: Xid (PCI:0000:41:00): 79",
        b"x,1,2,-;NVRM: Xid (PCI:0000:41:00): 79",
        b"3,99999999999999999999999,2,-;NVRM: Xid (PCI:0000:41:00): 79",
        b"3,1,2," + b"c" * 5000 + b";NVRM: Xid (PCI:0000:41:00): 79",
        b"3,1,2,-;NVRM: Xid (PCI:" + b"0" * 10000 + b"): 79",
        b"3,1,2,-;NVRM: \xc3\x28 Xid (PCI:0000:41:00): 79",
    ],
)
def test_malformed_records_are_passed_over(log, record):
    assert log.take(record) is False
    assert log.told == []


def test_bytes_that_are_no_text_do_not_hide_the_number(log):
    assert log.take(b"3,7,8,-;NVRM: Xid (PCI:0000:41:00): 79, name=\xff\xfe\x00, GPU has fallen off the bus.")
    assert log.told == [("0000:41:00", "lost", "reboot", "XID 79")]


def test_more_fields_in_the_head_are_allowed(log):
    assert log.take(f"3,7,8,-,caller=T12;{FELL}")


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"3,1,2,-;", b"3,1,2,-;NVRM: Xid (PCI:", b"3,1,2,-;amdgpu "]),
)
def test_any_bytes_are_survived(noise, head):
    lines = KernelLines()
    lines.take(head + noise, lambda stamp: Moment(float(stamp), ""))
    assert len(lines.faults) <= 1
