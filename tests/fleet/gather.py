"""Tells many random stories, keeps the smallest that breaks a law, and tells them again with a rule off."""

import time
import zlib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random

from hypothesis import find, settings
from hypothesis.errors import NoSuchExample
from tests.fleet.controls import tell_without
from tests.fleet.laws import all_laws
from tests.fleet.story import Judged, Story, Tally, draw, simpler, tell

KEPT = Path(__file__).with_name("kept")
SHARE = 0.05
SHRINKS = 300


@dataclass
class Told:
    """The stories with what each met; `cpu` in seconds."""

    tally: Tally = field(default_factory=Tally)
    stories: list[tuple[Story, set[str]]] = field(default_factory=list)
    cpu: float = 0.0

    def met(self, law: str) -> list[Story]:
        return [story for story, met in self.stories if law in met]

    def line(self) -> str:
        number, seconds = self.tally.stories, self.tally.seconds
        rate = number / self.cpu if self.cpu else 0.0
        return (
            f"{number} stories, {rate:.1f} a second of a core, {seconds / max(1, number):.0f} virtual s each"
        )


def gather(number: int, seeded: int) -> Told:
    """Raises AssertionError with the smallest story that breaks a law; the story is then in `kept/`."""
    told, random = Told(), Random(seeded)
    begun = time.process_time()
    for _ in range(number):
        story = draw(random)
        judged = tell(story)
        if judged.broken:
            raise AssertionError(_smallest(story, judged))
        told.tally.add(story, judged)
        told.stories.append((story, judged.met))
    told.cpu = time.process_time() - begun
    return told


@cache
def _told(number: int, seeded: int) -> Told | str:
    """Told once for all tests of a file, a failure too: shrinking it takes minutes."""
    try:
        return gather(number, seeded)
    except AssertionError as broken:
        return str(broken)


def told(number: int, seeded: int) -> Told:
    found = _told(number, seeded)
    assert isinstance(found, Told), found
    return found


def _smallest(story: Story, judged: Judged) -> str:
    """What the smallest story says that breaks the same law, which is then kept."""
    law = judged.broken[0].split(" at ")[0]
    asked = settings(max_examples=SHRINKS, deadline=None, database=None, derandomize=True)
    try:
        smallest = find(
            simpler(story), lambda one: any(b.startswith(law) for b in tell(one).broken), settings=asked
        )
    except NoSuchExample:
        smallest = story
    said = tell(smallest)
    return "\n".join([f"kept as {keep(smallest)}", *said.broken, said.told])


def keep(story: Story) -> Path:
    """A story that failed once is told in every run from then on."""
    KEPT.mkdir(exist_ok=True)
    path = KEPT / f"story_{zlib.crc32(story.text().encode()):08x}.json"
    path.write_text(story.text() + "\n")
    return path


def laws() -> list[str]:
    return sorted({law.name for law in all_laws() if not law.rare} - {"truth"})


def seldom(told: Told) -> dict[str, float]:
    """The laws that fewer stories met than they should."""
    shares = {law: told.tally.met[law] / told.tally.stories for law in laws()}
    return {law: share for law, share in shares.items() if share < SHARE}


def red(name: str, told: Told, most: int = 400) -> str:
    """How the law breaks in one of its own stories, once the rule is off; "" where none does."""
    for story in told.met(name)[:most]:
        broken = [text for text in tell_without(name, story).broken if text.startswith(f"{name} at")]
        if broken:
            return broken[0]
    return ""
