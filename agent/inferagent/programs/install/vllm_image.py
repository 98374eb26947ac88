"""vLLM as a container image by its digest; the shelf keeps which image is in use, docker the image itself."""

from inferagent.adapters.part_file import check_room
from inferagent.config.sources import Vllm
from inferagent.ports import PortError
from inferagent.programs.install.checks import check_architecture
from inferagent.programs.install.part import Offer, Tools
from inferagent.programs.install.shelved import Shelved

NO_DOCKER = "sudo apt-get install docker.io, or sudo dnf install docker"
REFERENCE = "image"  # the file of a version that names the whole reference
DOCKER_DATA = "/var/lib/docker"


class VllmImage(Shelved):
    def __init__(self, tools: Tools) -> None:
        super().__init__(tools, "vllm")

    @property
    def _source(self) -> Vllm:
        return self.tools.sources.vllm

    @property
    def _version(self) -> str:
        """Docker itself needs all of a digest; twelve digits tell two of them apart for a person."""
        return f"image-{self._source.image.rpartition(':')[2][:12]}"

    def look(self) -> Offer:
        source, host = self._source, self.tools.host
        check_architecture(host, self.name)
        if not source.image:
            cure = "name it with --image NAME@sha256:DIGEST"
            raise PortError(f"cannot tell which image to pull: none is given → {cure}", refused=True)
        self.tools.commands.there("docker", NO_DOCKER)
        if not self.shelf.has(self._version):
            check_room(host.at(DOCKER_DATA), source.space)
        steps = (f"pull {source.image} by docker", "check its architecture")
        return self.offer(self._version, steps)

    def fetch(self, offer: Offer) -> str:
        image, tools = self._source.image, self.tools
        docker = tools.commands.there("docker", NO_DOCKER)
        tools.progress.step(f"pulling {image}")
        tools.commands.run((docker, "pull", image), tools.sources.patience.image)
        self._check(docker, image)
        if not self.shelf.has(offer.version):
            with self.shelf.making(offer.version) as folder:
                (folder / REFERENCE).write_text(f"{image}\n", "utf-8")
        return offer.version

    def switch(self, version: str) -> tuple[str, ...]:
        """What a container is made from stands in the configuration, which is a person's."""
        remarks = super().switch(version)
        return (*remarks, f'write image = "{self._source.image}" under [[engine]] in config.toml')

    def back(self) -> None:
        """Only to an image that is still here."""
        docker = self.tools.commands.there("docker", NO_DOCKER)
        path = self.shelf.folder / self.earlier / REFERENCE
        if path.exists():
            self._check(docker, path.read_text("utf-8").strip())
        super().back()

    def _check(self, docker: str, image: str) -> None:
        """Docker has held it against the digest; the digest may be that of another architecture."""
        found = self.tools.commands.answer(
            (docker, "image", "inspect", "--format", "{{.Architecture}}", image)
        ).strip()
        if found != self.tools.host.architecture:
            here = self.tools.host.architecture
            raise PortError(f"cannot use {image}: it is for {found}, this host is {here}", refused=True)
