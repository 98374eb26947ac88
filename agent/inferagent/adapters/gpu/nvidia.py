"""NVIDIA GPUs by NVML. Any of its calls may block for ever: only the probe program's own process comes here.

Each call is guarded by itself and announced before it is made, so that one that hangs is known by name.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pynvml

from inferagent.adapters.gpu import bus
from inferagent.adapters.gpu.processes import name_of, parents_of
from inferagent.adapters.gpu.roster import Name, Roster
from inferagent.model.gpu import Gpu, GpuProcess, GpuReport
from inferagent.model.reading import Failed, NotAvailable, Reading, Value, known
from inferagent.ports import Clock

# Not readable on this host at all: the card does not have it, or the driver is older than the binding.
_NEVER = frozenset({pynvml.NVML_ERROR_NOT_SUPPORTED, pynvml.NVML_ERROR_FUNCTION_NOT_FOUND})
_FAULTS = {pynvml.NVML_ERROR_RESET_REQUIRED: "reset-required", pynvml.NVML_ERROR_GPU_IS_LOST: "lost"}
_WORST_FIRST = ("lost", "reset-required")


class NvidiaGpus:
    """`announce` hears what is about to be called, and "" when all is answered.

    `misfit`: the library is not the driver's own; only a process that loads it anew can find the right one.
    """

    def __init__(
        self,
        clock: Clock,
        announce: Callable[[str], None],
        devices: Path = bus.DEVICES,
        roster: Roster | None = None,
    ) -> None:
        self._clock = clock
        self._announce = announce
        self._devices = devices
        self._open = False
        self._driver = ""
        self._roster = roster or Roster()
        self._faults: set[str] = set()
        self.misfit = False

    def read(self) -> Reading[GpuReport]:
        """NotAvailable without a GPU and a library; Failed when the driver as a whole does not answer."""
        on_bus = bus.count_gpus(self._clock.now(), devices=self._devices)
        failed = self._init(on_bus)
        if failed:
            return failed
        count = self._call("the NVIDIA driver", "nvmlDeviceGetCount", pynvml.nvmlDeviceGetCount)
        if not isinstance(count, Value):
            return self._done(_failed("count the GPUs", count))
        gpus = tuple(self._gpu(index, count.value) for index in range(count.value))
        return self._done(Value(GpuReport(gpus, on_bus, self._driver), self._clock.now()))

    def close(self) -> None:
        """Politely: a client that is torn away has frozen cards."""
        if self._open:
            self._call("the NVIDIA driver", "nvmlShutdown", pynvml.nvmlShutdown)
            self._open = False
            self._announce("")

    def _init(self, on_bus: Reading[int]) -> Reading[GpuReport] | None:
        """None once NVML is open."""
        if self._open:
            return None
        self._announce("the NVIDIA driver: nvmlInit")
        now = self._clock.now
        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError as error:
            if error.value == pynvml.NVML_ERROR_LIBRARY_NOT_FOUND and not isinstance(on_bus, Value):
                return self._done(NotAvailable(now()))
            self.misfit = error.value == pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH
            return self._done(Failed(f"cannot open NVML: {error}", now()))
        self._open = True
        driver = self._call("the NVIDIA driver", "its version", pynvml.nvmlSystemGetDriverVersion)
        self._driver = _text(known(driver))
        return None

    def _done(self, report: Reading[GpuReport]) -> Reading[GpuReport]:
        self._announce("")
        return report

    def _gpu(self, index: int, count: int) -> Gpu:
        self._faults = set()
        at = self._ask(index, "nvmlDeviceGetHandleByIndex", pynvml.nvmlDeviceGetHandleByIndex, index)
        if not isinstance(at, Value):
            name = self._unanswered(index, count)
            failed = _failed("find the GPU", at)
            return Gpu(
                index, name.uuid, name.name, name.pci, failed, failed, failed, failed, failed, self._fault()
            )
        handle = at.value
        name = self._name(index, handle)
        rates = self._ask(
            index, "nvmlDeviceGetUtilizationRates", pynvml.nvmlDeviceGetUtilizationRates, handle
        )
        memory = self._ask(index, "nvmlDeviceGetMemoryInfo", pynvml.nvmlDeviceGetMemoryInfo, handle)
        sensor = pynvml.NVML_TEMPERATURE_GPU
        heat = self._ask(index, "nvmlDeviceGetTemperature", pynvml.nvmlDeviceGetTemperature, handle, sensor)
        processes = self._processes(index, handle)
        return Gpu(
            index,
            name.uuid,
            name.name,
            name.pci,
            _of(rates, lambda value: int(value.gpu)),
            _of(memory, lambda value: int(value.used)),
            _of(memory, lambda value: int(value.total)),
            _of(heat, int),
            processes,
            self._fault(),
        )

    def _name(self, index: int, handle: Any) -> Name:
        """Asked anew each time: an index may name another card after one was lost."""
        uuid = _text(known(self._ask(index, "nvmlDeviceGetUUID", pynvml.nvmlDeviceGetUUID, handle)))
        name = _text(known(self._ask(index, "nvmlDeviceGetName", pynvml.nvmlDeviceGetName, handle)))
        pci = self._ask(index, "nvmlDeviceGetPciInfo", pynvml.nvmlDeviceGetPciInfo, handle)
        where = _text(pci.value.busId) if isinstance(pci, Value) else ""
        return self._roster.note(index, uuid, name, where)

    def _unanswered(self, index: int, count: int) -> Name:
        """One that never said where it is, is where the bus has it, if both count alike."""
        name, on_bus = self._roster.of(index), bus.places(devices=self._devices)
        if name.pci or len(on_bus) != count:
            return name
        return self._roster.note(index, "", "", on_bus[index])

    def _processes(self, index: int, handle: Any) -> Reading[tuple[GpuProcess, ...]]:
        """Compute processes, and graphics ones (a game) where they can be read as well."""
        compute = self._list(index, "Compute", handle)
        graphics = self._list(index, "Graphics", handle)
        if isinstance(compute, Value) and isinstance(graphics, Value):
            return Value(compute.value + graphics.value, graphics.at)
        return compute

    def _list(self, index: int, kind: str, handle: Any) -> Reading[tuple[GpuProcess, ...]]:
        call = f"nvmlDeviceGet{kind}RunningProcesses"
        found = self._ask(index, call, getattr(pynvml, call), handle)
        return _of(
            found,
            lambda value: tuple(
                GpuProcess(
                    int(one.pid),
                    int(one.usedGpuMemory or 0),
                    kind.lower(),
                    name_of(one.pid),
                    parents_of(one.pid),
                )
                for one in value
            ),
        )

    def _ask(self, index: int, name: str, function: Callable[..., Any], *arguments: Any) -> Reading[Any]:
        return self._call(f"GPU {index}", name, function, *arguments)

    def _call(self, who: str, name: str, function: Callable[..., Any], *arguments: Any) -> Reading[Any]:
        self._announce(f"{who}: {name}")
        try:
            return Value(function(*arguments), self._clock.now())
        except pynvml.NVMLError as error:
            if error.value in _NEVER:
                return NotAvailable(self._clock.now())
            if error.value in _FAULTS:
                self._faults.add(_FAULTS[error.value])
            return Failed(f"cannot ask {who}: {name}: {error}", self._clock.now())
        except pynvml.NVMLLibraryMismatchError:  # no NVMLError, yet only an old driver without the symbol
            return NotAvailable(self._clock.now())
        except ValueError as error:  # bytes that are no text
            return Failed(f"cannot ask {who}: {name}: {error}", self._clock.now())

    def _fault(self) -> str:
        return next((fault for fault in _WORST_FIRST if fault in self._faults), "")


def _of(reading: Reading[Any], pick: Callable[[Any], Any]) -> Reading[Any]:
    return Value(pick(reading.value), reading.at) if isinstance(reading, Value) else reading


def _failed(deed: str, reading: Reading[Any]) -> Failed:
    return reading if isinstance(reading, Failed) else Failed(f"cannot {deed}: not supported", reading.at)


def _text(value: Any) -> str:
    """NVML's text, which the binding gives as bytes in a struct and as str elsewhere."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
