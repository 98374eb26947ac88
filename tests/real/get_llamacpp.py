"""llama.cpp's server, inside Python, from PyPI: a virtual environment with xllamacpp."""

from tests.real import get_python
from tests.real.get import Making, make

WHEEL = "xllamacpp"
ROOM, SECONDS = 1.0, 900.0


def get(making: Making) -> None:
    make(making, steps, ROOM)


def steps(making: Making) -> None:
    folder = making.part / "venv"
    making.step("virtual environment", lambda: get_python.create(making, folder))
    making.step(WHEEL, lambda: get_python.pip(making, folder, ["install", WHEEL], SECONDS))
    making.step("scripts", lambda: get_python.move(folder, folder, making.done / "venv"))
