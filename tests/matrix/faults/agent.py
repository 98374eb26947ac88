"""What strikes the agent: its death and its silence, its clock, its sockets, its log, its helpers."""

import asyncio
import fcntl
import json
import os
import shutil
import signal
import sys
from datetime import datetime
from pathlib import Path

from tests.fixtures.nvml.build import Driver, build
from tests.matrix import flood
from tests.matrix.agents import absent, drain, findings, in_phase, phases, resume, unwritten
from tests.matrix.clock import WallClock
from tests.matrix.fault import CannotHereError, Fault, fault
from tests.matrix.stage import Stage

from inferagent.lab.demo.host import Host
from inferagent.lab.processes import Program, kill, look

HOUR = 3600
READY_WITHIN = 5.0  # seconds
MANY = 2500  # connections
HANDLES = 1024  # open files that systemd lets a service have, unless its unit says more


@fault("agent-killed")
class AgentKilled(Fault):
    how = signal.SIGKILL

    async def strike(self, stage: Stage) -> None:
        await stage.host.kill_agent(self.how)
        await absent(stage.host)

    async def check(self, stage: Stage) -> list[str]:
        return await unwritten(stage)


@fault("agent-terminated")
class AgentTerminated(AgentKilled):
    how = signal.SIGTERM


@fault("agent-killed-often")
class AgentKilledOften(AgentKilled):
    """Whatever it is at when it dies: the next one goes on."""

    async def strike(self, stage: Stage) -> None:
        for seconds in (0.3, 0.7, 1.1, 1.5, 2.0, 3.0):
            await stage.host.kill_agent()
            await stage.host.start_agent()
            await asyncio.sleep(seconds)


@fault("agent-frozen")
class AgentFrozen(AgentKilled):
    """Silent for as long as the row is watched; when it goes on, all that it knows is old."""

    async def strike(self, stage: Stage) -> None:
        assert stage.host.agent is not None
        stage.host.agent.signal(signal.SIGSTOP)

    async def heal(self, stage: Stage) -> None:
        assert stage.host.agent is not None
        stage.host.agent.signal(signal.SIGCONT)

    async def check(self, stage: Stage) -> list[str]:
        await asyncio.sleep(10.0)  # what it does with its old readings it does soon
        return await unwritten(stage)


@fault("agent-away")
class AgentAway(AgentKilled):
    async def strike(self, stage: Stage) -> None:
        await stage.host.kill_agent()

    async def heal(self, stage: Stage) -> None:
        await stage.host.start_agent()


@fault("engine-killed-agent-away")
class EngineKilledAgentAway(AgentAway):
    async def strike(self, stage: Stage) -> None:
        await stage.host.kill_agent()
        stage.host.kill_engine()

    async def check(self, stage: Stage) -> list[str]:
        return []


@fault("agent-killed-in-drain")
class AgentKilledInDrain(Fault):
    """The order is on disk before it is answered: the next agent goes on with it."""

    async def strike(self, stage: Stage) -> None:
        await drain(stage.host)
        await in_phase(stage.host, "draining")
        await stage.host.kill_agent()
        await absent(stage.host)

    async def heal(self, stage: Stage) -> None:
        await in_phase(stage.host, "out")
        await resume(stage.host)


@fault("agent-killed-at-drain")
class AgentKilledAtDrain(AgentKilledInDrain):
    """At the very moment at which the operator has his answer."""

    async def strike(self, stage: Stage) -> None:
        await drain(stage.host)
        await stage.host.kill_agent()
        await absent(stage.host)


@fault("agent-killed-in-join")
class AgentKilledInJoin(Fault):
    async def strike(self, stage: Stage) -> None:
        await drain(stage.host, "--wait")
        await resume(stage.host)
        await in_phase(stage.host, "joining")
        await stage.host.kill_agent()
        await absent(stage.host)

    async def check(self, stage: Stage) -> list[str]:
        return [] if "joining" in phases(stage) else ["it was never seen to join"]


class WithClock(Fault):
    """The struck host lives by a wall clock of its own."""

    ahead = 0

    async def before(self, stage: Stage) -> None:
        self.clock = WallClock(stage.host.folder)
        stage.host.agent_environment = self.clock.environment

    async def check(self, stage: Stage) -> list[str]:
        """That the agent's clock did jump, or the row would show nothing."""
        said = datetime.fromisoformat((await stage.status())["at"])
        off = (said - datetime.now().astimezone()).total_seconds() - self.ahead
        return [f"its wall clock is {off:.0f} s from where it was put"] if abs(off) > HOUR / 2 else []


@fault("clock-forward")
class ClockForward(WithClock):
    ahead = 26 * HOUR

    async def strike(self, stage: Stage) -> None:
        self.clock.jump(self.ahead)


@fault("clock-back")
class ClockBack(ClockForward):
    ahead = -26 * HOUR


@fault("clock-forward-held")
class ClockForwardHeld(WithClock):
    """A hold ends by the boot clock: not at once, though its end by the wall clock is past."""

    ahead = 26 * HOUR

    async def strike(self, stage: Stage) -> None:
        await drain(stage.host, "--for", "45s", "--wait")
        self.clock.jump(self.ahead)


