"""A copy of a host's machine, as an image of its disk makes one: its identity, on another machine.

Its machine and boot ids are others, in a mount namespace of its own. Both run on one loopback here, so its
ports and folders are others as well, and its connector carries the shared ingress to them.
"""

import secrets
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any
from uuid import uuid4

import tomlkit
from tests.matrix import cage
from tests.support import replica_connector

from inferagent.lab.demo.host import Host
from inferagent.lab.demo.world import World

MACHINE_ID, BOOT_ID = Path("/etc/machine-id"), Path("/proc/sys/kernel/random/boot_id")


def copied(world: World, original: Host) -> Host:
    """A host of the world whose agent is not started. CannotHereError where there are no namespaces."""
    copy = world.add(f"copy-of-{original.name}", original.engine.kind, original.weight, stand_in=True)
    copy.agent_prefix = cage.agent_prefix(*_other_ids(copy.folder))
    shutil.copytree(original.config, copy.config)
    file = copy.config / "config.toml"
    file.write_text(tomlkit.dumps(moved(tomllib.loads(file.read_text()), original, copy)))
    return copy


def moved(config: dict[str, Any], original: Host, copy: Host) -> dict[str, Any]:
    """The configuration with what cannot be shared on one machine."""
    engine, connector = config["engine"][0], config["connector"]
    engine |= {"url": f"http://127.0.0.1:{copy.engine_port}", "command": list(copy.engine.command)}
    engine["environment"] = copy.engine.environment
    ports = {original.engine_port: copy.engine_port, original.ready_port: copy.ready_port}
    told = ",".join(f"{here}={there}" for here, there in ports.items())
    words = copy.connector.command
    own = [sys.executable, str(replica_connector.__file__), told, *words[words.index("tunnel") :]]
    metrics = f"127.0.0.1:{copy.metrics_port}"
    environment = {**connector["environment"], "TUNNEL_METRICS": metrics, "HOME": str(copy.folder)}
    environment["TUNNEL_TOKEN_FILE"] = str(copy.config / "credentials" / "tunnel-token")
    connector |= {"command": own, "metrics": metrics, "environment": environment}
    config["ready"] = {**config.get("ready", {}), "port": copy.ready_port}
    config["agent"] = {"state": str(copy.folder / "state"), "run": str(copy.run)}
    return config


def _other_ids(folder: Path) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    ids = {MACHINE_ID: secrets.token_hex(16), BOOT_ID: str(uuid4())}
    deeds = []
    for path, text in ids.items():
        other = folder / path.name
        other.write_text(f"{text}\n")
        deeds.append(cage.in_place_of(path, other))
    return deeds
