"""What goes wrong with the account's API while nothing else does: it costs nothing, and is told."""

import time
from collections.abc import Mapping
from typing import ClassVar

from tests.matrix.account import calls
from tests.matrix.api_deeds import told_with_cure
from tests.matrix.fault import Fault, fault
from tests.matrix.stage import Stage

BLOCK = 12  # seconds for which Cloudflare refuses every call, as its answer says


class Api(Fault):
    """`fields` say the fault, which hits every call of this host alone."""

    fields: ClassVar[Mapping[str, object]] = {}
    everybody = False

    async def strike(self, stage: Stage) -> None:
        stage.notes["since"] = time.time()
        whose = {} if self.everybody else {"token": stage.host.token}
        await stage.world.fault(**self.fields, **whose)

    async def heal(self, stage: Stage) -> None:
        await stage.world.mend()


@fault("api-401")
class Api401(Api):
    fields: ClassVar = {"kind": "status", "status": 401}

    async def heal(self, stage: Stage) -> None:
        try:
            await told_with_cure(stage)
        finally:
            await super().heal(stage)


@fault("api-500")
class Api500(Api):
    fields: ClassVar = {"kind": "status", "status": 500}


@fault("api-garbage")
class ApiGarbage(Api):
    fields: ClassVar = {"kind": "garbage"}


@fault("api-empty")
class ApiEmpty(Api):
    """A success that says that the account has no pool at all."""

    fields: ClassVar = {
        "kind": "garbage",
        "path": "/pools$",
        "body": '{"success": true, "errors": [], "messages": [], "result": []}',
    }


@fault("api-hang")
class ApiHang(Api):
    fields: ClassVar = {"kind": "hang"}


@fault("api-reset")
class ApiReset(Api):
    fields: ClassVar = {"kind": "reset"}


@fault("api-block")
class ApiBlock(Api):
    """Every call of everybody is refused for a while, and the answer says for how long."""

    everybody = True
    fields: ClassVar = {"kind": "status", "status": 429, "retry_after": BLOCK, "duration_s": BLOCK}

    async def check(self, stage: Stage) -> list[str]:
        since = stage.notes["since"]
        asked = [
            one for one in await calls(stage.world, stage.host, since) if one["time"] < since + BLOCK - 1
        ]
        return [f"{len(asked)} calls within the block"] if len(asked) > 4 else []
