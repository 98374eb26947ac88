"""What strikes between connector and edge: one host's way, some of its ways, or everybody's edge."""

from dataclasses import replace

from tests.matrix.fault import Fault, fault
from tests.matrix.faults.connector import lasts, new_life, ready_connections, with_edge
from tests.matrix.gates import Gates, State
from tests.matrix.stage import Stage

MOMENT = 1.0  # seconds that the edge needs to see that a connection is gone


class _Shut(Fault):
    """The ways to the edge of the struck host alone."""

    state: State = "refuse"
    count = 2

    async def before(self, stage: Stage) -> None:
        self.gates = await Gates.to(stage.world.info["edge"], self.count, stage.endings)
        command = with_edge(stage.host, self.gates.addresses)
        stage.host.connector = replace(stage.host.connector, command=command)

    async def strike(self, stage: Stage) -> None:
        await self.gates.set(self.state)

    async def heal(self, stage: Stage) -> None:
        await self.gates.set("open")


class _Repaired(_Shut):
    """It lasts until the connector was restarted for it."""

    async def strike(self, stage: Stage) -> None:
        self.first = stage.host.pid("connector")
        await super().strike(stage)

    async def heal(self, stage: Stage) -> None:
        await new_life(stage, self.first)
        await super().heal(stage)


@fault("refuse-edge")
class RefuseEdge(_Repaired):
    """Cut, and nothing listens any more."""


@fault("hang-edge")
class HangEdge(_Repaired):
    """Cut, and who dials gets no word."""

    state: State = "hang"


@fault("mute-edge")
class MuteEdge(_Shut):
    """Nothing is cut and nothing passes: no program on the host can tell."""

    state: State = "mute"

    async def heal(self, stage: Stage) -> None:
        await lasts(stage)
        await super().heal(stage)


@fault("shut-most-ways")
class ShutMostWays(_Shut):
    """Three of four connections are lost for as long as is watched."""

    count = 4

    async def strike(self, stage: Stage) -> None:
        async def all_there() -> bool:
            return await ready_connections(stage.host) == self.count

        await stage.until(all_there, f"{self.count} connections")
        stage.struck = stage.now
        await self.gates.set("refuse", first=self.count - 1)

    async def heal(self, stage: Stage) -> None:
        stage.notes["left"] = await ready_connections(stage.host)
        await super().heal(stage)

    async def check(self, stage: Stage) -> list[str]:
        late = [one for one in stage.outcomes() if one.cause and one.start > stage.struck + MOMENT]
        found = [f"{len(late)} requests failed over the connection that was left"] if late else []
        if stage.notes["left"] != 1:
            found.append(f"{stage.notes['left']} connections were left, not 1")
        return found


@fault("edge-gone-for-all")
class EdgeGoneForAll(Fault):
    """Nobody serves, whatever anybody does: the pools stay as they are."""

    wants_traffic = False

    async def strike(self, stage: Stage) -> None:
        await stage.world.ask("POST", "/edge", {"do": "edge", "state": "refuse"})

    async def heal(self, stage: Stage) -> None:
        async def out() -> bool:
            return (await stage.status()).get("phase") == "out"

        await stage.until(out, "out of phase, so that it is repaired", 60)
        stage.notes["disables"] = await stage.disables()
        await stage.world.ask("POST", "/edge", {"do": "edge", "state": "up"})

    async def check(self, stage: Stage) -> list[str]:
        count = stage.notes["disables"]
        return [f"the pool was disabled {count}× although no other endpoint was left"] if count else []
