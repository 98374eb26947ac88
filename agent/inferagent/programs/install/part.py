"""What each part's installer can do, and what all of them are given."""

from dataclasses import dataclass, field
from typing import Protocol

from inferagent.adapters.download import Downloads
from inferagent.config.sources import Sources
from inferagent.programs.install.commands import Commands
from inferagent.programs.install.host import Host
from inferagent.programs.install.progress import Progress

NEWEST = "the newest version"


@dataclass(frozen=True)
class Tools:
    """Of one run."""

    host: Host
    sources: Sources
    progress: Progress
    downloads: Downloads

    @property
    def commands(self) -> Commands:
        return Commands(self.host, self.progress, self.sources.patience.program)


@dataclass(frozen=True)
class Offer:
    """`version`: what would be in use; `now`: what is, "" for none. The rest is for a person."""

    name: str
    version: str
    now: str
    steps: tuple[str, ...] = ()
    remarks: tuple[str, ...] = field(default=())


class Installer(Protocol):
    """PortError of each deed says why not. Until `switch` nothing that is in use is touched."""

    @property
    def now(self) -> str:
        """The version in use, "" for none."""
        ...

    @property
    def earlier(self) -> str:
        """The version before it, "" for none."""
        ...

    @property
    def program(self) -> str:
        """Where the one in use lies, "" for none that a person could run."""
        ...

    def look(self) -> Offer: ...
    def fetch(self, offer: Offer) -> str:
        """Everything that is needed is here and verified afterwards; the version that it is."""
        ...

    def switch(self, version: str) -> tuple[str, ...]:
        """Remarks for a person."""
        ...

    def back(self) -> None:
        """To the version before."""
        ...