@fault("clock-back-held")
class ClockBackHeld(ClockForwardHeld):
    """Nor a day later."""

    ahead = -26 * HOUR


@fault("socket-flooded")
class SocketFlooded(Fault):
    """With no more open files than a service has; the engine dies in the midst of it."""

    program: Program | None = None

    async def before(self, stage: Stage) -> None:
        stage.host.agent_prefix = ("sh", "-c", f'ulimit -n {HANDLES} && exec "$@"', "few")

    async def strike(self, stage: Stage) -> None:
        self.log = stage.host.folder / "flood.log"
        argv = [sys.executable, str(Path(flood.__file__)), str(stage.host.run / "control.sock")]
        self.program = await Program.start(argv, {}, self.log)
        stage.endings.push_async_callback(self.program.end)
        await stage.until(self.in_full_flow, "the flood is in full flow", 60)
        stage.struck = stage.now
        stage.host.kill_engine()

    def made(self) -> int:
        return int((self.log.read_text().split() or ["0"])[-1])

    async def in_full_flow(self) -> bool:
        return self.made() >= MANY

    async def heal(self, stage: Stage) -> None:
        if self.program is not None:
            await self.program.end()

    async def check(self, stage: Stage) -> list[str]:
        return [] if self.made() > MANY else [f"the flood was {self.made()} connections only"]


@fault("log-blocked")
class LogBlocked(Fault):
    """Whoever reads the log has stopped: the pipe is full, and one write more waits for ever."""

    async def before(self, stage: Stage) -> None:
        pipe = stage.host.folder / "log.pipe"
        os.mkfifo(pipe)
        self.handle = os.open(pipe, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        stage.endings.callback(os.close, self.handle)
        stage.host.agent_prefix = ("sh", "-c", 'exec "$@" >"$0" 2>&1', str(pipe))

    async def strike(self, stage: Stage) -> None:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    os.write(self.handle, b"\n" * size)
            except BlockingIOError:
                continue
        await asyncio.sleep(1.0)  # an agent that speaks once a second has spoken
        stage.struck = stage.now
        stage.host.kill_engine()

    async def check(self, stage: Stage) -> list[str]:
        size = fcntl.fcntl(self.handle, fcntl.F_GETPIPE_SZ)
        said = os.read(self.handle, 2 * size).strip(b"\n")
        (stage.host.folder / "agent.log").write_bytes(said)
        return []


@fault("run-folder-deleted")
class RunFolderDeleted(Fault):
    async def strike(self, stage: Stage) -> None:
        self.before_it = [stage.host.pid("engine"), stage.host.pid("connector")]
        shutil.rmtree(stage.host.run, ignore_errors=True)

    async def check(self, stage: Stage) -> list[str]:
        """The next agent finds what runs, although all that was written of it is gone."""
        host = stage.host
        await host.kill_agent()
        await absent(host)
        await stage.serving(seconds=30)
        after = [host.pid("engine"), host.pid("connector")]
        found = (
            [] if after == self.before_it else [f"engine and connector were {self.before_it}, are {after}"]
        )
        return [*await unwritten(stage), *found, *map(str, await findings(host))]


def ready_pid(host: Host) -> int:
    return int(json.loads((host.run / "ready.json").read_text())["pid"])


@fault("ready-program-killed")
class ReadyProgramKilled(Fault):
    """The monitor may come just between two of them, and finds nobody for one look."""

    async def strike(self, stage: Stage) -> None:
        first = ready_pid(stage.host)
        kill(first)
        began = stage.now

        async def another() -> bool:
            return ready_pid(stage.host) != first

        await stage.until(another, "another ready program", 15)
        self.took = stage.now - began

    async def check(self, stage: Stage) -> list[str]:
        away = self.took > READY_WITHIN
        return [*await unwritten(stage), *([f"no ready URL for {self.took:.1f} s"] if away else [])]


@fault("gpu-probe-killed")
class GpuProbeKilled(Fault):
    """A driver of one GPU is there, so that the probe stays; what it last said grows old before the next."""

    async def before(self, stage: Stage) -> None:
        if shutil.which("cc") is None:
            raise CannotHereError("no C compiler: the driver's stand-in cannot be built")
        driver, library = Driver(stage.host.folder / "driver"), stage.host.folder / "lib"
        library.mkdir()
        ours = ("NVML_STATE", "LD_LIBRARY_PATH")
        known = driver.environment(build(library))
        stage.host.agent_environment = {name: known[name] for name in ours}

    def pid(self, stage: Stage) -> int:
        found = look(int((stage.host.run / "gpu.lock").read_text() or 0))
        return found.pid if found and found.state != "Z" else 0

    async def strike(self, stage: Stage) -> None:
        self.struck = self.pid(stage)
        assert self.struck, "no GPU probe runs"
        kill(self.struck)

    async def check(self, stage: Stage) -> list[str]:
        another = self.pid(stage) not in (0, self.struck)
        return [*await unwritten(stage), *([] if another else ["no other GPU probe was started"])]
