"""The configuration through the entry of `inferagent config check`, against the reference.

Wrong is: accepted against a reason, refused without one, a value that changes on its way into the terms, an
error without place or cure or at a line that has nothing to do with it, a secret in its text.
"""

import dataclasses
import shutil
import tempfile
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz import config_make
from tests.fuzz.config_reference import Opinion, opinion, unusable
from tests.fuzz.config_words import TABLES
from tests.fuzz.mutate import raw
from tests.fuzz.runner import Case, Judged

from inferagent.config.errors import ConfigError, Problem
from inferagent.config.load import Loaded, load
from inferagent.config.settings import Settings
from inferagent.config.terms import terms_of
from inferagent.model.desired import Terms

# Where a number of the terms is written.
TERMS = {
    **{
        name: f"drain.{name}"
        for name in ("settle", "quiet", "deadline", "deadline_alone", "deadline_operator")
    },
    **{name: f"probe.{name}" for name in ("fresh", "falls", "hang_frozen", "hang_frozen_traffic")},
    **{name: f"probe.{name}" for name in ("suspect_frozen", "generation_deadline")},
    **{name: f"limits.{name}" for name in ("no_edge", "stuck_load", "warming_without_progress", "hold_off")},
    **{name: f"limits.{name}" for name in ("restarts_per_hour", "joins_per_hour", "hold_off_reset")},
    **{name: f"limits.{name}" for name in ("reconnect_first", "reconnect_last")},
    "monitor_bound": "membership.monitor_bound",
    "alone": "membership.alone",
    "membership": "membership.kind",
    "engine": "engine[0].kind",
    "tunnel_id": "connector.tunnel",
    "pace_look": "probe.look",
    "pace_membership": "probe.membership",
    "stop_when_parked": "idle.stop_engine",
}


class Configuration:
    name = "configuration"

    def __init__(self) -> None:
        memory = Path("/dev/shm")
        self._root = Path(
            tempfile.mkdtemp(prefix="inferagent-fuzz-", dir=memory if memory.is_dir() else None)
        )
        self._folder = self._root / "c"

    def close(self) -> None:
        shutil.rmtree(self._root, ignore_errors=True)

    def make(self, random: Random) -> Case:
        return config_make.make(random)

    def judge(self, case: Case) -> Judged:
        files = {name: raw(text) for name, text in case["files"].items()}
        self._write(files)
        wanted = opinion(files)
        try:
            loaded = load(self._folder)
        except ConfigError as error:
            return Judged("refused", (*_refused(wanted), *self._said(error, files, case["secrets"])))
        if loaded.settings is None:
            right = not wanted.configured
            return Judged("unknown", () if right else ("a configured host is called unconfigured",))
        return Judged("accepted", tuple(_accepted(wanted, loaded)))

    def _write(self, files: dict[str, bytes]) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        (self._folder / "conf.d").mkdir(parents=True)
        for name, content in files.items():
            (self._folder / name).write_bytes(content)

    def _said(self, error: ConfigError, files: dict[str, bytes], secrets: list[str]) -> list[str]:
        wrong = [f"the error tells the secret {secret}" for secret in secrets if secret in str(error)]
        wrong += [] if error.problems else ["an error without a problem"]
        for problem in error.problems:
            wrong += self._problem(problem, files)
        return wrong

    def _problem(self, problem: Problem, files: dict[str, bytes]) -> list[str]:
        """It names a file of the folder, a line that is about the key, what is wrong, and a cure."""
        wrong = [] if problem.what and problem.cure else [f"no fault or no cure: {problem}"]
        place = Path(problem.place.file)
        name = str(place.relative_to(self._folder)) if place.is_relative_to(self._folder) else ""
        if name not in files and name != "config.toml":
            return [*wrong, f"no file of the folder: {problem.place}"]
        lines = files.get(name, b"").decode("utf-8", "replace").split("\n")
        if problem.place.line > len(lines):
            return [*wrong, f"no such line: {problem.place}"]
        unreadable = problem.what.startswith("cannot be read")
        if unreadable or (problem.key and _about(problem, lines)):
            return wrong
        return [*wrong, f"not about {problem.key!r}: line {problem.place.line}"]


def _about(problem: Problem, lines: list[str]) -> bool:
    """The line has one of the key's names on it; the first line stands for what is nowhere in the file."""
    if problem.key.endswith("]"):
        return True  # an element stands below the name of its list
    names = [part for part in problem.key.replace("[", ".").replace('"', ".").split(".") if part]
    line = lines[problem.place.line - 1]
    return problem.place.line == 1 or "\\" in line or '""' in line or any(name in line for name in names)


def _refused(wanted: Opinion) -> list[str]:
    if not wanted.configured:
        return ["a host without configuration is refused"]
    return [] if wanted.reasons or wanted.unsure else ["what is right is refused"]


def _accepted(wanted: Opinion, loaded: Loaded) -> list[str]:
    settings = loaded.settings
    assert settings is not None
    if wanted.reasons:
        return [f"accepted although {'; '.join(wanted.reasons)}"]
    terms = terms_of(settings)
    told = _values(settings)
    wrong = [
        f"{key} became {told[key]!r}, written is {value!r}"
        for key, value in wanted.values.items()
        if key not in wanted.unsure and not _same(told[key], value) and key != "host.name"
    ]
    wrong += [f"{key} in the terms" for key, at in TERMS.items() if getattr(terms, key) != told[at]]
    return [*wrong, *_engine(terms, told), *unusable(told), *_shown(loaded)]


def _values(settings: Settings) -> dict[str, Any]:
    found: dict[str, Any] = {"mode": settings.mode.value}
    for name in TABLES:
        found |= {f"{name}.{key}": value for key, value in getattr(settings, name)}
    for index, check in enumerate(settings.check):
        found |= {f"check[{index}].{key}": value for key, value in check}
    return found | {f"engine[0].{key}": value for key, value in settings.only_engine}


def _same(told: Any, written: Any) -> bool:
    if isinstance(written, float) and isinstance(told, float):
        return abs(told - written) <= 1e-9 * max(1.0, abs(written))
    if isinstance(told, Path):
        return told == Path(written)
    return bool(told == written or (written == {} and told == ()))


def _engine(terms: Terms, told: dict[str, Any]) -> list[str]:
    serves = told["engine[0].serves"]
    names = dict(zip(terms.names, terms.engine_names, strict=True))
    services = [rule.service for rule in terms.ingress]
    ready = f"http://127.0.0.1:{told['ready.port']}"
    numbers = [value for value in dataclasses.astuple(terms) if isinstance(value, float)]
    wrong = [] if names == dict(serves) else ["the names in the terms"]
    wrong += [] if services == [ready, told["engine[0].url"]] else ["the ingress in the terms"]
    return wrong if all(0 < value < 1e9 for value in numbers) else [*wrong, "a number of the terms is none"]


def _shown(loaded: Loaded) -> list[str]:
    """`config show`: every line names a key, a value and an origin."""
    return [f"cannot show {one}" for one in loaded.effective if not (one.key and one.value and one.origin)]
