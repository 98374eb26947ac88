"""The rules of the house that no linter knows. Each rule is tried on a bad example first."""

import ast
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "agent" / "inferagent"
TESTS = ROOT / "tests"

FILE_LINES, FUNCTION_LINES, DOCSTRING_LINES, UNTESTED_LINES = 300, 60, 6, 30
BROAD_EXCEPTS = 3  # the probe, tick and job boundaries
LARGEST = 500_000  # bytes of a tracked file
TASK_MAKERS = {"runtime/jobs.py", "runtime/probes.py"}

FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
Found = Iterator[tuple[int, str]]
Rule = Callable[[str, str], Found]


def walk(text: str) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(text))


def named(node: ast.AST | None) -> str:
    """a.b.c of a name or an attribute."""
    if isinstance(node, ast.Attribute):
        return f"{named(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        return f"{named(node.func)}()"
    return node.id if isinstance(node, ast.Name) else ""


def is_broad(node: ast.AST) -> bool:
    if not isinstance(node, ast.ExceptHandler):
        return False
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(kind is None or named(kind) in {"Exception", "BaseException"} for kind in kinds)


def broad_except_outside_runtime(where: str, text: str) -> Found:
    for node in walk(text):
        if is_broad(node) and not where.startswith("runtime/"):
            yield node.lineno, "a broad except outside runtime/"


def task_by_hand(where: str, text: str) -> Found:
    for node in walk(text):
        name = named(node.func) if isinstance(node, ast.Call) else ""
        owner, _, last = name.rpartition(".")
        loose = last == "create_task" and ("loop" in owner or owner == "asyncio")
        if (loose or last == "ensure_future") and where not in TASK_MAKERS:
            yield node.lineno, f"{name} outside {' and '.join(sorted(TASK_MAKERS))}: use a TaskGroup"


def long_file(_where: str, text: str) -> Found:
    lines = text.count("\n")
    if lines > FILE_LINES:
        yield lines, f"{lines} lines, at most {FILE_LINES}"


def long_function(_where: str, text: str) -> Found:
    for node in walk(text):
        if isinstance(node, FUNCTION):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield node.lineno, f"{node.name} has {lines} lines, at most {FUNCTION_LINES}"


def bad_docstring(_where: str, text: str) -> Found:
    docstring = ast.get_docstring(ast.parse(text))
    if text.strip() and not docstring:
        yield 1, "no module docstring"
    elif docstring and docstring.count("\n") + 1 > DOCSTRING_LINES:
        yield 1, f"a module docstring of more than {DOCSTRING_LINES} lines"


def mocked(_where: str, text: str) -> Found:
    for node in walk(text):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        if any("mock" in name.split(".") for name in [*names, *module.split(".")]):
            yield node.lineno, "a mock: write a small real fake"
        if isinstance(node, ast.Attribute) and named(node) in {"monkeypatch.setattr", "monkeypatch.setitem"}:
            yield node.lineno, "a patch: give the code what it needs"
        if isinstance(node, ast.arg) and node.arg == "mocker":
            yield node.lineno, "a mock: write a small real fake"


def sleep_as_synchronisation(_where: str, text: str) -> Found:
    """Only in the tests' own bodies: a fake may be slow on purpose. A comment on the line may say why."""
    lines = text.splitlines()
    for test in walk(text):
        if isinstance(test, FUNCTION) and test.name.startswith("test_"):
            for node in straight(test.body):
                if is_sleep(node) and "#" not in lines[node.lineno - 1]:
                    yield node.lineno, "a sleep: poll a condition with a deadline, or say why there is none"


