import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from inferagent.lab.edge.forward import read_head, request_headers
from inferagent.lab.wire.headers import pack


def asked(path="/a%20b?c=1", **headers):
    given = CIMultiDict({"Host": "llm.example.com:8080"} | headers)
    return make_mocked_request("POST", path, headers=given)


def test_the_request_line_and_the_edges_own_headers():
    headers = dict(request_headers(asked(), "gpu-a.example.com"))
    assert headers[b":method"] == b"POST"
    assert headers[b":path"] == b"/a%20b?c=1"
    assert headers[b":authority"] == b"gpu-a.example.com"
    assert headers[b"cf-ray"].endswith(b"-LAB")
    assert headers[b"cf-connecting-ip"]


def test_without_an_endpoint_host_the_users_stays_without_its_port():
    assert dict(request_headers(asked(), None))[b":authority"] == b"llm.example.com"


def test_what_belongs_to_one_hop_or_to_the_edge_does_not_pass():
    request = asked(
        **{
            "Connection": "close",
            "Transfer-Encoding": "chunked",
            "CF-Connecting-IP": "6.6.6.6",
            "Cf-Cloudflared-Proxy-Connection-Upgrade": "control-stream",
            "X-Forwarded-For": "198.51.100.1",
            "Content-Length": "3",
            "Authorization": "Bearer x",
        }
    )
    headers = request_headers(request, None)
    names = [name for name, _ in headers]
    assert b"connection" not in names
    assert b"transfer-encoding" not in names
    assert not any(name.startswith(b"cf-cloudflared-") for name in names)
    found = dict(headers)
    assert found[b"cf-connecting-ip"] != b"6.6.6.6"
    assert found[b"x-forwarded-for"].startswith(b"198.51.100.1, ")
    assert (found[b"content-length"], found[b"authorization"]) == (b"3", b"Bearer x")


def test_an_answers_head_is_unpacked():
    head = read_head(
        [
            (b":status", b"201"),
            (b"cf-cloudflared-response-headers", pack([(b"X-A", b"\xe4"), (b"Connection", b"close")])),
            (b"cf-cloudflared-response-meta", b'{"src":"origin"}'),
        ]
    )
    assert (head.status, head.headers, head.source) == (201, [("X-A", "\xe4")], "origin")


def test_the_connectors_own_answer_says_so():
    meta = (b"cf-cloudflared-response-meta", b'{"src":"cloudflared"}')
    assert read_head([(b":status", b"502"), meta]).source == "cloudflared"


def test_broken_packing_is_refused():
    with pytest.raises(ValueError, match="cannot unpack"):
        read_head([(b":status", b"200"), (b"cf-cloudflared-response-headers", b"nonsense")])
