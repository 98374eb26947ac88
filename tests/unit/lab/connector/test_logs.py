import json

from tests.support.edge_lab import Lines

from inferagent.lab.connector.logs import Log


def test_json_lines_carry_level_message_time_and_facts():
    lines = Lines()
    Log(as_json=True, out=lines).error("cannot", connIndex=1)
    found = json.loads(lines.text)
    assert (found["level"], found["message"], found["connIndex"]) == ("error", "cannot", 1)
    assert found["time"].endswith("Z")


def test_plain_lines():
    lines = Lines()
    log = Log(as_json=False, out=lines)
    log.info("one", b=2, a=1)
    log.warn("two")
    first, second = lines.text.splitlines()
    assert first.endswith(" INF one a=1 b=2")
    assert second.endswith(" WRN two")
