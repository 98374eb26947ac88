"""Texts of metrics as engines and connectors of several releases tell them, whole and spoilt."""

from random import Random

from tests.fuzz.mutate import TEXTS, dumps, latin, spoil_bytes, spoil_json, spoil_lines
from tests.fuzz.runner import Case

from inferagent.lab.connector.metrics import Metrics
from inferagent.lab.engines.counters import Counters
from inferagent.lab.engines.exposition import STARTED, render

COUNTS = (0, 0, 0, 1, 2, 3, 7, 64, 1000, 123456, 2**31, 2**40)
PAGE = b"<html><head><title>502</title></head>\n<body>\n<center>cloudflare</center>\n</body></html>\n"
STATUSES = (200,) * 30 + (204, 301, 404, 404, 429, 500, 502, 503)
TUNNEL = "6f1c2d3e-0000-4000-8000-0123456789ab"


def count(random: Random) -> int:
    return random.choice(COUNTS)


def engine_text(random: Random) -> str:
    """vLLM as it is now, as it was, and with several engines behind one server."""
    match random.randrange(3):
        case 0:
            return stand_in(random)
        case 1:
            return several(random)
        case _:
            return older(random)


def stand_in(random: Random) -> str:
    counters = Counters(count(random), count(random), count(random), count(random))
    for reason in counters.success:
        counters.success[reason] = count(random)
    for _ in range(random.randrange(4)):
        counters.first_token.observe(random.random() * 9)
        counters.iteration.observe(count(random))
    text = render(counters, random.choice(("chat", "a/b-c", r"od\"d")))
    return text.replace(str(STARTED), "1795280178.25")  # the same text in every process


def several(random: Random) -> str:
    """Each family once, a line for each engine; blanks, timestamps and floats as writers differ in them."""
    engines = range(random.randint(1, 4))
    names = [
        ("vllm:num_requests_running", ""), ("vllm:num_requests_waiting", ""),
        ("vllm:kv_cache_usage_perc", ""), ("vllm:generation_tokens_total", ""),
        ("vllm:request_success_total", ',finished_reason="stop"'), ("vllm:num_preemptions_total", ""),
        ("python_info", ""), ("http_requests_total", ',handler="/metrics"'),
    ]  # fmt: skip
    if random.random() < 0.3:
        random.shuffle(names)
    lines = []
    for name, more in names:
        if random.random() < 0.8:
            lines.append(f"# TYPE {name} gauge")
        gap, stamp = random.choice((" ", " ", "  ", "\t")), random.choice(("", "", "", " 1700000000000"))
        space = random.choice(("", "", "", " "))
        for engine in engines:
            value = random.choice((count(random), float(count(random)), f"{count(random):e}"))
            lines.append(
                f'{name}{space}{{engine="{engine}",model_name="m_bucket{{"{more}}}{gap}{value}{stamp}'
            )
    return "\n".join(lines) + "\n"


def older(random: Random) -> str:
    prefix = random.choice(("vllm:", "", "other:"))
    names = ("num_requests_running", "num_requests_waiting", "gpu_cache_usage_perc", "generation_tokens")
    return "".join(f"{prefix}{name} {count(random)}\n" for name in names if random.random() < 0.95)


def connector_text(random: Random) -> str:
    metrics = Metrics(
        total_requests=count(random),
        concurrent_requests=count(random),
        request_errors=count(random),
        config_version=random.choice((-1, 0, 3, 4)),
        ha_connections=random.randrange(5),
        locations=dict.fromkeys(range(random.randrange(5)), "ams01"),
        started=1795280178.25,
    )
    text = metrics.text()
    if random.random() < 0.3:
        text = 'go_gc_duration_seconds{quantile="0"} NaN\n' + text
    return text.replace("cloudflared_tunnel_", "tunnel_") if random.random() < 0.2 else text


def spoil_text(random: Random, text: str) -> bytes:
    """Whole in about half of the inputs; else cut, reordered, renamed, or another text altogether."""
    dice = random.random()
    if dice < 0.4:
        return text.encode()
    if dice < 0.55:
        return text.encode()[: random.randrange(len(text) + 1)]
    if dice < 0.8:
        return spoil_lines(random, text).encode()
    if dice < 0.85:
        return _renamed(random, text).encode()
    if dice < 0.88:
        return random.choice((b"", b"\n", PAGE, PAGE + text.encode(), b"{}", b"ok", b"# EOF\n"))
    if dice < 0.8805:
        return text.encode() * 300  # past the bounds of lines
    return spoil_bytes(random, text.encode())


def _renamed(random: Random, text: str) -> str:
    old = random.choice(("running", "waiting", "engine", "total", "requests", "{", "}", '"', ",", " "))
    new = random.choice(("active", "x", "", "_", "total", *TEXTS[:12]))
    return text.replace(old, new, random.choice((1, 1, -1)))


def connector_case(random: Random) -> Case:
    """The four answers of a connector, each with its status or the way in which it fails."""
    rules = [
        {
            "hostname": "a.example.com",
            "path": random.choice((None, "", "^/x$")),
            "service": "http://127.0.0.1:1",
        },
        {"hostname": "", "path": None, "service": "http_status:404", "originRequest": {}},
    ]
    config = {
        "version": random.choice((-1, 0, 3)),
        "config": {"ingress": random.choice((rules, rules, None))},
    }
    ready = {"status": 200, "readyConnections": random.randrange(5), "connectorId": "life-1"}
    diag = {"tunnelID": TUNNEL, "connectorID": "life-1"}
    return {
        "kind": "connector",
        "/ready": answer(random, json_body(random, ready), statuses=(200, 200, 200, 503)),
        "/metrics": answer(random, spoil_text(random, connector_text(random))),
        "/config": answer(random, json_body(random, config)),
        "/diag/tunnel": answer(random, json_body(random, diag)),
    }


def json_body(random: Random, value: object) -> bytes:
    dice = random.random()
    if dice < 0.45:
        return dumps(random, value)
    if dice < 0.85:
        return dumps(random, spoil_json(random, value))
    return spoil_bytes(random, dumps(random, value))


def answer(random: Random, body: bytes, statuses: tuple[int, ...] = ()) -> Case:
    """`fails` is how the exchange broke off, "" for an answer."""
    fails = random.choice(("", "refused", "silent", "broken")) if random.random() < 0.04 else ""
    status = random.choice(STATUSES if random.random() < 0.1 or not statuses else statuses)
    return {"fails": fails, "status": status, "body": latin(body)}


def engine_case(random: Random) -> Case:
    return {"kind": "engine", "/metrics": answer(random, spoil_text(random, engine_text(random)))}


def list_case(random: Random) -> Case:
    """A list of models, of vLLM or of Ollama."""
    field, key = random.choice((("data", "id"), ("models", "name")))
    entries = [{key: name, "object": "model"} for name in random.sample(("chat", "a:latest", "b"), k=2)]
    value = {"object": "list", field: random.choice((entries, entries, [], None))}
    return {"kind": f"list of {field}", "list": answer(random, json_body(random, value))}
