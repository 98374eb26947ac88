"""Answers of the account API: pools, load balancer, lists in pages, refusals; whole and spoilt."""

from random import Random
from typing import Any

from tests.fuzz.mutate import dumps, latin, odd_value, spoil_bytes, spoil_json
from tests.fuzz.runner import Case

OWN = "17b5962d775c646f3f9725cbc7a53df4"
OTHERS = ("a", "b", "c", "5")
PAGE = b"<html><head><title>502</title></head><body>cloudflare</body></html>"
STATUSES = (*range(200, 209), 226, *range(300, 309), *range(400, 432), 451, *range(500, 531), 599)
AFTER = ("", "0", "1", "17", "300", "301", "1e9", "-5", "nan", "inf", "-inf", "1e400", "soon", "٣", "1_0",
         " 5 ", "Wed, 21 Oct 2026 07:28:00 GMT", "0x10", "9" * 400, "\x00", "5, 6")  # fmt: skip
MESSAGES = ("Authentication error", "pool not found", "", "rate limited", "ü", "%s", "<b>", "x" * 3000)


def pool(random: Random, key: str) -> dict[str, Any]:
    entry = {"name": key, "address": f"{key}.cfargotunnel.com", "enabled": random.random() < 0.9, "weight": 1}
    found = {
        "id": key,
        "name": f"pool-{key}",
        "description": random.choice(("", "inferagent machine=0123456789abcdef serves=chat", "mine", None)),
        "enabled": random.random() < 0.7,
        "healthy": random.choice((True, True, False, None)),
        "origins": [entry] * random.choice((1, 1, 1, 0, 2)),
        "monitor": "f1aba936b94213e5b8dca0c0dbf1f9cc",
    }
    for name in ("healthy", "description", "enabled"):
        if random.random() < 0.1:
            del found[name]
    return found


def balancer(random: Random) -> dict[str, Any]:
    order = [OWN, *random.sample(OTHERS, k=random.randrange(4))]
    random.shuffle(order)
    found = {
        "id": "lb",
        "name": "llm",
        "enabled": random.random() < 0.9,
        "default_pools": order,
        "fallback_pool": "z",
    }
    if random.random() < 0.1:
        del found["enabled"]
    return found


def make(random: Random) -> Case:
    """Two good answers, or one spoilt on its way; or a list in pages; or a write."""
    pools = [pool(random, key) for key in (OWN, *OTHERS, "z") if random.random() < 0.95]
    random.shuffle(pools)
    case: Case = {
        "own": OWN,
        "primed": random.random() < 0.15,
        "deed": random.choice(("read",) * 8 + ("push", "pages")),
        "before": [answer(200, envelope(pools, random)), answer(200, envelope(balancer(random), random))],
    }
    results: list[Any] = [pools, balancer(random)]
    spoilt = random.random() < 0.75
    bad = random.randrange(2)
    case["pools"], case["balancer"] = (
        _script(random, found, spoilt and number == bad) for number, found in enumerate(results)
    )
    return case


def _script(random: Random, found: Any, spoilt: bool) -> list[Case]:
    """The answers to one call after another; the last one repeats itself."""
    if not spoilt:
        return [answer(200, envelope(found, random))]
    script = [_spoilt(random, found) for _ in range(random.choice((1, 1, 1, 2)))]
    if random.random() < 0.1:
        script.append(answer(200, envelope(found, random)))
    return script


def envelope(found: Any, random: Random) -> bytes:
    whole = {"result": found, "success": True, "errors": [], "messages": []}
    if isinstance(found, list):
        whole["result_info"] = {"page": 1, "per_page": 50, "count": len(found), "total_count": len(found)}
    return dumps(random, whole)


def _spoilt(random: Random, found: Any) -> Case:
    dice = random.random()
    if dice < 0.5:
        return answer(200, envelope(spoil_json(random, found), random))
    if dice < 0.6:
        return answer(200, dumps(random, spoil_json(random, _refusal(random, found))))
    if dice < 0.7:
        return answer(200, _doubled(random, envelope(found, random)))
    if dice < 0.85:
        status = random.choice(STATUSES)
        body = random.choice((envelope(found, random), dumps(random, _refusal(random, None)), PAGE, b""))
        return _with_headers(random, answer(status, body))
    if dice < 0.9:
        return {
            "fails": random.choice(("connect", "read", "protocol", "decoding")),
            "status": 200,
            "body": "",
        }
    return answer(200, spoil_bytes(random, envelope(found, random)))


def _refusal(random: Random, found: Any) -> dict[str, Any]:
    errors: Any = [{"code": random.choice((10000, 1001, 6003, 0, "x")), "message": random.choice(MESSAGES)}]
    errors = random.choice((errors, errors * 2, [], None, {}, "no", [None], [[]], odd_value(random)))
    return {
        "result": found,
        "success": random.choice((False, False, True, None, "false", 0)),
        "errors": errors,
    }


def _doubled(random: Random, body: bytes) -> bytes:
    """The same key twice in one object: readers of JSON take the last."""
    value = random.choice((b"true", b"false", b"null", b'"no"'))
    return body.replace(b'"enabled": ', b'"enabled": ' + value + b', "enabled": ', random.choice((1, 2, -1)))


def _with_headers(random: Random, given: Case) -> Case:
    given["after"] = random.choice(AFTER)
    if random.random() < 0.2:
        given["encoding"] = random.choice(("gzip", "br", "deflate", "zstd", "x"))
    return given


def answer(status: int, body: bytes) -> Case:
    return {"fails": "", "status": status, "body": latin(body)}
