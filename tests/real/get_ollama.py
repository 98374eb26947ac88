"""Ollama by `go install`, with the three headers that its module leaves out, and a store with the tiny model.

The headers are taken from this system where it has them; Debian's packages are unpacked beside the build,
installed nowhere, and the third lies in another Go module.
"""

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.real.get import GetError, Making, make

from inferagent.lab.demo.world import free_ports

MODULE, KNOWN = "github.com/ollama/ollama", "v0.17.4"
MINIAUDIO, MINIAUDIO_VERSION = "github.com/gen2brain/malgo", "v0.11.24"
SYSTEM = Path("/usr/include")
HEADERS = {"nlohmann/json.hpp": "nlohmann-json3-dev", "stb/stb_image.h": "libstb-dev"}
BUILD_SECONDS, SHORT_SECONDS = 2400.0, 180.0
ROOM = 3.0
MODEL = "chat"


def get(making: Making) -> None:
    make(making, steps, ROOM)


def steps(making: Making) -> None:
    if not shutil.which("go"):
        raise GetError("there is no go on PATH: install Go 1.24 or newer")
    include = making.part / "include"
    for header, package in HEADERS.items():
        making.step(header, partial(debian, making, include, header, package))
    making.step("miniaudio/miniaudio.h", lambda: miniaudio(making, include))
    making.step("build", lambda: build(making, include))


def debian(making: Making, include: Path, header: str, package: str) -> None:
    """A header of this system, or of its package, unpacked beside the build."""
    if (SYSTEM / header).exists():
        return
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise GetError(f"{header} is not in {SYSTEM}: install {package}")
    folder = making.part / "debs"
    folder.mkdir(exist_ok=True)
    making.run(["/bin/sh", "-c", f'cd "$0" && apt-get download {package}', folder], SHORT_SECONDS)
    for deb in folder.glob(f"{package}_*.deb"):
        making.run(["dpkg-deb", "-x", deb, folder / "root"], SHORT_SECONDS)
    top = Path(header).parts[0]
    found = next(folder.glob(f"root/usr/include/**/{top}"), None)
    if found is None:
        raise GetError(f"{package} has no {header}")
    shutil.copytree(found, include / top, dirs_exist_ok=True)


def miniaudio(making: Making, include: Path) -> None:
    """The header out of a Go module that carries it; the module's own folder is not changed."""
    if (SYSTEM / "miniaudio/miniaudio.h").exists():
        return
    made = subprocess.run(
        ["go", "mod", "download", "-json", f"{MINIAUDIO}@{MINIAUDIO_VERSION}"],
        capture_output=True,
        text=True,
        timeout=SHORT_SECONDS,
        check=False,
    )
    said = json.loads(made.stdout or "{}")
    found = Path(said.get("Dir", "")) / "miniaudio.h"
    if made.returncode or not found.is_file():
        raise GetError(f"go mod download: {said.get('Error') or made.stderr.strip()[-200:]}")
    (include / "miniaudio").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(found, include / "miniaudio" / "miniaudio.h")


def newest() -> str:
    """The newest release that the module proxy serves; the known one where it cannot say."""
    try:
        asked = subprocess.run(
            ["go", "list", "-m", "-f", "{{.Version}}", f"{MODULE}@latest"],
            capture_output=True,
            text=True,
            timeout=SHORT_SECONDS,
            check=False,
            cwd="/",
        )
    except subprocess.TimeoutExpired:
        return KNOWN
    return asked.stdout.strip() or KNOWN


def build(making: Making, include: Path) -> None:
    """The newest, or the one that is known to build; the linker gives it the version that it says."""
    wanted = dict.fromkeys((newest(), KNOWN))
    reasons = []
    for version in wanted:
        try:
            install(making, include, version)
        except GetError as error:
            reasons.append(f"{version}: {error}")
        else:
            return
    raise GetError("; ".join(reasons))


def install(making: Making, include: Path, version: str) -> None:
    said = f"-X {MODULE}/version.Version={version.removeprefix('v')}"
    making.run(
        ["go", "install", "-ldflags", said, f"{MODULE}@{version}"],
        BUILD_SECONDS,
        GOBIN=str(making.part / "bin"),
        CGO_ENABLED="1",
        CGO_CXXFLAGS=f"-O2 -I{include}",
    )


def store(making: Making, program: Path, weights: Path) -> None:
    """A folder of Ollama's models that holds `chat`, made by the program itself."""
    make(making, lambda making: making.step("model chat", lambda: fill(making, program, weights)))


def fill(making: Making, program: Path, weights: Path) -> None:
    port = free_ports(1)[0]
    home = making.cache / "home"
    home.mkdir(parents=True, exist_ok=True)
    variables = {"OLLAMA_HOST": f"127.0.0.1:{port}", "OLLAMA_MODELS": str(making.part), "HOME": str(home)}
    modelfile = making.cache / "logs" / "Modelfile"
    modelfile.parent.mkdir(parents=True, exist_ok=True)
    # Two threads that wait for each other by spinning make a tenth of a token a second on a busy machine.
    modelfile.write_text(f"FROM {weights}\nPARAMETER temperature 0\nPARAMETER num_thread 1\n")
    with making.log.open("ab") as log:
        serving = subprocess.Popen(
            [program, "serve"],
            stdout=log,
            stderr=log,
            env={**os.environ, **variables},
            start_new_session=True,
        )
    try:
        answers(f"http://127.0.0.1:{port}/", lambda: serving.poll() is None)
        making.run([program, "create", MODEL, "-f", modelfile], SHORT_SECONDS, **variables)
    finally:
        serving.send_signal(signal.SIGTERM)
        try:
            serving.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(serving.pid, signal.SIGKILL)
            serving.wait()


def answers(url: str, lives: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError) as error:
            if not lives() or time.monotonic() > end:
                raise GetError(f"ollama serve does not answer: {error}") from error
        time.sleep(0.05)
