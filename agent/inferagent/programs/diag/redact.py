"""Takes secrets and ids out of any text: those that are known by their value, then what only looks like one.

An id becomes a name that is the same throughout the bundle, so that two places can still be compared.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

HIDDEN = "(hidden)"
SHORTEST = 6  # characters; a shorter secret would take half of the text with it
OPEN_PATHS = ("/v1/", "/api/", "/.inferagent/", "/client/v4", "/metrics", "/ready", "/health", "/config")
OPEN_PLACES = ("127.0.0.1", "localhost", "::1", "dash.cloudflare.com", "one.dash.cloudflare.com")

_ID = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-fA-F]{32})(?![0-9A-Za-z])"
)
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s\"'<>\\)\]},]+", re.IGNORECASE)
_MAIL = re.compile(r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b")
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE)
_NAMED = re.compile(
    r"([\w-]*(?:token|secret|password|passwd|api[_-]?key|private[_-]?key|authorization)[\w-]*[\"']?"
    r"(?:\s*[=:]\s*|\s+)[\"']?)([A-Za-z0-9._~+/=-]{8,})",
    re.IGNORECASE,
)
_TYPICAL = re.compile(
    r"\b(?:cfast_|cfut_|cfat_|hf_|sk-|gh[pousr]_|github_pat_|glpat-|xox[a-z]-|AIza|ya29\.|AKIA|eyJ)[\w.=/+-]{8,}"
)
_LONG = re.compile(r"(?<![\w/.+=-])[A-Za-z0-9_+=-]{36,}(?![\w/.+=-])")


class Redactor:
    """`names` are values with the word that stands for them, such as an account's id and "account"."""

    def __init__(self, secrets: Iterable[str] = (), names: Iterable[tuple[str, str]] = ()) -> None:
        self._secrets = sorted({form for secret in secrets for form in forms(secret)}, key=len, reverse=True)
        self._names = {value: f"({word})" for value, word in names if len(value) >= SHORTEST}

    def clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        text = _BEARER.sub(lambda found: f"{found[1]} {HIDDEN}", text)
        text = _URL.sub(lambda found: _url(found[0]), text)
        text = _TYPICAL.sub(HIDDEN, text)
        for value, word in self._names.items():
            text = text.replace(value, word)
        text = _ID.sub(lambda found: self._names.setdefault(found[0], f"(id {len(self._names) + 1})"), text)
        text = _NAMED.sub(lambda found: f"{found[1]}{_unless_plain(found[2])}", text)
        text = _LONG.sub(lambda found: HIDDEN if _looks_random(found[0]) else found[0], text)
        return _MAIL.sub("(mail)", text)

    def leaks(self, content: bytes) -> bool:
        """Whether a known secret stands in it after all."""
        return any(secret.encode() in content for secret in self._secrets)


def forms(secret: str) -> set[str]:
    """The ways in which a secret may be written: itself, for a URL, in base64; and the parts of a token."""
    secret = secret.strip()
    if len(secret) < SHORTEST:
        return set()
    raw = secret.encode()
    found = {secret, quote(secret, safe=""), json.dumps(secret)[1:-1]}
    found |= {base64.b64encode(raw).decode().rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("=")}
    return found | _parts(secret) | (_address_parts(secret) if "://" in secret else set())


def _address_parts(url: str) -> set[str]:
    """Of a webhook's address: path and query, and each part of them that is no plain word."""
    parts = urlsplit(url)
    values = [value for pair in parts.query.split("&") if (value := pair.partition("=")[2])]
    words = [word for word in (*parts.path.split("/"), *values) if not word.islower() or not word.isalpha()]
    return {part for part in (parts.path, parts.query, *words) if len(part) > SHORTEST}


def _parts(token: str) -> set[str]:
    """Of a tunnel's token: the secret within, as it stands there and decoded."""
    try:
        content = json.loads(base64.b64decode(token + "=" * (-len(token) % 4)))
        inner = content["s"]
        decoded = base64.b64decode(inner).decode("ascii", "ignore")
    except (binascii.Error, ValueError, KeyError, TypeError):
        return set()
    return {part for part in (inner, inner.rstrip("="), decoded) if len(part) >= SHORTEST}


def _url(url: str) -> str:
    """Without user and query; the path stays where it is known to tell nothing."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return HIDDEN
    place = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
    path = parts.path
    if path not in ("", "/") and host not in OPEN_PLACES and not path.startswith(OPEN_PATHS):
        path = f"/{HIDDEN}"
    query = f"?{HIDDEN}" if parts.query else ""
    return f"{place}{path}{query}"


def _unless_plain(word: str) -> str:
    """A word, a number or a path after "token" is talk; anything that mixes is taken for a secret."""
    mixed = any(c.isdigit() for c in word) and any(c.isalpha() for c in word)
    return HIDDEN if mixed and not word.startswith("/") else word


def _looks_random(word: str) -> bool:
    return any(c.isdigit() for c in word) and any(c.isalpha() for c in word)
