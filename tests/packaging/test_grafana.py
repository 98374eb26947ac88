"""The dashboard: of metrics and labels that there are, and nothing lies over anything."""

import json
import re
from itertools import combinations
from pathlib import Path

from tests.golden.files import STATES

from inferagent.runtime.board import Board
from inferagent.runtime.metrics import Metrics

FILE = Path(__file__).parents[2] / "packaging" / "root" / "usr/share/inferagent/grafana-dashboard.json"
BOARD = json.loads(FILE.read_text())
# Told once a thing was counted, which no recorded state has.
COUNTED = {"inferagent_drains_total", "inferagent_restarts_total"}


def expressions():
    return [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]


def test_every_metric_of_the_dashboard_is_told_in_some_state():
    known = "".join(
        Metrics(state.document, lambda: 0, Board(lambda: None)).text() for state in STATES.values()
    )
    told = set(re.findall(r"^(?:# TYPE )?(inferagent_\w+)", known, re.MULTILINE))
    asked = set(re.findall(r"inferagent_\w+", " ".join(expressions())))
    assert asked - COUNTED <= told


def test_every_panel_has_a_place_of_its_own():
    taken = [
        {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        for at in (panel["gridPos"] for panel in BOARD["panels"])
    ]
    assert not any(one & two for one, two in combinations(taken, 2))
    assert all(x < 24 for panel in taken for x, _ in panel)
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])


def test_it_takes_any_prometheus_and_any_hosts():
    assert {one["name"] for one in BOARD["templating"]["list"]} == {"datasource", "instance"}
    sources = {panel["datasource"]["uid"] for panel in BOARD["panels"]}
    assert sources == {"${datasource}"}
