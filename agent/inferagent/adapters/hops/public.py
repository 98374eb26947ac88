"""One HTTPS request as a user makes it, its steps apart: connect, TLS, answer; each failure says which."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import h11

from inferagent.ports import PortError

LONGEST = 1 << 20
LONGEST_HEAD = 100 << 10
CHUNK = 1 << 16


class Step(StrEnum):
    CONNECT = "connect"
    TLS = "tls"
    ANSWER = "answer"


class StepError(PortError):
    """The request ended at this step."""

    def __init__(self, step: Step, text: str) -> None:
        super().__init__(text)
        self.step = step


@dataclass(frozen=True, slots=True)
class Question:
    """`body` None: a GET. `headers` may hold secrets; no error repeats them."""

    host: str
    path: str
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """Header names in small letters; of several of one name the last."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> object:
        """None for what is no JSON."""
        try:
            found: object = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return found

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


def trust(authorities: Path | None) -> ssl.SSLContext:
    """The system's authorities, or those of one file. PortError: it cannot be read."""
    try:
        context = ssl.create_default_context(cafile=str(authorities) if authorities else None)
    except (OSError, ssl.SSLError) as error:
        raise PortError(f"cannot read the authorities in {authorities}: {error}") from error
    context.set_alpn_protocols(["http/1.1"])
    return context


async def fetch(
    question: Question, address: str, port: int, context: ssl.SSLContext, timeout: float
) -> Reply:
    """Asks the server at that address for the host of the question; StepError."""
    step = Step.CONNECT
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(address, port, limit=CHUNK)
            try:
                step = Step.TLS
                await writer.start_tls(context, server_hostname=question.host)
                step = Step.ANSWER
                return await _exchange(question, reader, writer)
            finally:
                writer.transport.abort()
    except TimeoutError:
        raise StepError(step, f"cannot {_deed(step, question, address, port)}: no answer") from None
    except ssl.SSLCertVerificationError as error:
        raise StepError(Step.TLS, f"cannot trust {question.host}: {error.verify_message}") from error
    except (OSError, h11.RemoteProtocolError) as error:
        why = getattr(error, "strerror", None) or str(error) or "the connection broke"
        raise StepError(step, f"cannot {_deed(step, question, address, port)}: {why}") from error


def _deed(step: Step, question: Question, address: str, port: int) -> str:
    match step:
        case Step.CONNECT:
            return f"connect to {address}:{port} ({question.host})"
        case Step.TLS:
            return f"agree on TLS with {question.host}"
    return f"get an answer from https://{question.host}{question.path}"


async def _exchange(question: Question, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Reply:
    state = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)
    content = b"" if question.body is None else json.dumps(question.body).encode()
    headers = [("Host", question.host), ("User-Agent", "inferagent-doctor"), ("Accept", "*/*")]
    headers += [("Accept-Encoding", "identity"), ("Connection", "close"), *question.headers.items()]
    if question.body is not None:
        headers += [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
    method = "GET" if question.body is None else "POST"
    request = h11.Request(method=method, target=question.path, headers=headers)
    writer.write((state.send(request) or b"") + ((state.send(h11.Data(content)) or b"") if content else b""))
    state.send(h11.EndOfMessage())
    await writer.drain()
    return await _answer(state, reader)


async def _answer(state: h11.Connection, reader: asyncio.StreamReader) -> Reply:
    status, headers, body = 0, {}, b""
    while len(body) <= LONGEST:
        event = state.next_event()
        if event is h11.NEED_DATA:
            state.receive_data(await reader.read(CHUNK))
        elif isinstance(event, h11.Response):
            status = event.status_code
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            break
    return Reply(status, headers, body)
