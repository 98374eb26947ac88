"""A tiny Llama with random weights, for any real engine: a few hundred kilobytes, made on the spot.

It never ends an answer by itself and says plain words only, so that tests can count its tokens. How:
channel 0 of every hidden state is a constant that no layer writes to, and in the output layer that
channel is a penalty for each token that must not come.
"""

import random
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

HIDDEN, LAYERS, HEADS, INNER, CONTEXT = 64, 2, 2, 128, 8192
CONSTANT, PENALTY, PULL = 4.0, -100.0, 0.25
EPSILON = 1e-6
WORDS = ("a", "boat", "drifts", "past", "three", "old", "lamps", "and", "nobody", "counts", "them", "today")
TEMPLATE = "{% for m in messages %}{{ m['role'] }}> {{ m['content'] }}\n{% endfor %}assistant>"


@dataclass(slots=True)
class Matrix:
    """Rows by columns of 32-bit floats; one row is a vector."""

    rows: int
    columns: int
    values: "array[float]" = field(default_factory=lambda: array("f"))

    @classmethod
    def drawn(cls, chance: random.Random, rows: int, columns: int, spread: float) -> "Matrix":
        return cls(rows, columns, array("f", (chance.gauss(0.0, spread) for _ in range(rows * columns))))

    def row(self, index: int) -> "array[float]":
        return self.values[index * self.columns : (index + 1) * self.columns]

    def put(self, index: int, row: Sequence[float]) -> None:
        self.values[index * self.columns : (index + 1) * self.columns] = array("f", row)

    def column(self, index: int, value: float) -> None:
        for row in range(self.rows):
            self.values[row * self.columns + index] = value


@dataclass(frozen=True, slots=True)
class Layer:
    query: Matrix
    key: Matrix
    value: Matrix
    output: Matrix
    gate: Matrix
    up: Matrix
    down: Matrix


@dataclass(frozen=True, slots=True)
class Weights:
    embedding: Matrix
    head: Matrix
    layers: tuple[Layer, ...]


def ones() -> Matrix:
    return Matrix(1, HIDDEN, array("f", [1.0] * HIDDEN))


def weights(vocabulary: int, allowed: Sequence[int], seed: int = 6) -> Weights:
    """For so many tokens, of which only the `allowed` are ever said, one after the other in a circle."""
    chance = random.Random(seed)
    embedding = Matrix.drawn(chance, vocabulary, HIDDEN, 1.0)
    embedding.column(0, CONSTANT)
    head = Matrix(vocabulary, HIDDEN, array("f", [0.0] * (vocabulary * HIDDEN)))
    head.column(0, PENALTY)
    for place, token in enumerate(allowed):
        before = embedding.row(allowed[place - 1])
        head.put(token, [0.0, *(PULL * value for value in before[1:])])
    return Weights(embedding, head, tuple(layer(chance) for _ in range(LAYERS)))


def layer(chance: random.Random) -> Layer:
    def drawn(rows: int, columns: int) -> Matrix:
        return Matrix.drawn(chance, rows, columns, 0.05)

    def silent(rows: int, columns: int) -> Matrix:
        """Writes nothing into channel 0."""
        made = drawn(rows, columns)
        made.put(0, [0.0] * columns)
        return made

    return Layer(
        query=drawn(HIDDEN, HIDDEN),
        key=drawn(HIDDEN, HIDDEN),
        value=drawn(HIDDEN, HIDDEN),
        output=silent(HIDDEN, HIDDEN),
        gate=drawn(INNER, HIDDEN),
        up=drawn(INNER, HIDDEN),
        down=silent(HIDDEN, INNER),
    )
