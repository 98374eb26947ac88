"""The stand-in connector for a machine that plays several hosts: one ingress, another port on each host.

Replicas share an ingress, so their engines listen at one and the same port of their own loopback. Started as
`replica_connector.py 8000=41001,8790=41002 tunnel … run`, this host's 8000 is the machine's 41001.
"""

import asyncio
import os
import sys
from dataclasses import dataclass, field
from typing import Any

from inferagent.lab.connector.ingress import Configuration
from inferagent.lab.connector.options import read_options
from inferagent.lab.connector.program import run

LOOPBACK = "http://127.0.0.1:"


@dataclass(slots=True)
class Translated(Configuration):
    """Takes a push with its loopback ports exchanged, and shows it so, for the agent of this host."""

    ports: dict[str, str] = field(default_factory=dict)

    def update(self, version: int, config: dict[str, Any]) -> None:
        rules = [self._rule(rule) for rule in config.get("ingress") or []]
        Configuration.update(self, version, {**config, "ingress": rules})

    def _rule(self, rule: dict[str, Any]) -> dict[str, Any]:
        service = str(rule.get("service", ""))
        port = service.removeprefix(LOOPBACK)
        return {**rule, "service": LOOPBACK + self.ports[port]} if port in self.ports else rule


def pairs(text: str) -> dict[str, str]:
    return {here: there for here, _, there in (pair.partition("=") for pair in text.split(","))}


if __name__ == "__main__":
    options = read_options(sys.argv[2:], os.environ)
    sys.exit(asyncio.run(run(options, Translated(ports=pairs(sys.argv[1])))))
