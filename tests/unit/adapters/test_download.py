"""Downloads from a server that serves, stalls, cuts and lies."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from tests.support.releases import Fault, Releases, serving

from inferagent.adapters.download import Downloads, check
from inferagent.config.sources import Patience, read_sources
from inferagent.ports import PortError

BODY = bytes(range(256)) * 2000
HASTE = {"connect": 5.0, "silence": 5.0, "tries": 3, "pause": 0.01, "download": 5.0}


def patience(**changes: float) -> Patience:
    return read_sources(Path("/nonexistent")).patience.model_copy(update={**HASTE, **changes})


@pytest.fixture
def releases() -> Iterator[Releases]:
    with serving(Releases({"/x": BODY})) as served:
        yield served


@pytest.fixture(scope="module")
def hasty() -> Iterator[Downloads]:
    """Its servers are silent at once."""
    made = Downloads(patience(silence=0.3))
    yield made
    made.close()


@pytest.fixture(scope="module")
def client() -> Iterator[Downloads]:
    made = Downloads(patience())
    yield made
    made.close()


def fetched(client: Downloads, releases: Releases, into: Path) -> list[tuple[int, int | None]]:
    told: list[tuple[int, int | None]] = []
    client.file(f"{releases.url}/x", into, lambda done, whole: told.append((done, whole)))
    assert into.read_bytes() == BODY
    assert [path.name for path in into.parent.iterdir()] == [into.name], "nothing is left beside it"
    return told


def test_a_file_comes_whole_and_tells_how_far_it_is(client, releases, tmp_path):
    told = fetched(client, releases, tmp_path / "x")
    assert told[-1] == (len(BODY), len(BODY))


def test_what_is_cut_goes_on_from_there(client, releases, tmp_path):
    releases.faults["/x"] = [Fault(after=100_000), Fault(after=50_000)]
    told = fetched(client, releases, tmp_path / "x")
    assert releases.ranges_of("/x") == ["", "bytes=100000-", "bytes=150000-"]
    assert told[-1] == (len(BODY), len(BODY))


def test_what_falls_silent_goes_on_from_there(hasty, releases, tmp_path):
    releases.faults["/x"] = [Fault(after=100_000, silent=True)]
    fetched(hasty, releases, tmp_path / "x")
    assert releases.ranges_of("/x") == ["", "bytes=100000-"]


def test_a_server_that_is_always_silent_is_given_up(hasty, releases, tmp_path):
    releases.faults["/x"] = [Fault(after=0, silent=True)] * 5
    with pytest.raises(PortError, match="the server fell silent → run it again"):
        hasty.file(f"{releases.url}/x", tmp_path / "x", lambda *_: None)
    assert len(releases.ranges_of("/x")) == 3


def test_progress_gives_new_tries(client, releases, tmp_path):
    releases.faults["/x"] = [Fault(after=10_000)] * 8
    fetched(client, releases, tmp_path / "x")
    assert len(releases.ranges_of("/x")) == 9


def test_another_content_meanwhile_begins_anew(client, releases, tmp_path):
    releases.files["/x"] = b"y" * 200_000
    releases.faults["/x"] = [Fault(after=100_000)] * 1 + [Fault(after=0)] * 3
    with pytest.raises(PortError):
        client.file(f"{releases.url}/x", tmp_path / "x", lambda *_: None)
    releases.files["/x"], releases.faults["/x"] = BODY, []
    fetched(client, releases, tmp_path / "x")
    assert releases.ranges_of("/x")[-1] == "bytes=100000-", "asked for the rest, got all of the new one"


def test_a_part_of_another_url_is_not_gone_on_with(client, releases, tmp_path):
    releases.files["/other"] = b"z" * 200_000
    releases.faults["/other"] = [Fault(after=100_000), *[Fault(after=0)] * 3]
    with pytest.raises(PortError):
        client.file(f"{releases.url}/other", tmp_path / "x", lambda *_: None)
    fetched(client, releases, tmp_path / "x")
    assert releases.ranges_of("/x") == [""]


@pytest.mark.parametrize("known", [{"ranges": False}, {"tags": False}])
def test_a_server_that_cannot_go_on_sends_all_again(client, releases, tmp_path, known):
    for name, value in known.items():
        setattr(releases, name, value)
    releases.faults["/x"] = [Fault(after=100_000)]
    told = fetched(client, releases, tmp_path / "x")
    assert len(releases.ranges_of("/x")) == 2
    assert told[-1] == (len(BODY), len(BODY))


def test_another_piece_than_asked_for_is_not_taken(client, releases, tmp_path):
    releases.faults["/x"] = [Fault(after=100_000), Fault(piece=5)]
    fetched(client, releases, tmp_path / "x")
    assert releases.ranges_of("/x") == ["", "bytes=100000-", ""]


def test_a_length_that_is_a_lie(client, releases, tmp_path):
    releases.faults["/x"] = [Fault(extra=1000)] * 9
    with pytest.raises(PortError, match="run it again"):
        client.file(f"{releases.url}/x", tmp_path / "x", lambda *_: None)
    assert not (tmp_path / "x").exists()


def test_a_length_that_no_disk_has(client, releases, tmp_path):
    releases.faults["/x"] = [Fault(extra=2**50)]
    with pytest.raises(PortError, match="make room on that disk") as caught:
        client.file(f"{releases.url}/x", tmp_path / "x", lambda *_: None)
    assert caught.value.refused


@pytest.mark.parametrize(
    ("code", "said"), [(404, "it is not there"), (403, "answers 403"), (503, "answers 503")]
)
def test_what_the_server_refuses(client, releases, tmp_path, code, said):
    releases.faults["/x"] = [Fault(code=code)] * 9
    with pytest.raises(PortError, match=said):
        client.file(f"{releases.url}/x", tmp_path / "x", lambda *_: None)
    assert len(releases.ranges_of("/x")) == (3 if code == 503 else 1), "only what may pass is asked again"


def test_a_drip_ends_with_the_deadline(releases, tmp_path):
    client = Downloads(patience(download=0.4, silence=5.0))
    with dripping() as url, pytest.raises(PortError, match=r"within 0\.4 s"):
        client.file(url, tmp_path / "x", lambda *_: None)
    client.close()


@contextmanager
def dripping() -> Iterator[str]:
    """A byte every 50 ms."""
    listener = socket.create_server(("127.0.0.1", 0))
    ends = threading.Event()

    def drip() -> None:
        peer, _ = listener.accept()
        with peer, suppress(OSError):
            peer.recv(65536)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not ends.wait(0.05):
                peer.sendall(b"x")

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/x"
    finally:
        ends.set()
        thread.join(5.0)
        listener.close()


def test_a_full_disk_is_said_with_its_cure(client, releases, tmp_path):
    (tmp_path / "x.part").symlink_to("/dev/full")
    with pytest.raises(PortError, match=r"No space left.*make room"):
        client.file(f"{releases.url}/x", tmp_path / "x", lambda *_: None)


def test_the_newest_version_is_where_it_leads(client, releases):
    releases.leads["/latest"] = "/tag/v1.2.3"
    assert client.newest(f"{releases.url}/latest") == "v1.2.3"
    with pytest.raises(PortError, match="answers 200 instead of a redirect → name one with --version"):
        client.newest(f"{releases.url}/x")


def test_https_that_leads_to_http_proves_nothing():
    def answer(*urls: str) -> httpx.Response:
        *before, last = [httpx.Response(200, request=httpx.Request("GET", url)) for url in urls]
        last.history = before
        return last

    check("u", answer("https://a/x", "https://b/x"))
    check("u", answer("http://127.0.0.1/x", "http://127.0.0.1/y"))
    with pytest.raises(PortError, match="cannot trust u: it leads to http://b"):
        check("u", answer("https://a/x", "http://b/x"))
    with pytest.raises(PortError, match="cannot trust u: it leads to http://b"):
        check("u", answer("https://a/x", "http://b/x", "https://c/x"))


def test_a_small_file_and_one_that_does_not_end(client, releases):
    releases.files |= {"/small": b"small", "/large": b"x" * 3_000_000}
    releases.leads["/there"] = "/small"
    assert client.small(f"{releases.url}/there") == b"small"
    assert client.size(f"{releases.url}/there") == 5
    with pytest.raises(PortError, match="it does not end"):
        client.small(f"{releases.url}/large")


def test_silence_instead_of_a_list(hasty, releases):
    releases.faults["/x"] = [Fault(after=10, silent=True)]
    begun = time.monotonic()
    with pytest.raises(PortError, match="fell silent"):
        hasty.small(f"{releases.url}/x")
    assert time.monotonic() - begun < 20


def test_nobody_there_and_a_name_that_is_none(client):
    with pytest.raises(PortError, match=r"cannot reach 127\.0\.0\.1.*HTTPS_PROXY"):
        client.size("http://127.0.0.1:9/x")
    with pytest.raises(PortError, match="cannot get"):
        client.small("ftp://127.0.0.1/x")