def is_sleep(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or named(node.func) not in {"time.sleep", "asyncio.sleep"}:
        return False
    return not (node.args and isinstance(node.args[0], ast.Constant) and not node.args[0].value)


def straight(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Everything below that runs once: no loops, no inner functions."""
    for node in nodes:
        if not isinstance(node, (*FUNCTION, ast.While, ast.For, ast.AsyncFor)):
            yield node
            yield from straight(ast.iter_child_nodes(node))


def assertion_free(_where: str, text: str) -> Found:
    """A helper that asserts is named assert_…, check_…, expect_… or until…."""
    for node in walk(text):
        test = isinstance(node, FUNCTION) and node.name.startswith("test_")
        if test and not any(asserts(inner) for inner in ast.walk(node)):
            yield node.lineno, f"{node.name} asserts nothing"


def asserts(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return True
    last = named(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
    return last in {"raises", "fail", "warns"} or last.lstrip("_").startswith(
        ("assert", "check", "expect", "until")
    )


SOURCE_RULES: dict[Rule, str] = {
    broad_except_outside_runtime: "try:\n    x()\nexcept (ValueError, Exception):\n    pass\n",
    task_by_hand: "import asyncio\nasyncio.get_running_loop().create_task(x())\n",
    long_file: "x = 1\n" * 301,
    long_function: "def f():\n" + "    x = 1\n" * 60,
    bad_docstring: "x = 1\n",
}
TEST_RULES: dict[Rule, str] = {
    mocked: "from unittest import mock\n",
    sleep_as_synchronisation: "def test_x():\n    time.sleep(1)\n",
    assertion_free: "def test_x():\n    x()\n",
}
MORE_BAD: list[tuple[Rule, str]] = [
    (broad_except_outside_runtime, "try:\n    x()\nexcept:\n    pass\n"),
    (task_by_hand, "import asyncio\nasyncio.create_task(x())\n"),
    (task_by_hand, "asyncio.ensure_future(x())\n"),
    (bad_docstring, '"""' + "a\n" * 7 + '"""\n'),
    (mocked, "import unittest.mock\n"),
    (mocked, "def test_x(monkeypatch):\n    monkeypatch.setattr(a, 'b', c)\n"),
    (mocked, "def test_x(mocker):\n    pass\n"),
    (sleep_as_synchronisation, "async def test_x():\n    with y():\n        await asyncio.sleep(0.1)\n"),
]
GOOD: list[tuple[Rule, str]] = [
    (broad_except_outside_runtime, "try:\n    x()\nexcept ValueError:\n    pass\n"),
    (task_by_hand, "group.create_task(x())\n"),
    (sleep_as_synchronisation, "def test_x():\n    while x():\n        time.sleep(0.1)\n"),
    (sleep_as_synchronisation, "async def test_x():\n    await asyncio.sleep(0)\n"),
    (
        sleep_as_synchronisation,
        "async def test_x():\n    async def slow():\n        await asyncio.sleep(1)\n",
    ),
    (assertion_free, "def test_x():\n    with pytest.raises(E):\n        x()\n"),
    (bad_docstring, ""),
]


@pytest.mark.parametrize(("rule", "bad"), [*SOURCE_RULES.items(), *TEST_RULES.items(), *MORE_BAD])
def test_the_rule_finds_a_bad_example(rule, bad):
    assert list(rule("config/x.py", bad))


@pytest.mark.parametrize(("rule", "good"), GOOD)
def test_the_rule_lets_a_good_example_be(rule, good):
    assert list(rule("config/x.py", good)) == []


def python_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def breaches(rule: Rule, folder: Path) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{line}: {what}"
        for path in python_files(folder)
        for line, what in rule(str(path.relative_to(folder)), path.read_text("utf-8"))
    ]


@pytest.mark.parametrize("rule", SOURCE_RULES)
def test_the_source_keeps_the_rule(rule):
    found = breaches(rule, SOURCE)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("rule", TEST_RULES)
def test_the_tests_keep_the_rule(rule):
    found = breaches(rule, TESTS)
    assert not found, "\n".join(found)


def test_broad_excepts_are_few():
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in python_files(SOURCE)
        for node in walk(path.read_text("utf-8"))
        if is_broad(node)
    ]
    assert len(found) <= BROAD_EXCEPTS, "\n".join(found)


def test_every_source_file_has_its_test_file():
    """agent/inferagent/X/Y.py ↔ tests/unit/X/test_Y.py, or tests/KIND/test_Y.py of another kind.

    A file without a function has nothing to test.
    """
    kinds = [folder for folder in TESTS.iterdir() if folder.is_dir() and folder.name not in {"unit", "house"}]
    elsewhere = {path.name for folder in kinds for path in folder.rglob("test_*.py")}
    lonely = []
    for path in python_files(SOURCE):
        inside = path.relative_to(SOURCE)
        name = f"test_{path.stem}.py"
        beside = TESTS / "unit" / inside.parent / name
        text = path.read_text("utf-8")
        long = text.count("\n") > UNTESTED_LINES and "def " in text
        if long and path.stem != "__init__" and not beside.exists() and name not in elsewhere:
            lonely.append(f"{path.relative_to(ROOT)}:1: no {beside.relative_to(ROOT)}")
    assert not lonely, "\n".join(lonely)


def test_the_tests_are_no_packages():
    assert list(TESTS.rglob("__init__.py")) == []


def shared_files() -> list[Path]:
    """What git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


# Spelt so that the patterns do not find themselves.
REGISTRIES = (r"py[p]i\.org", r"python[h]osted", r"np[m]js\.(?:org|com)", r"proxy\.[g]olang", r"crates\.[i]o")
PLACES = ("/[w]ork/", "/[r]oot/", r"/[h]ome/[a-z]+/\.")
FOREIGN = re.compile("|".join((*REGISTRIES, *PLACES)), re.IGNORECASE)


def test_foreign_names_are_recognised():
    for name in ("https://py" + "pi.org/simple", "/" + "work/main", "/" + "root/.cache"):
        assert FOREIGN.search(name)


def test_no_file_names_a_registry_or_a_place_on_one_machine():
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match[0]}"
        for path in shared_files()
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1)
        if (match := FOREIGN.search(line))
    ]
    assert not found, "\n".join(found)


def test_no_file_is_large():
    found = [f"{path.relative_to(ROOT)}:1: {path.stat().st_size} bytes" for path in shared_files()]
    large = [line for line in found if int(line.split()[-2]) > LARGEST]
    assert not large, "\n".join(large)
