"""What comes from a server over HTTP, with a deadline on all; a broken download goes on where it broke.

PortError says what could not be had and the cure; `refused` where asking again would not help.
"""

import re
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, cached_property
from itertools import dropwhile
from pathlib import Path

import httpx

from inferagent.adapters.part_file import PartFile, check_room, unwritten
from inferagent.config.sources import Patience
from inferagent.ports import PortError

SMALL = 1024 * 1024  # bytes of a list or a key
MOST_REDIRECTS = 5
NETWORK = "is this host online, and does it need a proxy (HTTPS_PROXY)?"

Tell = Callable[[int, int | None], None]  # bytes so far, bytes in all where the server says so


class _BrokenError(Exception):
    """It ended before its end; asking for the rest may help."""


@cache
def _certificates() -> ssl.SSLContext:
    """Slow to read: once is enough."""
    return httpx.create_ssl_context()


class Downloads:
    """One client for one run of the installer."""

    def __init__(self, patience: Patience, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience, self._clock = patience, clock

    @cached_property
    def _client(self) -> httpx.Client:
        waits = httpx.Timeout(self._patience.silence, connect=self._patience.connect)
        return httpx.Client(
            timeout=waits,
            max_redirects=MOST_REDIRECTS,
            headers={"Accept-Encoding": "identity"},
            verify=_certificates(),
        )

    def close(self) -> None:
        if "_client" in self.__dict__:
            self._client.close()

    def newest(self, url: str) -> str:
        """The last part of where `url` leads to: of …/releases/latest that is the newest version's name."""
        with _reaching(url):
            answer = self._client.head(url)
        place = answer.headers.get("location", "")
        if not answer.is_redirect or not place:
            said = f"cannot tell the newest version: {url} answers {answer.status_code} instead of a redirect"
            raise PortError(f"{said} → name one with --version")
        return answer.url.join(place).path.rstrip("/").rpartition("/")[2]

    def small(self, url: str) -> bytes:
        """The content of a list or a key."""
        end, found = self._clock() + 2 * self._patience.silence, b""
        with _reaching(url), self._client.stream("GET", url, follow_redirects=True) as answer:
            check(url, answer)
            for piece in answer.iter_raw():
                found += piece
                if len(found) > SMALL or self._clock() > end:
                    raise PortError(f"cannot get {url}: it does not end")
        return found

    def size(self, url: str) -> int:
        """Bytes, as the server says before it sends them; 0 where it does not say."""
        with _reaching(url):
            answer = self._client.head(url, follow_redirects=True)
        check(url, answer)
        return _length(answer) or 0

    def file(self, url: str, into: Path, tell: Tell) -> None:
        """Until `into` is there, as long as the server said. What came before it broke is kept."""
        part, end = PartFile(url, into), self._clock() + self._patience.download
        failures = 0
        while True:
            had = part.size()
            try:
                self._once(part, tell, end)
                return part.done()
            except (httpx.HTTPError, httpx.InvalidURL, _BrokenError) as error:
                failures = 1 if part.size() > had else failures + 1
                if failures >= self._patience.tries or self._clock() + self._patience.pause > end:
                    raise _unreached(url, error) from error
            except OSError as error:
                raise unwritten(part.path, error) from error
            time.sleep(self._patience.pause)

    def _once(self, part: PartFile, tell: Tell, end: float) -> None:
        had, tag = part.size(), part.tag()
        asked = {"Range": f"bytes={had}-", "If-Range": tag} if tag else {}
        with self._client.stream("GET", part.url, headers=asked, follow_redirects=True) as answer:
            had = had if _goes_on(part, answer, had) else 0
            rest = _length(answer)
            whole = None if rest is None else had + rest
            check_room(part.path.parent, rest or 0)
            part.remember(answer.headers.get("etag", ""))
            with part.path.open("ab" if had else "wb") as file:
                for piece in answer.iter_raw():
                    file.write(piece)
                    had += len(piece)
                    tell(had, whole)
                    if self._clock() > end:
                        raise PortError(f"cannot get {part.url} within {self._patience.download:g} s")
        if whole is not None and had != whole:
            raise _BrokenError(f"{had} bytes came instead of {whole}")


def _goes_on(part: PartFile, answer: httpx.Response, had: int) -> bool:
    """Whether the answer is the rest of what is there; another piece than that, and all is asked for anew."""
    if answer.status_code not in (206, 416):
        check(part.url, answer)
        return False
    found = re.match(r"bytes (\d+)-", answer.headers.get("content-range", ""))
    if answer.status_code == 206 and found and int(found[1]) == had:
        return True
    part.forget()
    raise _BrokenError("the server has no such rest of it")


def check(url: str, answer: httpx.Response) -> None:
    """PortError where it is not to be used: https that leads to http would no longer prove anything."""
    steps = [step.url for step in (*answer.history, answer)]
    for step in dropwhile(lambda step: step.scheme != "https", steps):
        if step.scheme != "https":
            raise PortError(f"cannot trust {url}: it leads to http://{step.host}", refused=True)
    if answer.status_code in (404, 410):
        raise PortError(f"cannot get {url}: it is not there → is there such a version?", refused=True)
    if answer.status_code >= 500:
        raise _BrokenError(f"the server answers {answer.status_code}")
    if answer.status_code != 200:
        raise PortError(f"cannot get {url}: the server answers {answer.status_code}", refused=True)


def _length(answer: httpx.Response) -> int | None:
    said = answer.headers.get("content-length", "")
    return int(said) if said.isdecimal() else None


@contextmanager
def _reaching(url: str) -> Iterator[None]:
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, _BrokenError) as error:
        raise _unreached(url, error) from error


def _unreached(url: str, error: Exception) -> PortError:
    match error:
        case httpx.ConnectTimeout() | httpx.ConnectError():
            return PortError(f"cannot reach {httpx.URL(url).host}: {_first(error)} → {NETWORK}")
        case httpx.TimeoutException():
            return PortError(
                f"cannot get {url}: the server fell silent → run it again: it goes on from there"
            )
        case _:
            return PortError(f"cannot get {url}: {_first(error)} → run it again: it goes on from there")


def _first(error: Exception) -> str:
    return (str(error).splitlines() or ["no answer"])[0] or "no answer in time"
