"""Take up a changed configuration while the agent runs: what can be applied is, the rest is named.

Asked for by SIGHUP or by the operator. A configuration with an error changes nothing: the old one goes on.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import structlog
from pydantic import BaseModel

from inferagent.config.contradictions import contradictions
from inferagent.config.errors import ConfigError, dotted
from inferagent.config.load import Loaded, load
from inferagent.config.settings import Settings
from inferagent.config.terms import terms_of
from inferagent.runtime.desk import Answer
from inferagent.runtime.loop import Loop
from inferagent.runtime.probes import Probe

log = structlog.get_logger()

PATIENCE = 4.0  # seconds for reading the files: the asker waits for five
RESTART = "sudo systemctl restart inferagent"
# Tables that are taken up at once, but for the keys below; what all the others say is made at the start.
LIVE = ("drain", "idle", "limits", "probe", "notify", "check")
MADE_AT_START = ("probe.membership",)  # the budget of API calls is cut by it


@dataclass
class Reloader:
    """`settings` are those in use. `apply`: who takes up new ones. `tell` hears True at the begin, False at
    the end."""

    folder: Path
    settings: Settings
    apply: list[Callable[[Settings], None]]
    tell: Callable[[bool], None] = lambda _begins: None
    read: Callable[[Path], Loaded] = load
    patience: float = PATIENCE
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def watch(self, hangup: asyncio.Event) -> None:
        """Until cancelled: once for each SIGHUP."""
        while True:
            await hangup.wait()
            hangup.clear()
            await self.reload()

    async def reload(self) -> Answer:
        async with self._one:
            self.tell(True)
            try:
                answer = await self._reload()
            finally:
                self.tell(False)
        (log.info if answer.ok else log.error)(answer.message, cure=answer.cure)
        return answer

    async def _reload(self) -> Answer:
        try:
            async with asyncio.timeout(self.patience):
                loaded = await asyncio.to_thread(self.read, self.folder)
        except TimeoutError:
            return _refused(f"{self.folder} cannot be read within {self.patience:g} s")
        except ConfigError as error:
            return _refused(f"{error}")
        if loaded.settings is None:
            return _refused(f"there is no configuration in {self.folder} any more")
        return self._take(loaded.settings)

    def _take(self, new: Settings) -> Answer:
        changes = list(differing(self.settings, new))
        later = [key for key in changes if not is_live(key)]
        now = [key for key in changes if is_live(key)]
        merged = _merged(self.settings, new)
        clash = next(contradictions(merged), None)
        if clash is not None:  # right as a whole, but not without what needs the restart
            return Answer(False, f"cannot reload: without a restart, {clash.what}", RESTART)
        for take in self.apply if now else ():
            take(merged)
        self.settings = merged
        parts = [f"applied: {', '.join(now)}"] if now else []
        parts += [f"needs a restart: {', '.join(later)}"] if later else []
        return Answer(True, "; ".join(parts) or "nothing has changed", RESTART if later else "")


def _refused(why: str) -> Answer:
    return Answer(False, f"cannot reload, the old configuration goes on: {why}", "inferagent config check")


def is_live(key: str) -> bool:
    table = key.partition(".")[0].partition("[")[0]
    return table in LIVE and key not in MADE_AT_START


def differing(old: Settings, new: Settings) -> Iterator[str]:
    """The dotted names of the keys that differ; of lists of tables, each element by its number."""
    yield from _differing(old.model_dump(), new.model_dump(), ())


def _differing(old: Any, new: Any, at: tuple[str | int, ...]) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in new:
            yield from _differing(old.get(key), new[key], (*at, key))
    elif _tables(old) and _tables(new) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _differing(before, after, (*at, index))
    elif old != new:
        yield dotted(at)


def _tables(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and isinstance(value[0], Mapping)


def _merged(old: Settings, new: Settings) -> Settings:
    """The new one's live keys among the old one's others."""
    update: dict[str, object] = {name: getattr(new, name) for name in LIVE}
    for key in MADE_AT_START:
        table, name = key.split(".")
        kept: BaseModel = getattr(new, table)
        update[table] = kept.model_copy(update={name: getattr(getattr(old, table), name)})
    return old.model_copy(update=update)


def apply_live(settings: Settings, loop: Loop, probes: Mapping[str, Probe[Any]]) -> None:
    """To the policy's numbers and the paces of looking."""
    terms = loop.desired.terms
    fresh = terms_of(settings, machine=terms.machine, made_by_setup=terms.made_by_setup)
    loop.desired = replace(loop.desired, terms=fresh)
    probes["the host"].set_pace(settings.probe.host)
    probes["the GPUs"].set_pace(settings.probe.gpus)
    probes["a generation"].deadline = generation_bound(settings)
    loop.wake()


def generation_bound(settings: Settings) -> float:
    """Seconds after which a question that has not even failed is given up."""
    return 3 * settings.probe.generation_deadline + 5.0
