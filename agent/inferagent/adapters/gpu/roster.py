"""Who the GPUs are: what each was called while it still answered, for a lost one does not say."""

from dataclasses import dataclass, field, replace

from inferagent.model.gpu import place
from inferagent.model.kernel import KernelFault


@dataclass(frozen=True, slots=True)
class Name:
    uuid: str = ""
    name: str = ""
    pci: str = ""


@dataclass
class Roster:
    """The GPUs by their index. Written by the driver's thread, read by the kernel log's."""

    names: dict[int, Name] = field(default_factory=dict)

    def of(self, index: int) -> Name:
        return self.names.get(index, Name())

    def note(self, index: int, uuid: str, name: str, pci: str) -> Name:
        """What is "" keeps its last value."""
        before = self.of(index)
        self.names[index] = Name(uuid or before.uuid, name or before.name, pci or before.pci)
        return self.names[index]

    def named(self, fault: KernelFault, uuids: dict[str, str]) -> KernelFault:
        """The fault with the index and the uuid of its GPU, as far as anybody has told them."""
        uuid = uuids.get(fault.pci, "") or fault.uuid
        for index, name in list(self.names.items()):
            if (fault.pci and place(name.pci) == fault.pci) or (uuid and name.uuid == uuid):
                return replace(fault, index=index, uuid=name.uuid or uuid)
        return replace(fault, uuid=uuid)
