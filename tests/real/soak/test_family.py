"""The vigil over a life of the engine: who died when, who outlived it, what it left in memory."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.real.soak.family import Ending, Life, Vigil, left_in_memory, life_of

from inferagent.adapters.pids import Identity, identify

SLEEPS = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
FAMILY = [
    sys.executable,
    "-c",
    f"import subprocess, time; subprocess.Popen({SLEEPS!r}); time.sleep(60)",
]


@contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """In a session of its own, until its first line."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "up\n"
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def record(run: Path, process: "subprocess.Popen[str] | None") -> None:
    who = identify(process.pid) if process else None
    main = {"leader": {"pid": who.pid, "start": who.start}, "mark": ""} if who else None
    (run / "units").mkdir(exist_ok=True)
    beside = run / "units" / "engine.part"
    beside.write_text(json.dumps({"main": main}))
    beside.replace(run / "units" / "engine.json")


def until_seen(vigil: Vigil) -> None:
    end = time.monotonic() + 10
    while vigil.successor is None:
        assert time.monotonic() < end, "the next life was not seen"
        time.sleep(0.01)


def until_dead(vigil: Vigil, count: int) -> None:
    end = time.monotonic() + 10
    while len(vigil.died) < count:
        assert time.monotonic() < end, f"{len(vigil.died)} of {count} deaths were seen"
        time.sleep(0.01)


def watched(run: Path, main: int) -> Vigil:
    life = life_of(main, run)
    assert life is not None
    vigil = Vigil(life, run)
    vigil.start()
    return vigil


def test_a_life_is_the_main_process_and_its_children(tmp_path: Path) -> None:
    with running(FAMILY) as engine:
        life = life_of(engine.pid, tmp_path)
        assert life is not None
        assert len(life.processes) == 2
        assert life.held > 1.0
    assert life_of(0, tmp_path) is None


def test_who_is_dead_before_the_next_start_has_not_outlived_it(tmp_path: Path) -> None:
    with running(FAMILY) as engine:
        record(tmp_path, engine)
        vigil = watched(tmp_path, engine.pid)
        os.killpg(engine.pid, signal.SIGKILL)
        engine.wait()
        until_dead(vigil, 2)
        record(tmp_path, None)
        with running(SLEEPS) as following:
            record(tmp_path, following)
            until_seen(vigil)
            ending = vigil.end()
    assert ending.outlived == ()
    assert ending.gap is not None
    assert ending.gap >= -0.05


def test_an_orphan_is_found_by_name(tmp_path: Path) -> None:
    with running(FAMILY) as engine:
        record(tmp_path, engine)
        vigil = watched(tmp_path, engine.pid)
        engine.kill()
        engine.wait()
        with running(SLEEPS) as following:
            record(tmp_path, following)
            until_seen(vigil)
            ending = vigil.end()
    assert len(ending.outlived) == 1
    assert "lives" in ending.outlived[0]
    assert ending.gap is None


def test_a_death_after_the_next_start_is_late() -> None:
    old, child = Identity(1, 1), Identity(2, 1)
    vigil = Vigil(Life(old, "", {old: "engine", child: "worker"}), Path("/nowhere"))
    vigil.start()
    vigil.join(0.1)
    vigil.died = {old: 100.0, child: 103.5}
    vigil.successor = Identity(3, int(103.0 * os.sysconf("SC_CLK_TCK")))
    ending = vigil.end()
    assert ending.outlived == ("worker (2) died 0.50 s after",)


def test_without_a_next_life_there_is_no_gap(tmp_path: Path) -> None:
    with running(SLEEPS) as engine:
        record(tmp_path, engine)
        ending = watched(tmp_path, engine.pid).end()
    assert (ending.began, ending.gap, ending.outlived) == (None, None, ())


def test_files_in_memory_that_nobody_holds_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "psm"
    file.write_bytes(b"x" * (1 << 20))
    assert left_in_memory([str(file), str(tmp_path / "gone")]) == 1.0
    assert Ending(held=1.0, processes=2).left == 0.0
