"""States of a host whose GPU is lent, in use, or faulty by the kernel's word; and of the user's checks."""

from dataclasses import replace

from tests.golden.made import GB, TERMS, State, gpu, left, out, val, well
from tests.support import build
from tests.support.build import BOOT, NOW

from inferagent.model.check import Check, CheckResult, CheckView, Effect
from inferagent.model.desired import Desired, Hold, Until
from inferagent.model.gpu import GpuProcess, GpuReport
from inferagent.model.health import Health
from inferagent.model.kernel import KernelFault, KernelLook
from inferagent.model.phase import Phase
from inferagent.model.reading import NotAvailable

SAID = "2026-11-22T12:03:00+01:00"
UNTIL = Until(BOOT, NOW + 7800, "2026-11-22T14:17:11+01:00", 7800.0)
STOPPED = build.dead(exit="exit code 0")
BLENDER = GpuProcess(4242, 11 * GB, "compute", "blender")
FELL = KernelFault(
    "0000:01:00",
    "lost",
    "fell off the bus",
    "reboot",
    "XID 79",
    at=NOW - 240,
    clock="12:03:11",
    last_at=NOW - 240,
    last_clock="12:03:11",
    sequence=70,
    index=1,
    uuid="GPU-1",
)
ECC = replace(FELL, code="ecc", words="has an uncorrectable memory error", cure="reset", evidence="XID 48")
DISK = "disk-ok"


def without_engine(now, *users):
    cards = GpuReport((gpu(0, processes=val(users, now)),))
    return out(now, engine_unit=val(STOPPED, now), gpus=val(cards, now))


def kernel(now, fault, *cards):
    return out(
        now,
        engine_unit=val(build.dead(exit="killed by signal 9"), now),
        gpus=val(GpuReport(cards), now),
        kernel=val(KernelLook((fault,)), now),
    )


def checked(now, health, text, cure=""):
    said = val(CheckResult(health, text, cure), now)
    return well(now, checks=((DISK, CheckView(said, said)),))


def checks(effect):
    return Desired(replace(TERMS, checks=(Check(DISK, effect, "/usr/local/bin/disk-ok"),)))


STATES = {
    "held-until": State(out, saved=left(), desired=Desired(TERMS, hold=Hold(SAID, "new disk", until=UNTIL))),
    "held-lent": State(
        lambda now: without_engine(now, BLENDER),
        saved=left(stopped_engine=True, lent=True, residents=()),
        desired=Desired(TERMS, hold=Hold(SAID, "rendering", stop_engine=True, until=UNTIL, lend=True)),
    ),
    "waiting-gpu-in-use": State(
        lambda now: without_engine(now, BLENDER), saved=left(stopped_engine=True, lent=True, residents=())
    ),
    "warming-users-of-the-gpu-unknown": State(
        lambda now: out(
            now,
            engine_unit=val(STOPPED, now),
            gpus=val(GpuReport((gpu(0, processes=NotAvailable(now)),)), now),
        ),
        saved=left(stopped_engine=True, lent=True, residents=(), memory=build.memory(generation_ok_at=None)),
    ),
    "waiting-gpu-off-the-bus": State(lambda now: kernel(now, FELL, gpu(0)), saved=left(gpu_count=2)),
    "waiting-gpu-reset": State(lambda now: kernel(now, ECC, gpu(0), gpu(1)), saved=left(gpu_count=2)),
    "serving-driver-mismatch": State(
        lambda now: well(now, kernel=val(KernelLook(mismatch="driver 570.86 and library 575.51 differ"), now))
    ),
    "serving-check-degraded": State(
        lambda now: checked(
            now, Health.DEGRADED, "/models is 96 % full", "sudo du -xh /models | sort -h | tail"
        ),
        desired=checks(Effect.TELL),
        ticks=3,
    ),
    "draining-check-unhealthy": State(
        lambda now: checked(now, Health.UNHEALTHY, "the NFS server is gone"),
        desired=checks(Effect.DRAIN),
        ticks=3,
    ),
    "parked-check-degraded": State(
        lambda now: replace(
            checked(now, Health.DEGRADED, "/models is 96 % full"),
            membership=val(build.view(build.PEER, own=build.endpoint(effective=False, rank=2)), now - 3),
        ),
        saved=left(),
        desired=checks(Effect.DEGRADE),
    ),
    "serving-unused-gpu-lost": State(
        lambda now: well(now, gpus=val(GpuReport((gpu(0), gpu(1, "lost"))), now)),
        desired=Desired(replace(TERMS, gpus=(0,))),
    ),
    "serving-although-a-check-is-degraded": State(
        lambda now: checked(now, Health.DEGRADED, "/models is 96 % full"),
        saved=build.saved(Phase.JOINING),
        desired=checks(Effect.DEGRADE),
        ticks=3,
    ),
}
