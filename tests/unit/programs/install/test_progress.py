"""Lines at a slow pace, or a bar on a terminal."""

from inferagent.programs.install.progress import PACE, Progress


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_plain_lines_come_at_most_every_ten_seconds():
    said: list[str] = []
    clock = Clock()
    progress = Progress(said.append, None, clock)
    progress.step("fetching x")
    for _ in range(300):
        clock.now += 0.125
        progress.bytes(int((clock.now - 100) * 1e6), 40_000_000)
        progress.tick("words")
    assert said[0] == "fetching x"
    assert len(said) == 1 + 37.5 // PACE
    assert said[1] == "  10.0 MB of 40.0 MB (25 %)"


def test_a_bar_on_a_terminal_and_its_end():
    said: list[str] = []
    drawn: list[str] = []
    clock = Clock()
    progress = Progress(said.append, drawn.append, clock)
    progress.step("fetching x")
    clock.now += 1
    progress.bytes(500_000, 1_000_000)
    progress.bytes(600_000, 1_000_000)
    progress.bytes(1_000_000, 1_000_000)
    clock.now += 1
    progress.bytes(2_000_000, None)
    clock.now += 1
    progress.tick("last words")
    progress.end()
    assert said == ["fetching x"]
    assert drawn[1] == f"[{'#' * 12}{'.' * 12}] 500 kB of 1.0 MB (50 %), 500 kB/s"
    assert drawn[2].startswith(f"[{'#' * 24}]"), "the end is always drawn"
    assert drawn[3:] == ["2.0 MB, 1.0 MB/s", "3 s last words", ""]
