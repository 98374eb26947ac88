"""A host without a GPU: every reading is n/a, which counts neither for nor against it."""

from inferagent.model.gpu import GpuReport
from inferagent.model.kernel import KernelLook
from inferagent.model.reading import NotAvailable, Reading
from inferagent.ports import Clock


class AbsentGpus:
    """Both a source for the probe program and, with `look`, a GpuPort for an agent told to look at none."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def read(self) -> Reading[GpuReport]:
        return NotAvailable(self._clock.now())

    def close(self) -> None:
        """Nothing is open."""

    def kernel(self) -> Reading[KernelLook]:
        return NotAvailable(self._clock.now())

    async def look(self) -> Reading[GpuReport]:
        return self.read()
