"""Where this host itself listens: a loopback address, or "off"."""

from dataclasses import dataclass
from typing import ClassVar

from inferagent.config.kinds import Address, Kind

LOOPBACK = ("127.0.0.1", "[::1]", "localhost")


@dataclass(frozen=True)
class Listen(Kind):
    """host:port of this host alone; "off" is None."""

    words: ClassVar[str] = 'an address of this host such as "127.0.0.1:9479", or "off"'

    def parse(self, value: object) -> tuple[str, int] | None:
        if value == "off":
            return None
        try:
            host, port = Address().parse(value)
        except ValueError as error:
            raise self.wrong(value) from error
        if host not in LOOPBACK:
            raise self.wrong(value)
        return host, port
