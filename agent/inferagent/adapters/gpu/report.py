"""The probe program's last report, as the agent sees it: a GpuPort on a file, which no hung driver delays."""

from dataclasses import replace
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from inferagent.adapters.files import why
from inferagent.adapters.gpu.leave import FILE
from inferagent.adapters.pids import Identity, alive
from inferagent.model.gpu import Gpu, GpuProcess, GpuReport
from inferagent.model.kernel import KernelLook
from inferagent.model.reading import Failed, NotAvailable, Reading, Value
from inferagent.ports import Clock

T = TypeVar("T")
PATIENCE = 10.0  # seconds that one call may take: a card that wakes up takes a few
LATELY = 180.0  # seconds; a probe that is started again and again writes more often


class _Reading(BaseModel, Generic[T]):
    at: float
    value: T | None = None
    error: str | None = None

    def reading(self) -> Reading[T]:
        if self.error is not None:
            return Failed(self.error, self.at)
        return NotAvailable(self.at) if self.value is None else Value(self.value, self.at)


class _Gpu(BaseModel):
    index: int
    uuid: str
    name: str
    pci: str = ""
    utilisation: _Reading[int]
    memory_used: _Reading[int]
    memory_total: _Reading[int]
    temperature: _Reading[int]
    processes: _Reading[tuple[GpuProcess, ...]]
    fault: str = ""

    def gpu(self) -> Gpu:
        return Gpu(
            self.index,
            self.uuid,
            self.name,
            self.pci,
            self.utilisation.reading(),
            self.memory_used.reading(),
            self.memory_total.reading(),
            self.temperature.reading(),
            self.processes.reading(),
            self.fault,
        )


class _Report(BaseModel):
    gpus: tuple[_Gpu, ...]
    pci_count: _Reading[int]
    driver: str = ""


class _File(BaseModel):
    boot: str
    pid: int
    start: int
    every: float
    calling: str
    calling_at: float
    written: float = 0.0
    kernel: KernelLook = KernelLook()
    report: _Reading[_Report] | None


class GpuReportFile:
    """The GpuPort. A call that is under way for too long makes the report `stuck`, with the last GPUs."""

    def __init__(self, run: Path, clock: Clock, patience: float = PATIENCE) -> None:
        self._path = run / FILE
        self._clock = clock
        self._patience = patience

    async def look(self) -> Reading[GpuReport]:
        return self.read()

    def read(self) -> Reading[GpuReport]:
        now = self._clock.now()
        file = self._file(now)
        return file if isinstance(file, Failed) else self._judged(file, now)

    def kernel(self) -> Reading[KernelLook]:
        """What the kernel said stays said when the probe ends; driver against library only of late."""
        now = self._clock.now()
        file = self._file(now)
        if isinstance(file, Failed):
            return file
        fresh = now - file.written <= LATELY
        return Value(file.kernel if fresh else replace(file.kernel, mismatch=""), now)

    def _file(self, now: float) -> _File | Failed:
        try:
            file = _File.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return Failed("cannot read the GPUs: the probe program has not reported yet", now)
        except OSError as error:
            return Failed(f"cannot read {self._path}: {why(error)}", now)
        except ValidationError as error:
            return Failed(f"cannot understand {self._path}: {error.errors()[0]['msg']}", now)
        if file.boot != self._clock.boot():
            return Failed("cannot read the GPUs: the last report is of another boot", now)
        return file

    def _judged(self, file: _File, now: float) -> Reading[GpuReport]:
        report = _unpack(file.report)
        if not isinstance(report, NotAvailable) and not alive(Identity(file.pid, file.start)):
            return Failed("cannot read the GPUs: the probe program does not run", now)
        if file.calling and now - file.calling_at > self._patience:
            return Value(_stuck(report, file.calling, now), now)
        if report is None:
            return Failed("cannot read the GPUs: the probe program has not reported yet", now)
        oldest = max(3 * file.every, self._patience + file.every)
        if isinstance(report, Value) and now - report.at > oldest:
            return Failed(f"cannot read the GPUs: the last report is {now - report.at:.0f} s old", report.at)
        return report


def _unpack(found: _Reading[_Report] | None) -> Reading[GpuReport] | None:
    if found is None:
        return None
    read = found.reading()
    if not isinstance(read, Value):
        return read
    gpus = tuple(gpu.gpu() for gpu in read.value.gpus)
    return Value(GpuReport(gpus, read.value.pci_count.reading(), read.value.driver), read.at)


def _stuck(report: Reading[GpuReport] | None, calling: str, now: float) -> GpuReport:
    """What is known while a call hangs: who the GPUs are, and faults already seen; no number is fresh."""
    who, _, call = calling.partition(": ")
    text = (
        f"{who} does not answer its driver ({call})"
        if who.startswith("GPU")
        else f"{who} does not answer ({call})"
    )
    silent = Failed(f"cannot read the GPUs: {text}", now)
    last = report.value if isinstance(report, Value) else GpuReport(())
    gpus = tuple(
        replace(
            gpu,
            utilisation=silent,
            memory_used=silent,
            memory_total=silent,
            temperature=silent,
            processes=silent,
        )
        for gpu in last.gpus
    )
    return replace(last, gpus=gpus, pci_count=silent, stuck=text)
