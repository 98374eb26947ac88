from inferagent.lab.engines.counters import Counters
from inferagent.lab.engines.exposition_page import page
from inferagent.lab.engines.http_counts import HttpCounts


def families(text):
    return [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")]


def test_each_family_stands_once_and_the_process_comes_first():
    found = families(page(Counters(), "chat", HttpCounts()))
    assert len(found) == len(set(found)) > 80
    assert found[0].startswith("python_gc")
    assert found[-1] == "http_request_duration_seconds"


def test_without_statistics_the_server_is_all_that_is_told():
    text = page(None, "chat", HttpCounts())
    assert "vllm:" not in text
    assert "http_requests_total" in families(text)
