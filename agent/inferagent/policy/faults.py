"""The sticky GPU faults (pure): what adds one, what is the same story, and what the operator clears (S6)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from inferagent.model.change import changed
from inferagent.model.fault_sheet import FaultRow, FaultSheet
from inferagent.model.gpu import GpuReport, place
from inferagent.model.kernel import KernelFault, KernelLook
from inferagent.model.observed import Observed
from inferagent.model.reading import NotAvailable, Value, known
from inferagent.model.saved import Cleared, Fault, Saved

# What the driver says, and what it says again after the operator's word.
TEXTS = {
    "lost": ("is lost to its driver", "is still lost to its driver"),
    "reset-required": ("wants a reset", "still wants a reset"),
}
CURES = {"reset-required": "reset"}
COUNT = "count"
# The engine goes first: a GPU that anybody uses cannot be reset.
RESET = "sudo inferagent drain --stop-engine --wait && sudo inferagent fault reset && sudo inferagent resume"
PATIENCE = 30.0  # seconds for which a host whose fault was cleared waits for the next look
RECENT = 3600.0  # seconds for which a line that is no fault is worth saying


@dataclass(frozen=True, slots=True)
class Named:
    """A GPU by all that it may be known by."""

    index: int | None
    uuid: str
    pci: str

    @property
    def key(self) -> str:
        return self.uuid or self.pci or ("unknown" if self.index is None else str(self.index))

    def __str__(self) -> str:
        if self.index is not None:
            return f"GPU {self.index}"
        return f"the GPU at {self.pci}" if self.pci else "a GPU"

    def is_of(self, one: Fault | Cleared) -> bool:
        if one.gpu == COUNT:
            return False
        same_place = bool(self.pci) and self.pci == one.pci
        return same_place or one.gpu in {self.key, self.pci or self.key, str(self.index)}


def remember_faults(observed: Observed, saved: Saved) -> Saved:
    """Add what is seen; nothing here takes a fault away (S6), but another boot id does."""
    faults = tuple([fault for fault in saved.faults if fault.boot == observed.boot])
    cleared = tuple([one for one in saved.cleared if one.boot == observed.boot])
    saved = changed(saved, faults=faults, cleared=cleared)
    report, look = known(observed.gpus), known(observed.kernel)
    faults = _placed(faults, report)
    for fault in _of_kernel(look, saved, observed) if look else ():
        faults = _with(faults, fault)
    if report is None:
        return changed(saved, faults=faults)
    for fault in _of_driver(report, saved, observed):
        faults = _with(faults, fault)
    missing = _missing(report, changed(saved, faults=faults), observed)
    faults = (*faults, missing) if missing else faults
    return changed(saved, faults=faults, gpu_count=max(saved.gpu_count, len(report.gpus)))


def used(one: Fault | Cleared, gpus: tuple[int, ...] | None) -> bool:
    """Whether the engine may use this GPU; of one whose number is unknown nobody knows better."""
    return gpus is None or one.index is None or one.index in gpus


def of_engine(saved: Saved, gpus: tuple[int, ...] | None) -> tuple[Fault, ...]:
    """The sticky faults that concern the engine; `gpus` as in the terms."""
    if gpus is None or not saved.faults:
        return saved.faults
    return tuple(fault for fault in saved.faults if used(fault, gpus))


def _placed(faults: tuple[Fault, ...], report: GpuReport | None) -> tuple[Fault, ...]:
    """With the numbers that the driver has for those known by uuid or place alone."""
    if report is None or all(fault.index is not None or fault.gpu == COUNT for fault in faults):
        return faults
    shown = [Named(gpu.index, gpu.uuid, place(gpu.pci)) for gpu in report.gpus]
    return tuple(
        changed(fault, index=next((gpu.index for gpu in shown if gpu.is_of(fault)), None))
        if fault.index is None
        else fault
        for fault in faults
    )


def _of_kernel(look: KernelLook, saved: Saved, observed: Observed) -> Iterator[Fault]:
    for line in look.faults:
        if line.cure and not _old(line, saved.cleared):
            gpu = Named(line.index, line.uuid, line.pci)
            at = _at(line, saved.cleared)[0]
            yield Fault(
                observed.boot,
                gpu.key,
                line.code,
                _said(line, saved.cleared),
                at,
                line.cure,
                line.index,
                line.pci,
                line.sequence,
            )


def _of_driver(report: GpuReport, saved: Saved, observed: Observed) -> Iterator[Fault]:
    """A report no newer than the operator's word says nothing against it."""
    for seen in report.gpus:
        if not seen.fault:
            continue
        gpu = Named(seen.index, seen.uuid, place(seen.pci))
        cleared = _word_on(gpu, saved.cleared)
        if cleared is not None and observed.gpus.at <= cleared.at:
            continue
        first, again = TEXTS.get(seen.fault, (seen.fault, f"still {seen.fault}"))
        text = f"{gpu} {again}, though it was cleared" if cleared else f"{gpu} {first}"
        cure = CURES.get(seen.fault, "reboot")
        yield Fault(observed.boot, gpu.key, seen.fault, text, observed.now, cure, seen.index, place(seen.pci))


