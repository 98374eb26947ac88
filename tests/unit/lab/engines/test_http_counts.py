from inferagent.lab.engines.http_counts import HttpCounts, process


def test_requests_are_counted_by_handler_method_and_kind_of_status():
    counts = HttpCounts()
    counts.take("/v1/models", "GET", 200, 0, 40, 0.02)
    counts.take("/v1/models", "GET", 204, 0, 2, 0.3)
    counts.take("none", "GET", 404, 0, 9, 0.001)
    lines = counts.lines()
    assert 'http_requests_total{handler="/v1/models",method="GET",status="2xx"} 2.0' in lines
    assert 'http_requests_total{handler="none",method="GET",status="4xx"} 1.0' in lines
    assert 'http_response_size_bytes_sum{handler="/v1/models"} 42.0' in lines
    assert 'http_request_duration_seconds_bucket{handler="/v1/models",le="0.1",method="GET"} 1.0' in lines
    assert 'http_request_duration_highr_seconds_bucket{le="+Inf"} 3.0' in lines


def test_pages_for_machines_are_not_counted():
    counts = HttpCounts()
    counts.take("/metrics", "GET", 200, 0, 40_000, 0.02)
    assert not any("/metrics" in line for line in counts.lines())
    assert "http_request_duration_highr_seconds_count 0.0" in counts.lines()


def test_the_process_tells_its_start_and_its_time():
    lines = process(12.5)
    assert "process_start_time_seconds 12.5" in lines
    assert any(line.startswith("process_cpu_seconds_total ") for line in lines)
