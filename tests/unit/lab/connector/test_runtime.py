from inferagent.lab.connector.runtime import lines


def test_the_page_counts_itself_and_tells_its_start():
    found = lines(12.5, 3)
    assert 'promhttp_metric_handler_requests_total{code="200"} 3' in found
    assert "process_start_time_seconds 12.5" in found


def test_every_family_has_a_type_and_samples():
    found = lines(0.0, 0)
    typed = [line.split()[2] for line in found if line.startswith("# TYPE ")]
    assert len(typed) == len(set(typed)) > 35
    for name in typed:
        assert any(line.startswith((f"{name} ", f"{name}{{")) for line in found), name