def _missing(report: GpuReport, saved: Saved, observed: Observed) -> Fault | None:
    """One that is known to be off the bus is not missed a second time."""
    if report.stuck or any(fault.gpu == COUNT for fault in saved.faults):
        return None
    if any(observed.gpus.at <= one.at for one in saved.cleared):
        return None  # counted before the operator's word
    expected = max(saved.gpu_count, known(report.pci_count) or 0)
    seen = bool(report.gpus) or saved.gpu_count > 0  # a driver that has shown none yet is still starting
    present = [Named(gpu.index, gpu.uuid, place(gpu.pci)) for gpu in report.gpus]
    explained = sum(
        fault.code == "lost" and not any(gpu.is_of(fault) for gpu in present) for fault in saved.faults
    )
    missing = expected - len(report.gpus) - explained
    if not seen or missing <= 0:
        return None
    text = f"{missing} of {expected} GPUs vanished from the driver's count"
    return Fault(observed.boot, COUNT, "vanished", text, observed.now)


def _with(faults: tuple[Fault, ...], seen: Fault) -> tuple[Fault, ...]:
    """Of one GPU the first fault is the root; what comes later says more of it, or asks for more."""
    gpu = Named(seen.index, seen.gpu, seen.pci)
    if not any(gpu.is_of(fault) for fault in faults):
        return (*faults, seen)
    return tuple([_merged(fault, seen) if gpu.is_of(fault) else fault for fault in faults])


def _merged(fault: Fault, seen: Fault) -> Fault:
    more = fault.code == seen.code and fault.sequence < 0 <= seen.sequence  # the kernel says when
    return changed(
        fault,
        text=seen.text if more else fault.text,
        sequence=seen.sequence if more else fault.sequence,
        cure="reboot" if "reboot" in (fault.cure, seen.cure) else fault.cure,
        index=seen.index if fault.index is None else fault.index,
        pci=fault.pci or seen.pci,
    )


def _word_on(gpu: Named, cleared: Iterable[Cleared]) -> Cleared | None:
    """The last one."""
    return max((one for one in cleared if gpu.is_of(one)), key=lambda one: one.at, default=None)


def _old(line: KernelFault, cleared: tuple[Cleared, ...]) -> bool:
    """Before the operator's word: by the kernel's own count, or by time where that was not known."""
    word = _word_on(Named(line.index, line.uuid, line.pci), cleared)
    return word is not None and (line.sequence <= word.sequence or line.last_at <= word.at)


def _at(line: KernelFault, cleared: tuple[Cleared, ...]) -> tuple[float, str]:
    """The first such line tells when it happened; after the operator's word, the last."""
    again = _word_on(Named(line.index, line.uuid, line.pci), cleared) is not None
    return (line.last_at, line.last_clock) if again else (line.at, line.clock)


