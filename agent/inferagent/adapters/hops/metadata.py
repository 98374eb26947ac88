"""What a VM of Google's cloud says about itself, asked only on such a machine and never for long."""

import asyncio
from pathlib import Path

from inferagent.adapters.local_http import LocalHttp
from inferagent.ports import PortError

SERVER = "metadata.google.internal"
BASE = "/computeMetadata/v1/"
PRODUCT = Path("sys/class/dmi/id/product_name")
NAME = "Google Compute Engine"


def is_google(root: Path = Path("/")) -> bool:
    """By the machine's own product name; no name server is asked."""
    try:
        return (root / PRODUCT).read_text("utf-8").strip() == NAME
    except (OSError, UnicodeDecodeError):
        return False


async def read(keys: tuple[str, ...], server: str, timeout: float) -> dict[str, str]:
    """The values of the keys below instance/; a key that is not there is left out. PortError: no answer."""
    http = LocalHttp(f"http://{server or SERVER}", headers=(("Metadata-Flavor", "Google"),))

    async def one(key: str) -> str | PortError | None:
        try:
            answer = await http.get(f"{BASE}instance/{key}", timeout)
        except PortError as error:
            return error
        except OSError as error:
            return PortError(f"cannot reach {server or SERVER}: {error}")
        return answer.body.decode("utf-8", "replace").strip() if answer.status == 200 else None

    try:
        async with asyncio.TaskGroup() as group:
            tasks = {key: group.create_task(one(key)) for key in keys}
    finally:
        await http.aclose()
    found: dict[str, str] = {}
    for key, task in tasks.items():
        value = task.result()
        if isinstance(value, PortError):
            raise value
        if value is not None:
            found[key] = value
    return found
