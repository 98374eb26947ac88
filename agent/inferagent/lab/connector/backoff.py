"""How long to wait before the next try: a random share of a bound that starts at 2 s and doubles."""

import random


class Backoff:
    """`retries`: how often the bound doubles (5: up to 32 s), as in the real program."""

    def __init__(self, retries: int, chance: random.Random) -> None:
        self._retries, self._chance = retries, chance
        self._tries = 0

    @property
    def bound(self) -> float:
        """The longest that the next wait can be, in seconds."""
        return float(2 ** min(self._tries + 1, max(1, self._retries)))

    def next(self) -> float:
        bound = self.bound
        self._tries += 1
        return self._chance.uniform(0, bound)

    def reset(self) -> None:
        self._tries = 0