def _said(line: KernelFault, cleared: tuple[Cleared, ...]) -> str:
    evidence = ", ".join(part for part in (line.evidence, _at(line, cleared)[1]) if part)
    return f"{Named(line.index, line.uuid, line.pci)} {line.words} ({evidence})"


def notes(observed: Observed, saved: Saved) -> tuple[tuple[str, str], ...]:
    """Codes and texts of what the kernel said of late that is no fault, of GPUs without one."""
    look = known(observed.kernel)
    lines = look.faults if look else ()
    return tuple(
        (f"gpu-{line.code}", _said(line, ()))
        for line in lines
        if not line.cure
        and observed.now - line.last_at <= RECENT
        and not _old(line, saved.cleared)
        and not any(Named(line.index, line.uuid, line.pci).is_of(fault) for fault in saved.faults)
    )


def cure_of(fault: Fault) -> str:
    """As a command. What vanished from the count has no place on the bus, and cannot be reset."""
    placed = fault.index is not None or fault.pci
    return RESET if fault.cure == "reset" and placed else "sudo systemctl reboot"


def clear_faults(
    saved: Saved, which: str, now: float, look: KernelLook | None
) -> tuple[Saved, tuple[Fault, ...]]:
    """The operator's word on GPU `which` (number, uuid, address, "count"; "" for all), and what it ends."""
    gone = tuple(fault for fault in saved.faults if not which or _names(which, fault))
    if not gone:
        return saved, ()
    sequence = look.sequence if look else -1
    words = [Cleared(fault.boot, fault.gpu, now, fault.index, fault.pci, sequence) for fault in gone]
    named = [Named(fault.index, fault.gpu, fault.pci) for fault in gone]
    older = [one for one in saved.cleared if not any(gpu.is_of(one) or gpu.key == one.gpu for gpu in named)]
    count = 0 if any(fault.gpu == COUNT for fault in gone) else saved.gpu_count
    faults = tuple(fault for fault in saved.faults if fault not in gone)
    return changed(saved, faults=faults, cleared=(*older, *words), gpu_count=count), gone


def _names(which: str, fault: Fault) -> bool:
    named = {fault.gpu, fault.pci, "" if fault.index is None else str(fault.index)} - {""}
    return which.removeprefix("GPU ") in named or which in named or place(which) in named


def unseen_since(saved: Saved, observed: Observed, gpus: tuple[int, ...] | None = None) -> str:
    """ "" or that nobody has looked at the engine's GPUs since the operator cleared one."""
    reading = observed.gpus
    ours = (word for word in saved.cleared if used(word, gpus))
    words = [word.at for word in ours if observed.now - word.at <= PATIENCE]
    if isinstance(reading, NotAvailable) or not words:
        return ""
    if isinstance(reading, Value) and reading.at > max(words):
        return ""
    return "the GPUs have not been looked at since a fault was cleared"


def still_said(gone: tuple[Fault, ...], observed: Observed) -> str:
    """ "" or what the driver's last report says of a GPU that was just cleared: its next decides."""
    report = known(observed.gpus)
    for seen in report.gpus if report else ():
        gpu = Named(seen.index, seen.uuid, place(seen.pci))
        if seen.fault and any(gpu.is_of(fault) for fault in gone):
            age = max(0.0, observed.now - observed.gpus.at)
            return f'the driver of {gpu} said "{seen.fault}" {age:.0f} s ago: its next word decides'
    return ""


def sheet(saved: Saved, observed: Observed) -> FaultSheet:
    look = known(observed.kernel)
    rows = tuple(
        FaultRow(
            fault.gpu,
            fault.index,
            fault.pci,
            fault.code,
            fault.text,
            cure_of(fault),
            max(0.0, observed.now - fault.at),
        )
        for fault in saved.faults
    )
    return FaultSheet(rows, look.unread if look else "the probe program has not reported yet")
