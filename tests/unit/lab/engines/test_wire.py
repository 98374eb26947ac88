"""Bodies on the wire have the form that clients of the real programs parse."""

from inferagent.lab.engines import wire


def test_events_and_lines():
    assert wire.event({"a": None}) == b'data: {"a":null}\n\n'
    assert wire.line({"a": "\u00e9"}) == '{"a":"\u00e9"}\n'.encode()
    assert wire.DONE == b"data: [DONE]\n\n"


def test_an_answer_keeps_its_type_without_a_charset():
    response = wire.answer({"error": 1}, status=404)
    assert (response.status, response.headers["Content-Type"], response.body) == (
        404,
        "application/json",
        b'{"error":1}',
    )


def test_only_an_object_is_a_body():
    assert wire.asked(b'{"model":"m"}') == {"model": "m"}
    assert wire.asked(b"[1]") is None
    assert wire.asked(b"{") is None
