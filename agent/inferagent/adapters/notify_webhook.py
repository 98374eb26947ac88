"""Messages to a web address: one POST of JSON with a "text". The address may be a secret: nothing shows it.

Taken with any 2xx. 408, 425, 429 and 5xx, like silence, may be tried again; any other answer is final.
"""

import asyncio
import json
import ssl

import httpx

from inferagent.adapters.program import printable_lines
from inferagent.model.notice import Notice
from inferagent.ports import PortError

DEADLINE = 10.0
READ = 2048  # bytes of an answer
LATER = frozenset({408, 425, 429})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# Chats that refuse fields which they do not know, or want the text under another name.
ONLY_TEXT = ("chat.googleapis.com", "hooks.slack.com", "webhook.office.com")
CONTENT = ("discord.com", "discordapp.com")
LONGEST_CONTENT = 1900  # characters; Discord takes 2000


class Webhook:
    """The ReceiverPort "webhook". PortError for an address that is none."""

    name = "webhook"

    def __init__(self, url: str, deadline: float = DEADLINE) -> None:
        try:
            self._url = httpx.URL(url)
        except httpx.InvalidURL:
            raise PortError("cannot notify by webhook: its address is no URL", refused=True) from None
        local = self._url.host in LOOPBACK
        if not 0 < (self._url.port or 443) < 65536:
            raise PortError("cannot notify by webhook: its address names no port", refused=True)
        if not self._url.host or self._url.scheme not in (("https", "http") if local else ("https",)):
            raise PortError("cannot notify by webhook: its address must begin with https://", refused=True)
        self._deadline = deadline

    async def send(self, notice: Notice) -> str:
        """A connection of its own each time: messages are rare."""
        try:
            async with asyncio.timeout(self._deadline):
                return await self._post(notice)
        except TimeoutError:
            raise PortError(f"{self._cannot()}: no answer within {self._deadline:g} s") from None
        except httpx.ConnectError as error:
            raise PortError(f"{self._cannot()}: cannot connect ({self._hidden(str(error))})") from None
        except httpx.HTTPError as error:
            raise PortError(f"{self._cannot()}: {type(error).__name__}") from None

    async def _post(self, notice: Notice) -> str:
        context = await asyncio.to_thread(ssl.create_default_context)  # reads all authorities: 30 ms
        headers = {
            "Content-Type": "application/json; charset=UTF-8",
            "User-Agent": "inferagent",
            "Idempotency-Key": notice.id,
            "Accept-Encoding": "identity",
        }
        direct = self._url.host in LOOPBACK
        async with (
            httpx.AsyncClient(verify=context, trust_env=not direct, timeout=None) as client,  # noqa: S113
            client.stream("POST", self._url, content=self._body(notice), headers=headers) as answer,
        ):
            return self._judged(answer, b"" if answer.is_success else await _beginning(answer))

    def _judged(self, answer: httpx.Response, body: bytes) -> str:
        said = f"{answer.status_code} {answer.reason_phrase}".strip()
        if answer.is_success:
            return f"{self._url.host} said {said}"
        line = self._hidden(next(iter(printable_lines(body)), ""))
        text = f"{self._cannot()}: it said {said}{f' ({line})' if line else ''}"
        later = answer.status_code in LATER or answer.status_code >= 500
        raise PortError(text, retry_after=_retry_after(answer), refused=not later)

    def _body(self, notice: Notice) -> bytes:
        host = self._url.host
        if any(host == known or host.endswith(f".{known}") for known in ONLY_TEXT):
            return json.dumps({"text": notice.text}, ensure_ascii=False).encode()
        if any(host == known or host.endswith(f".{known}") for known in CONTENT):
            return json.dumps({"content": notice.text[:LONGEST_CONTENT]}, ensure_ascii=False).encode()
        return notice.body()

    def _cannot(self) -> str:
        return f"cannot notify by webhook at {self._url.host}"

    def _hidden(self, text: str) -> str:
        """Receivers and libraries repeat the address that was asked for."""
        path, query = self._url.path, self._url.query.decode("ascii", "replace")
        for secret in (str(self._url), self._url.raw_path.decode("ascii", "replace"), path, query):
            if len(secret) > 1:
                text = text.replace(secret, "…")
        return text


async def _beginning(answer: httpx.Response) -> bytes:
    content = b""
    async for piece in answer.aiter_raw(READ):
        content += piece
        if len(content) >= READ:
            break
    return content[:READ]


def _retry_after(answer: httpx.Response) -> float | None:
    """Seconds only: a date is rare, and a clock may be wrong."""
    said = answer.headers.get("Retry-After", "").strip()
    return float(said) if said.isascii() and said.isdecimal() and len(said) < 7 else None
