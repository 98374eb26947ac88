"""A uv and a Python for a host of the installer: they make venvs of nothing and write down their calls."""

from tests.support.install_host import InstallHost

UV = """
case "$1 $2" in
  venv*) /bin/mkdir -p "$last/bin"; /bin/cp "$here/inside" "$last/bin/python"; : > "$last/bin/vllm" ;;
  "pip install")
    echo "$UV_DEFAULT_INDEX $UV_CACHE_DIR" > "$here/environment"
    if [ -e "$here/fails" ]; then echo no such package >&2; exit 1; fi
    if [ -e "$here/hangs" ]; then exec /bin/sleep 60; fi ;;
esac
"""
INSIDE = "#!/bin/sh\nread x < {folder}/version; echo $x\n"
PYTHON = "echo 3.12\n"


def give_uv(host: InstallHost) -> None:
    host.program("uv", UV)
    host.program("python3.12", PYTHON)
    (host.bin / "inside").write_text(INSIDE.format(folder=host.bin))
    (host.bin / "inside").chmod(0o755)


def next_version(host: InstallHost, version: str) -> None:
    """What the next venv says to have."""
    (host.bin / "version").write_text(f"{version}\n")
