"""A container that the configuration describes: what the docker daemon is asked to make, as data.

Only from an image by digest: a tag may mean another program tomorrow.
"""

import grp
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferagent.adapters.docker.container import LABEL

DIGEST = re.compile(r"[a-z0-9][A-Za-z0-9._:/-]{0,255}@sha256:[0-9a-f]{64}")
AMD = ("/dev/kfd", "/dev/dri")
AMD_GROUPS = ("video", "render")  # by the host's own numbers: an image need not know the names


@dataclass(frozen=True, slots=True)
class Recipe:
    """`gpus` None: all. `devices`: nvidia, amd or none. `publish`: HOST:PORT, "" for the host's network."""

    image: str
    command: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    devices: str = "none"
    gpus: tuple[int, ...] | None = None
    volumes: tuple[str, ...] = ()
    publish: str = ""


def body(recipe: Recipe, groups: tuple[str, ...] | None = None) -> dict[str, Any]:
    """The body of POST /containers/create; docker itself never restarts it, and keeps a log of some size."""
    host: dict[str, Any] = {
        "RestartPolicy": {"Name": "no"},
        "IpcMode": "host",
        "Binds": list(recipe.volumes),
        "LogConfig": {"Type": "local", "Config": {"max-size": "20m", "max-file": "3"}},
        **_devices(recipe, amd_groups() if groups is None else groups),
    }
    made: dict[str, Any] = {
        "Image": recipe.image,
        "Env": [f"{name}={value}" for name, value in recipe.environment],
        "HostConfig": host,
        **({"Cmd": list(recipe.command)} if recipe.command else {}),
        **_network(recipe, host),
    }
    return {**made, "Labels": {LABEL: digest(made)}}


def digest(made: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()


def _network(recipe: Recipe, host: dict[str, Any]) -> dict[str, Any]:
    if not recipe.publish:
        host["NetworkMode"] = "host"
        return {}
    address, _, port = recipe.publish.rpartition(":")
    host["PortBindings"] = {f"{port}/tcp": [{"HostIp": address.strip("[]"), "HostPort": port}]}
    return {"ExposedPorts": {f"{port}/tcp": {}}}


def _devices(recipe: Recipe, groups: tuple[str, ...]) -> dict[str, Any]:
    if recipe.devices == "nvidia":
        which: dict[str, Any] = {"Count": -1}
        if recipe.gpus is not None:
            which = {"DeviceIDs": [str(gpu) for gpu in recipe.gpus]}
        return {"DeviceRequests": [{"Driver": "nvidia", **which, "Capabilities": [["gpu"]]}]}
    if recipe.devices == "amd":
        paths = [{"PathOnHost": p, "PathInContainer": p, "CgroupPermissions": "rwm"} for p in AMD]
        return {"Devices": paths, "GroupAdd": list(groups)}
    return {}


def amd_groups() -> tuple[str, ...]:
    found = []
    for name in AMD_GROUPS:
        try:
            found.append(str(grp.getgrnam(name).gr_gid))
        except KeyError:
            continue
    return tuple(found)


def devices_here(root: Path = Path("/")) -> str:
    """What "auto" means on this host."""
    if (root / "proc/driver/nvidia/version").exists() or (root / "dev/nvidiactl").exists():
        return "nvidia"
    return "amd" if (root / "dev/kfd").exists() else "none"
