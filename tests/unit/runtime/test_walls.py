"""Display time of boot-clock seconds."""

from inferagent.runtime.walls import MOST, Walls

NOW, WALL = 100.0, "2026-11-22T12:00:40+01:00"


def test_an_earlier_second_is_so_much_earlier_on_the_wall() -> None:
    assert Walls().at(59.5, NOW, WALL) == "2026-11-22T11:59:59+01:00"


def test_a_second_keeps_its_first_text_while_the_clock_ticks_on() -> None:
    walls = Walls()
    first = walls.at(60.0, NOW, WALL)
    assert walls.at(60.0, NOW + 0.9, WALL) == first
    assert Walls().at(60.0, NOW + 0.9, WALL) != first


def test_what_is_no_time_has_none() -> None:
    assert Walls().at(60.0, NOW, "now") == ""
    assert Walls().at(-1e15, NOW, WALL) == ""


def test_old_texts_are_forgotten() -> None:
    walls = Walls()
    first = walls.at(0.0, NOW, WALL)
    for second in range(1, MOST + 1):
        walls.at(float(second), NOW, WALL)
    assert walls.at(0.0, NOW + 5, WALL) != first
