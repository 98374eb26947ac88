"""cloudflared from Cloudflare's package repository; what was there before is written down for --rollback."""

import json
from contextlib import suppress
from pathlib import Path

from inferagent.adapters.files import why, write_whole
from inferagent.adapters.part_file import check_room
from inferagent.ports import PortError
from inferagent.programs.install.apt import Apt
from inferagent.programs.install.checks import check_architecture
from inferagent.programs.install.dnf import Dnf
from inferagent.programs.install.keys import trusted
from inferagent.programs.install.part import NEWEST, Offer, Tools

NO_MANAGER = "take the release instead: --source release --version V --sha256 HEX"


class CloudflaredPackages:
    def __init__(self, tools: Tools) -> None:
        self.tools, self.name = tools, "cloudflared"
        self._source = tools.sources.cloudflared
        self._folder = tools.host.parts / self.name
        self._manager = self._chosen()

    def _chosen(self) -> Apt | Dnf:
        tools, patience = self.tools, self.tools.sources.patience.packages
        if tools.host.program("apt-get"):
            return Apt(tools.host, tools.commands, self._source, self._folder / "packages", patience)
        if tools.host.program("dnf"):
            return Dnf(tools.host, tools.commands, self._source, patience)
        raise PortError(
            f"cannot install cloudflared: neither apt-get nor dnf is here → {NO_MANAGER}", refused=True
        )

    @property
    def now(self) -> str:
        return self._manager.installed()

    @property
    def earlier(self) -> str:
        with suppress(OSError, ValueError, KeyError, TypeError):
            found = str(json.loads(self._record.read_text("utf-8"))["before"])
            return found if found != self.now else ""
        return ""

    @property
    def program(self) -> str:
        return self.tools.host.program(self.name) or ""

    def look(self) -> Offer:
        check_architecture(self.tools.host, self.name)
        check_room(self._folder, self._source.space)
        known, url = self._manager.known(), self._source.repository
        steps: tuple[str, ...] = (f"ask {url} (as {known} names it) for cloudflared",)
        if known is None:
            steps = (
                f"fetch {self._source.key} (fingerprint: {' or '.join(self._source.fingerprints)})",
                f"make the repository {url} known, signed by that key alone",
            )
        version = self._source.version or NEWEST
        kept = (f"write down {self.now} for --rollback",) if self.now else ()
        return Offer(self.name, version, self.now, (*steps, f"install cloudflared: {version}", *kept))

    def fetch(self, _offer: Offer) -> str:
        manager, progress = self._manager, self.tools.progress
        try:
            if manager.known() is None:
                progress.step(f"fetching the key {self._source.key}")
                content = self.tools.downloads.small(self._source.key)
                manager.add(trusted(content, self._source.key, self._source.fingerprints))
            progress.step(f"asking {self._source.repository}")
            manager.refresh()
            version = self._source.version or manager.newest()
            if version != self.now:
                progress.step(f"fetching cloudflared {version}")
                manager.fetch(version)
        except PortError:
            manager.files.take_back()  # a refused repository would stop all updates of this host
            raise
        return version

    def switch(self, version: str) -> tuple[str, ...]:
        self._keep(self.now)
        self.tools.progress.step(f"installing cloudflared {version}")
        self._manager.install(version)
        return ()

    def back(self) -> None:
        version, now = self.earlier, self.now
        self.tools.progress.step(f"installing cloudflared {version}")
        self._manager.install(version)
        self._keep(now)

    def _keep(self, version: str) -> None:
        if not version:
            return
        try:
            self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            write_whole(self._record, json.dumps({"before": version}).encode(), durable=True, mode=0o644)
        except OSError as error:
            raise PortError(f"cannot write {self._record}: {why(error)}") from error

    @property
    def _record(self) -> Path:
        return self._folder / "packages.json"
