"""vLLM from a package index into a folder of its own, by uv where it is there, else by pip."""

from pathlib import Path

from inferagent.adapters.part_file import check_room, in_words
from inferagent.config.sources import Vllm
from inferagent.ports import PortError
from inferagent.programs.install.checks import check_architecture, check_driver, numbers
from inferagent.programs.install.part import Offer, Tools
from inferagent.programs.install.shelved import Shelved

NO_PYTHON = (
    "install one, such as: sudo apt-get install python3.12 python3.12-venv, or sudo dnf install python3.12"
)
NO_VENV = "sudo apt-get install python3-venv, or put uv among this host's programs"
VERSION_OF = "from importlib.metadata import version; import sys; print(version(sys.argv[1]))"
HOMES = ("/root", "/home")
PYTHON_OF = "import sys; print('%d.%d' % sys.version_info[:2])"


def _at_home(python: str) -> bool:
    """In somebody's home, where the engine's user cannot go."""
    return any(Path(python).resolve().is_relative_to(home) for home in HOMES)


class VllmVenv(Shelved):
    def __init__(self, tools: Tools) -> None:
        super().__init__(tools, "vllm", ("vllm",))

    @property
    def _source(self) -> Vllm:
        return self.tools.sources.vllm

    def look(self) -> Offer:
        source, host = self._source, self.tools.host
        check_architecture(host, self.name)
        if not source.version:
            raise PortError(
                "cannot tell which vllm to install: no version is given → --version", refused=True
            )
        driver = check_driver(host, self.name, source.version, source.driver)
        steps: tuple[str, ...] = ()
        if not self.shelf.has(source.version):
            check_room(self.shelf.folder, source.space)
            steps = (
                f"make a venv of {self._python()} in {self.shelf.folder / source.version} by {self._by}",
                f"install {self._what} into it ({in_words(source.space)} at most)",
            )
        return self.offer(source.version, steps, (driver,))

    def fetch(self, offer: Offer) -> str:
        version, progress = offer.version, self.tools.progress
        if self.shelf.has(version):
            return version
        python = self._python()
        with self.shelf.making(version) as folder:
            progress.step(f"making the venv {folder}")
            self._run(self._making(python, folder))
            progress.step(f"installing {self._what} by {self._by}")
            self._run(self._installing(folder))
            progress.step("checking what was installed")
            self._verify(folder, version)
        self.shelf.clear()
        return version

    @property
    def _by(self) -> str:
        return "uv" if self.tools.host.program("uv") else "pip"

    @property
    def _what(self) -> str:
        source = self._source
        return (
            f"the hashes of {source.requirements}"
            if source.requirements
            else f"{source.package} {source.version}"
        )

    def _python(self) -> str:
        """The newest of this host's that it runs on."""
        oldest, newest = (numbers(text)[1] for text in self._source.python)
        for minor in range(newest, oldest - 1, -1):
            found = self.tools.host.program(f"python3.{minor}")
            if found and not _at_home(found) and self._says(found) == f"3.{minor}":
                return found
        usual = self.tools.host.program("python3")
        said = self._says(usual) if usual and not _at_home(usual) else ""
        if usual and said and oldest <= numbers(said)[1] <= newest:
            return usual
        wanted = f"3.{oldest} to 3.{newest}"
        raise PortError(f"cannot install vllm: no Python {wanted} is here → {NO_PYTHON}", refused=True)

    def _says(self, python: str) -> str:
        """Its version, "" where it does not run: a name among the programs may be a mere pointer."""
        try:
            return self.tools.commands.answer((python, "-I", "-c", PYTHON_OF)).strip()
        except PortError:
            return ""

    def _making(self, python: str, folder: Path) -> tuple[str, ...]:
        uv = self.tools.host.program("uv")
        if uv:
            return (uv, "venv", "--no-python-downloads", "--python", python, str(folder))
        return (python, "-I", "-m", "venv", str(folder))

    def _installing(self, folder: Path) -> tuple[str, ...]:
        source, uv, python = self._source, self.tools.host.program("uv"), str(folder / "bin" / "python")
        pip = (
            (uv, "pip", "install", "--python", python)
            if uv
            else (python, "-I", "-m", "pip", "install", "--no-input")
        )
        if source.requirements:
            what: tuple[str, ...] = ("--require-hashes", "--requirement", source.requirements)
        else:
            what = (f"{source.package}=={source.version}",)
        return (*pip, *source.arguments, *what)

    def _verify(self, folder: Path, version: str) -> None:
        python, commands = str(folder / "bin" / "python"), self.tools.commands
        found = commands.answer((python, "-I", "-c", VERSION_OF, self._source.package)).strip()
        if found != version:
            raise PortError(f"cannot trust {folder}: {self._source.package} {found} came, expected {version}")
        uv = self.tools.host.program("uv")
        self._run((uv, "pip", "check", "--python", python) if uv else (python, "-I", "-m", "pip", "check"))

    def _run(self, argv: tuple[str, ...]) -> None:
        patience, cache = self.tools.sources.patience, str(self.shelf.cache)
        extra = {
            "UV_CACHE_DIR": cache,
            "PIP_CACHE_DIR": cache,
            "HOME": cache,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        extra |= {
            "UV_HTTP_TIMEOUT": f"{patience.silence:.0f}",
            "PIP_DEFAULT_TIMEOUT": f"{patience.silence:.0f}",
        }
        if self._source.index:
            extra |= {"UV_DEFAULT_INDEX": self._source.index, "PIP_INDEX_URL": self._source.index}
        self.tools.commands.run(argv, patience.venv, extra)
