import json

import pytest
from tests.support.edge_lab import Lines

from inferagent.lab.connector.configure import apply_push
from inferagent.lab.connector.ingress import Configuration
from inferagent.lab.connector.logs import Log
from inferagent.lab.connector.metrics import Metrics


class Taker:
    def __init__(self):
        self.configuration, self.metrics, self.lines = Configuration(), Metrics(), Lines()

    def take(self, body):
        return apply_push(body, self.configuration, self.metrics, Log(as_json=True, out=self.lines))


def push(version, *rules):
    return json.dumps({"version": version, "config": {"ingress": list(rules)}}).encode()


def test_a_good_push_is_in_force_counted_and_logged():
    taker = Taker()
    assert taker.take(push(4, {"service": "http_status:418"})) is None
    assert (taker.configuration.version, taker.metrics.config_version) == (4, 4)
    assert "Updated to new configuration" in taker.lines.text


def test_the_same_again_is_no_news():
    taker = Taker()
    taker.take(push(4, {"service": "http_status:418"}))
    before = taker.lines.text
    assert taker.take(push(4, {"service": "http_status:200"})) is None
    assert taker.lines.text == before


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"version": 1}', b'{"version": "x", "config": {}}'])
def test_what_is_no_push_is_refused(body):
    taker = Taker()
    assert taker.take(body)
    assert (taker.configuration.version, taker.metrics.config_version) == (-1, 0)


def test_a_bad_rule_is_refused_with_its_reason():
    taker = Taker()
    assert "cannot reach http://h/" in taker.take(push(1, {"service": "http://h/"}))
    assert json.loads(taker.lines.text)["message"] == "Failed to deserialize new configuration"
    assert taker.metrics.config_version == 0
