"""The membership replica: in means that this host's connector of the shared tunnel is connected."""

import httpx

from inferagent.adapters.cloudflare.client import NO_TLS
from inferagent.model.membership import Endpoint, MembershipView
from inferagent.ports import PortError

DEADLINE_S = 2.0


class ReplicaMembership:
    """MembershipPort. The connector is started and stopped by unit actions, never from here."""

    def __init__(self, name: str, metrics: str, machine: str = "") -> None:
        self._name = name
        self._url = f"http://{metrics}/ready"
        self._machine = machine
        self._http = httpx.AsyncClient(timeout=DEADLINE_S, trust_env=False, verify=NO_TLS)

    async def close(self) -> None:
        await self._http.aclose()

    async def read(self) -> MembershipView:
        connected = await self._connections() > 0
        return MembershipView(Endpoint(self._name, connected, connected, machine=self._machine), None)

    async def push(self, member: bool) -> None:
        """Nothing to write: a connector that runs is the membership."""

    async def _connections(self) -> int:
        """Edge connections; 0 too where the port refuses, for then no connector runs."""
        try:
            answer = await self._http.get(self._url)
            found = answer.json()
        except httpx.ConnectError:
            return 0
        except (httpx.HTTPError, ValueError, RecursionError) as error:
            raise PortError(f"cannot read {self._url}: {error or type(error).__name__}") from error
        count = found.get("readyConnections") if isinstance(found, dict) else None
        if type(count) is not int or count < 0:
            raise PortError(f"cannot read {self._url}: readyConnections is missing")
        return count


def connector_id(metrics: str) -> str:
    """The id of the connector that runs on this host, "" where none answers. Waits for its answer."""
    try:
        found = httpx.get(
            f"http://{metrics}/ready", timeout=DEADLINE_S, trust_env=False, verify=NO_TLS
        ).json()
    except (httpx.HTTPError, ValueError, RecursionError):
        return ""
    return str(found.get("connectorId", "")) if isinstance(found, dict) else ""
