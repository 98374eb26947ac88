import pytest
from tests.real.compare import compare
from tests.real.recording import Answer, Recording, load, save
from tests.real.shapes import differences, headers_shape, metrics_shape, sample, shape


def test_the_shape_of_a_body() -> None:
    body = {"object": "list", "data": [{"id": "a", "n": 1}, {"id": None, "n": 2.5}], "on": True}
    assert shape(body) == {
        ".": {"object"},
        ".object": {"= 'list'"},
        ".data": {"list"},
        ".data[]": {"object"},
        ".data[].id": {"text", "null"},
        ".data[].n": {"number"},
        ".on": {"bool"},
    }


def test_a_key_that_some_items_lack_is_another_shape() -> None:
    assert shape([{"a": 1}, {}])["[].a"] == {"number", "nothing at times"}
    assert differences(shape([{"a": 1}, {}]), shape([{"a": 1}]))


@pytest.mark.parametrize(
    ("real", "own", "said"),
    [
        ({"a": 1}, {}, ".a: the stand-in lacks it (number)"),
        ({}, {"a": 1}, ".a: only the stand-in has it (number)"),
        ({"a": 1}, {"a": "1"}, ".a: number, the stand-in has text"),
        ({"type": "x"}, {"type": "y"}, ".type: = 'x', the stand-in has = 'y'"),
    ],
)
def test_differences_are_told_by_path(real, own, said) -> None:
    assert differences(shape(real), shape(own)) == [said]
    assert differences(shape(real), shape(real)) == []


def test_headers_matter_by_name_and_some_by_value() -> None:
    real = headers_shape({"Content-Type": "text/plain", "Date": "now", "Content-Length": "4"})
    assert real == {"content-type": {"text/plain"}, "content-length": {"there"}}


def test_labels_are_read_in_their_order_whatever_they_hold() -> None:
    assert sample('a_bucket{le="1",path="x,y=\\"}"} 3') == ("a_bucket", ["le", "path"])
    assert sample("a 3") == ("a", [])


def test_metrics_by_family_and_label_keys() -> None:
    text = '# TYPE a counter\na{x="1"} 2\na{x="2"} 2\n# TYPE b gauge\nb 1\n'
    assert metrics_shape(text) == {
        "family a": {"counter"},
        "a": {"x"},
        "family b": {"gauge"},
        "b": {"no label"},
    }


def recording() -> Recording:
    answer = Answer("GET /x", 200, {"content-type": "text/plain"}, "OK")
    log = [{"level": "info", "message": "Starting", "time": "now"}]
    return Recording("p", "1", {"x": answer}, {"idle": "a 1\n"}, {"SIGTERM": 0}, {"start": log})


def test_a_recording_is_the_same_after_it_was_saved(tmp_path) -> None:
    save(recording(), tmp_path)
    save(recording(), tmp_path)
    assert load(tmp_path) == recording()


def test_every_kind_of_difference_is_told() -> None:
    own = recording()
    own.answers["x"].status = 404
    own.answers["y"] = own.answers["x"]
    own.metrics["idle"] = "b 1\n"
    own.exits["SIGTERM"] = 1
    own.logs["start"] = [{"level": "info", "message": "Starting"}]
    told = compare(recording(), own)
    assert compare(recording(), recording()) == []
    for said in ("x: status 200", "answer y", "metrics idle: a", "exit code, SIGTERM", "log start: only"):
        assert any(line.startswith(said) for line in told), (said, told)
