from tests.real import neutral


def test_a_body_keeps_its_names_and_loses_its_run() -> None:
    body = {
        "id": "cmpl-83",
        "created": 1795280259,
        "object": "text_completion",
        "choices": [{"index": 0, "text": " world world", "finish_reason": "length"}],
        "usage": {"prompt_tokens": 2, "completion_tokens": 16},
        "context": [1, 2, 3],
        "empty": {"text": "", "none": None, "yes": True},
    }
    assert neutral.body(body) == {
        "id": neutral.ID,
        "created": 0,
        "object": "text_completion",
        "choices": [{"index": 0, "text": "text", "finish_reason": "length"}],
        "usage": {"prompt_tokens": 0, "completion_tokens": 16},
        "context": [0],
        "empty": {"text": "", "none": None, "yes": True},
    }


def test_texts_lose_ports_times_ids_and_paths() -> None:
    text = (
        "dial 127.0.0.1:44321 at 2026-11-21T17:22:19.5Z by 7d1d4db1-6ce8-40b6-8b59-0699b0a999a1"
        " with /opt/ca/x.pem for /v1/models"
    )
    assert neutral.words(text) == (
        f"dial 127.0.0.1:0 at {neutral.TIME} by {neutral.ID} with {neutral.PLACE} for /v1/models"
    )


def test_headers_are_in_lower_case_and_in_order() -> None:
    given = {"Server": "uvicorn", "Date": "Sat, 21 Nov", "Content-Length": "455"}
    assert list(neutral.headers(given).items()) == [
        ("content-length", "0"),
        ("date", neutral.TIME),
        ("server", "uvicorn"),
    ]


def test_metrics_keep_counts_and_lose_times_sizes_and_help() -> None:
    text = """# HELP a_total Something.
# TYPE a_total counter
a_total{model_name="chat"} 12.0
# TYPE a_created gauge
a_created{model_name="chat"} 1.79e+09
# TYPE b_seconds histogram
b_seconds_bucket{le="0.15000000000000002"} 3
"""
    assert (
        neutral.metrics(text)
        == """# TYPE a_total counter
a_total{model_name="chat"} 12.0
# TYPE a_created gauge
a_created{model_name="chat"} 0
# TYPE b_seconds histogram
b_seconds_bucket{le="0.15000000000000002"} 0
"""
    )
