"""What a run with the real programs says at its end, and its exit code; read from pytest's own record."""

import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.real.programs import KINDS


@dataclass
class Ran:
    """Tests with a real program, by how they ended: passed, failed, skipped."""

    ended: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, name: str, how: str) -> None:
        self.ended.setdefault(name, Counter())[how] += 1


def program_of(place: str, name: str) -> str:
    """Which real program a test case runs; "" for one with a stand-in alone."""
    if "no_kind_for" in name or "llama.cpp" in name:
        return "llamacpp"
    words = name.partition("[")[2].rstrip("]").split("-")
    if not {"real", "cloudflared"} & set(words):
        return ""
    if "connector" in place:
        return "cloudflared"
    return "ollama" if "ollama" in name else "vllm"


def how(case: ET.Element) -> str:
    kinds = {child.tag for child in case}
    if kinds & {"failure", "error"}:
        return "failed"
    return "skipped" if "skipped" in kinds else "passed"


def read(record: Path) -> Ran:
    ran = Ran()
    for case in ET.parse(record).getroot().iter("testcase"):
        name = program_of(case.get("classname", ""), case.get("name", ""))
        if name:
            ran.add(name, how(case))
    return ran


def last_line(versions: dict[str, str], reasons: dict[str, str], ran: Ran) -> str:
    """Names only what ran: what was there and ran no test is said to have been skipped."""
    done, skipped = [], dict(reasons)
    for name, version in versions.items():
        counts = ran.ended.get(name, Counter())
        if counts["passed"] + counts["failed"]:
            done.append(f"{KINDS[name].title} {version} ({tally(counts)})")
        else:
            skipped[name] = "no test ran it"
    said = f"real: {', '.join(done) or 'nothing'}; skipped {len(skipped)}"
    named = [f"{KINDS[name].title} ({reason})" for name, reason in skipped.items()]
    return f"{said}: {', '.join(named)}" if named else said


def tally(counts: Counter[str]) -> str:
    order = ("passed", "failed", "skipped")
    return ", ".join(f"{counts[how]} {how}" for how in order if counts[how])


def verdict(versions: dict[str, str], ran: Ran, code: int) -> int:
    """0 only when all that was there ran, passed, and left none of its own tests out."""
    whole = all(
        ran.ended.get(name, Counter())["passed"]
        and not (ran.ended[name]["failed"] or ran.ended[name]["skipped"])
        for name in versions
    )
    return 0 if whole and code == 0 else 1
