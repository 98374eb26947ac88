"""Saved states and holds as an agent may have written them, and what may become of their files."""

import json
from random import Random
from typing import Any

from tests.fuzz.mutate import latin, spoil_bytes, spoil_json
from tests.fuzz.runner import Case

from inferagent.adapters.files import with_sum
from inferagent.adapters.saved_state import encode
from inferagent.model.health import Cause, CauseKind, Component, Repair
from inferagent.model.phase import Phase
from inferagent.model.saved import Cleared, Drain, Fault, Saved, Write

NOW = 50_000.0
CODES = ("engine-hung", "engine-gone", "no-edge", "gpu-lost", "hold", "parked", "ü", "")


def at(random: Random) -> float:
    """A moment of this boot."""
    return random.choice((0.0, random.uniform(0.0, NOW), NOW - random.choice((0.0, 0.5, 5.0, 61.0, 3599.0))))


def maybe(random: Random, value: Any, chance: float = 0.5) -> Any:
    return value if random.random() < chance else None


def saved_state(random: Random, boot: str = "boot-1") -> Saved:
    phase = random.choice(tuple(Phase))
    inside = phase in (Phase.JOINING, Phase.SERVING)
    fault = Fault(boot, "GPU-0", random.choice(("lost", "reset-required")), "is lost", at(random))
    return Saved(
        boot=boot,
        adopted=random.random() < 0.9,
        phase=phase,
        since=at(random),
        cause=None if inside else maybe(random, cause(random)),
        drain=None if inside else maybe(random, drain(random), 0.9),
        incarnation=random.choice(("e1", "e1", "e0", "")),
        proof_floor=random.choice((0.0, at(random), float("-inf"))),
        restarts=moments(random, 4),
        residents=random.choice((None, (), ("Xorg", "ü"))),
        lent=random.random() < 0.2,
        joins=moments(random, 7),
        hold_off_level=random.choice((0, 0, 1, 2, 7, 60)),
        hold_off_until=random.choice((0.0, NOW + 30.0, NOW + 3600.0, at(random))),
        serving_since=maybe(random, at(random)),
        connector_restarts=random.choice((0, 0, 1, 5, 900)),
        connector_restart_at=at(random),
        faults=(fault,) if random.random() < 0.1 else (),
        cleared=(Cleared(boot, "GPU-1", at(random), 1, "0000:01:00", 80),) if random.random() < 0.1 else (),
        gpu_count=random.choice((0, 1, 8)),
        baseline=random.choice((None, True, False)),
        last_write=maybe(
            random, Write(inside, at(random), random.random() < 0.7, random.random() < 0.7), 0.8
        ),
        other_hand=random.random() < 0.1,
        resume_free=random.random() < 0.1,
        resumed_at=maybe(random, at(random), 0.2),
        unanswered_at=maybe(random, at(random), 0.1),
        stopped_engine=random.random() < 0.05,
    )


def cause(random: Random) -> Cause:
    kind, repair = random.choice(tuple(CauseKind)), random.choice(tuple(Repair))
    return Cause(kind, random.choice(CODES), "why", at(random), repair, random.choice(tuple(Component)), "")


def drain(random: Random) -> Drain:
    proven = maybe(random, at(random))
    deadline = random.choice((None, NOW + 60.0, at(random)))
    return Drain(at(random), deadline, proven, "the pool reads disabled" if proven else "")


def moments(random: Random, most: int) -> tuple[float, ...]:
    return tuple(sorted(at(random) for _ in range(random.randrange(most))))


def hold(random: Random) -> bytes:
    """As the hold's own file writes it."""
    fields = {
        "wall": "2026-11-22T12:00:00+00:00",
        "reason": random.choice(("", "playing", 'ü \\ "')),
        "stop_engine": random.random() < 0.2,
        "last": random.random() < 0.2,
        "deadline": random.choice((None, 60.0, 86400.0, 0.5)),
        "durable": True,
        "until": random.choice((None, {"boot": "boot-1", "at": 7300.5, "wall": "", "longest": 7200.0})),
        "lend": random.random() < 0.2,
    }
    return with_sum(json.dumps({"schema": 1, "hold": fields}, indent=1).encode())


def faults(random: Random) -> bytes:
    """The second copy of the faults, as the runtime folder keeps it."""
    codes = random.sample(("lost", "reset-required", "vanished"), k=random.randrange(3))
    found = [{"boot": "boot-1", "gpu": "GPU-0", "code": code, "text": "is lost", "at": 7.0} for code in codes]
    said: dict[str, Any] = {"faults": found}
    if random.random() < 0.5:
        said["cleared"] = [{"boot": "boot-1", "gpu": "GPU-2", "at": 3.0, "sequence": 80}]
    return with_sum(json.dumps(said, indent=1).encode())


def make(random: Random) -> Case:
    """The newest state, the generation before, one that was disowned, and the hold: any of them spoilt."""
    boot = random.choice(("boot-1", "boot-1", "boot-1", "boot-2"))
    newest, older = saved_state(random), saved_state(random)
    state = encode(newest)
    case: Case = {"kind": random.choice(("bytes", "bytes", "fields")), "boot": boot, "state": latin(state)}
    files: dict[str, bytes] = {"state.json": state, "state.previous.json": encode(older)}
    if random.random() < 0.1:
        files["state.old.json"] = encode(saved_state(random))
    if random.random() < 0.5:
        files["hold.json"] = hold(random)
    if random.random() < 0.2:
        files["faults.json"] = faults(random)
    case["whole"] = {name: latin(content) for name, content in files.items()}
    if case["kind"] == "fields":
        files["state.json"] = _other_fields(random, state)
        for name in ("hold.json", "faults.json"):
            if name in files:
                files[name] = _other_fields(random, files[name])
    else:
        for name in list(files):
            dice = random.random()
            if dice < 0.5:
                files[name] = _spoilt(random, files[name])
            elif dice < 0.55 and name != "hold.json":
                del files[name]
    case["files"] = {name: latin(content) for name, content in files.items()}
    return case


def _spoilt(random: Random, content: bytes) -> bytes:
    """As a disk, a power cut or an editor leaves it."""
    dice = random.random()
    if dice < 0.3:
        return content[: random.randrange(len(content))]
    if dice < 0.4:
        return random.choice((b"", b"\0" * len(content), content + content, b"\n" + content, content + b"\n"))
    if dice < 0.7:
        return spoil_bytes(random, content)
    return json.dumps(spoil_json(random, json.loads(content)), indent=1).encode("utf-8", "surrogatepass")


def _other_fields(random: Random, content: bytes) -> bytes:
    """Fields that another version or a bug of the agent may have written, whole and with a right sum."""
    fields = {key: value for key, value in json.loads(content).items() if key != "sum"}
    spoilt = spoil_json(random, fields) if random.random() < 0.9 else fields
    if not isinstance(spoilt, dict) or not spoilt:
        return with_sum(b"{}")
    return with_sum(json.dumps(spoilt, indent=1).encode("utf-8", "surrogatepass"))
