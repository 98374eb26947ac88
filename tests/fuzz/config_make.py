"""Configurations: valid ones made from the schema, and ways to spoil them."""

from copy import deepcopy
from fractions import Fraction
from random import Random
from typing import Any

from tests.fuzz.config_reference import ORDER
from tests.fuzz.config_words import TABLES, Span, Whole
from tests.fuzz.config_write import write
from tests.fuzz.mutate import latin, odd_value, spoil_bytes, spoil_lines
from tests.fuzz.runner import Case

IDS = ("023e105f4ecef8ad9ca31a8372d0c353", "a", "Pool_1-b")
UUID = "6f2a7a1e-90c4-4a7b-9d3e-2a1f0c9b8d7e"
SECRET = "c2VjcmV0LW9mLXRoZS1sYWIt"  # more follows: each is as long as a real one
DURATIONS: dict[str, tuple[str, ...]] = {
    "drain.deadline": ("2m", "90s", "1h", "120000ms"),
    "drain.deadline_alone": ("1m", "45s", "1m0.5s"),
    "drain.deadline_operator": ("15m", "1h30m", "1d"),
    "drain.settle": ("10s", "1s", "12.5s"),
    "drain.quiet": ("3s", "500ms", "0.5s"),
    "drain.shutdown": ("25s", "1m"),
    "idle.after": ("off", "1h", "30d", "off"),
    "limits.warming_without_progress": ("10m", "5s"),
    "limits.stuck_load": ("10m", "1d"),
    "limits.hold_off": ("1m", "100ms"),
    "limits.hold_off_reset": ("1h", "7d"),
    "limits.no_edge": ("1m", "1s"),
    "limits.reconnect_first": ("1m", "1s"),
    "limits.reconnect_last": ("10m", "1h", "1d"),
    "probe.look": ("2s", "100ms", "1s"),
    "probe.host": ("10s", "20s"),
    "probe.gpus": ("5s", "24s"),
    "probe.membership": ("15s", "500ms"),
    "probe.fresh": ("30s", "10m"),
    "probe.generation_deadline": ("6s", "4s"),
    "probe.suspect_frozen": ("3s", "2.5s"),
    "probe.hang_frozen": ("30s", "1h"),
    "probe.hang_frozen_traffic": ("12s", "30s"),
    "membership.monitor_bound": ("4m", "4h"),
    "notify.after": ("2m", "1s", "1d"),
}
ODD_DURATIONS = (
    "", "0s", "10", "-1s", "1e3s", "10 s", "10S", "off", "Off", "1s1s", "1.5.2s", ".5s", "5.s",
    "9" * 400 + "s", "١٠s", "10s\n", "1h-1m", "1w", "∞", "1m 30s", "0.0000001s",
    "90000s", "1d", "24h", "1ms", "61s", "59s",
)  # fmt: skip
OTHERS: dict[str, tuple[Any, ...]] = {
    "mode": ("observe", "act"),
    "agent.state": ("/var/lib/inferagent", "/tmp/a b", "/é"),
    "agent.run": ("/run/inferagent",),
    "host.name": ("gpu-home", "", "a.b_c"),
    "connector.metrics": ("127.0.0.1:20241", "localhost:1", "[::1]:20241", "10.0.0.9:65535"),
    "connector.hostname": ("gpu-home.example.com", "a.b"),
    "connector.tunnel": (UUID, UUID.upper()),
    "membership.api": (
        "https://api.cloudflare.com/client/v4",
        "http://127.0.0.1:9000/v4/",
        "https://a.example",
    ),
    "membership.alone": (False, False, True),
    "ready.port": (8790, 1, 65535),
    "idle.stop_engine": (True, False),
    "limits.restarts_per_hour": (3, 0, 60),
    "limits.joins_per_hour": (6, 1, 600),
    "probe.falls": (2, 1, 10),
    "notify.exec": ([], ["mail", "-s", "x"]),
    "notify.webhook": (
        "",
        "https://chat.example.com/hooks/x",
        "http://127.0.0.1:9000/x",
        "https://hooks.slack.com/services/T",
        "http://chat.example.com",
    ),
}
URLS = (
    "http://127.0.0.1:11434", "http://localhost:8000/", "http://10.1.2.3:8000", "http://gpu.lan", "http://[::1]:8000",
)  # fmt: skip
ODD_URLS = (
    "https://127.0.0.1", "http://", "http:///x", "http://a:0", "http://a:99999", "http://u:p@a", "http://a?b=c",
    "http://a#b", "http://[::1", "http://a\u0000b", "HTTP://A", " http://a", "http://0.0.0.0:1", "http://[::]:1",
    "http://é.example", "http://a:", "ftp://a", "//a", "a:1", "http://a/v1", "http://a//", "http://a:8000x",
    "http://%31", "http://a\u200b.b", "http://a\x7f", "http://a:٨", "http://[v1.x]", "http://-a-", "http://a..b",
    "http://" + "a" * 300, "http://xn--zzzzzz", "http://a\\b", "http://a:+8", "http://１.2.3.4", "http://a:8_0",
)  # fmt: skip


def document(random: Random) -> dict[str, Any]:
    """A configuration that is right, or nearly: the values are drawn one by one."""
    kind = random.choice(("own-pool", "pull", "replica"))
    found: dict[str, Any] = {"membership": {"kind": kind}, "connector": {"hostname": "gpu-home.example.com"}}
    if kind == "own-pool" or random.random() < 0.1:
        found["membership"] |= {
            name: random.choice(IDS) for name in ("account", "zone", "pool", "load_balancer")
        }
    _runs(random, found["connector"], ["cloudflared", "tunnel", "run"])
    found["engine"] = [_engine(random)]
    if random.random() < 0.2:
        found["check"] = [_check(random) for _ in range(random.choice((0, 1, 1, 2, 3)))]
    for key, choices in (DURATIONS | OTHERS).items():
        if random.random() < 0.25:
            table, _, name = key.rpartition(".")
            value = choices[0] if random.random() < 0.5 else random.choice(choices)
            (found.setdefault(table, {}) if table else found)[name] = value
    return found


def _engine(random: Random) -> dict[str, Any]:
    engine: dict[str, Any] = {"kind": random.choice(("vllm", "ollama")), "url": random.choice(URLS)}
    _runs(random, engine, ["ollama", "serve"])
    if random.random() < 0.3:
        engine["gpus"] = random.choice(("all", [0, 1], [], [0, 3], [255]))
    engine["serves"] = random.choice(
        ({"chat": "llama3:8b"}, {"a.b": "x", "ü": "y"}, {"secret-model": "token"})
    )
    return engine


def _runs(random: Random, part: dict[str, Any], command: list[str]) -> None:
    if random.random() < 0.4:
        part["unit"] = random.choice(("ollama.service", "a@b.service"))
        return
    part["command"] = command
    if random.random() < 0.3:
        part["environment"] = random.choice(
            ({}, {"CUDA_VISIBLE_DEVICES": "0"}, {"A": "1", "TOKEN_FILE": "/x"})
        )


# spoiling the document


def spoil(random: Random, found: dict[str, Any], secrets: list[str]) -> None:
    """Keys misspelt, moved, missing; values of another kind or out of range; secrets in the wrong place."""
    if random.random() < 0.4:
        random.choice((_at_the_edge, _close_together))(random, found)
        return
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        tables = [
            table for table in [found, *found.values(), *found.get("engine", [])] if isinstance(table, dict)
        ]
        table = random.choice(tables)
        key = random.choice(list(table)) if table else "look"
        match random.randrange(9):
            case 0:
                table.pop(key, None)
            case 1:
                table[_misspelt(random, key)] = table.pop(key, 1)
            case 2:
                random.choice(tables)[key] = deepcopy(table.get(key, 5))
            case 3:
                _plant(random, table, secrets)
            case 4:
                _swap_durations(random, found)
            case _:
                table[key] = _odd(random)
        if not isinstance(found.get("engine", []), list):
            return


def _at_the_edge(random: Random, found: dict[str, Any]) -> None:
    """A number at one of its limits, or one step past it."""
    limits = {f"{table}.{name}": key.check for table, keys in TABLES.items() for name, key in keys.items()}
    key, check = random.choice(
        [(key, check) for key, check in limits.items() if isinstance(check, Span | Whole)]
    )
    end, step = random.choice(((check.low, -1), (check.high, 1)))
    if isinstance(check, Whole):
        put(found, key, random.choice((end, end + step)))
    else:
        milliseconds = int(Fraction(end) * 1000)
        put(found, key, f"{milliseconds + random.choice((0, step))}ms")


def _close_together(random: Random, found: dict[str, Any]) -> None:
    """Two durations of which one must not be below the other: equal, or one step apart."""
    low, high, _ = random.choice(ORDER)
    milliseconds = random.choice((1000, 2500, 6000, 8000, 20_000, 60_000))
    put(found, low, f"{milliseconds}ms")
    put(found, high, f"{milliseconds + random.choice((-1, 0, 1))}ms")


def _check(random: Random) -> dict[str, Any]:
    """Mostly right; two of one name, or too slow for their pace, now and then."""
    check: dict[str, Any] = {"exec": [random.choice(("/usr/bin/disk-ok", "true", "/bin/a b", "./x/", "/"))]}
    choices: dict[str, tuple[Any, ...]] = {
        "name": ("disk", "gate", "a.b_c-d", "", "-x"),
        "every": ("60s", "10s", "1d", "1s"),
        "deadline": ("10s", "9999ms", "1m", "500ms"),
        "effect": ("tell", "degrade", "drain", "Drain"),
    }
    for name, values in choices.items():
        if random.random() < 0.5:
            check[name] = random.choice(values[:-1] if random.random() < 0.9 else values)
    return check


def put(found: dict[str, Any], key: str, value: Any) -> None:
    table, _, name = key.rpartition(".")
    found.setdefault(table, {})[name] = value


def _odd(random: Random) -> Any:
    match random.randrange(4):
        case 0:
            return random.choice(ODD_DURATIONS)
        case 1:
            return random.choice(ODD_URLS)
        case 2:
            return _extreme(random)
        case _:
            return odd_value(random)


def _misspelt(random: Random, key: str) -> str:
    at = random.randrange(len(key) + 1)
    return random.choice(
        (key[:at] + key[at + 1 :], key[:at] + "x" + key[at:], key.upper(), key.replace("_", "-"), "é")
    )


def _swap_durations(random: Random, found: dict[str, Any]) -> None:
    """Right alone and perhaps wrong together."""
    key, other = random.sample(list(DURATIONS), k=2)
    table, _, name = key.rpartition(".")
    if isinstance(found.setdefault(table, {}), dict):
        found[table][name] = random.choice(DURATIONS[other])


def _plant(random: Random, table: dict[str, Any], secrets: list[str]) -> None:
    secret = SECRET + "".join(random.choices("abcdefghijkmnpqrstuvwxyzABCDEFG0123456789", k=32))
    secrets.append(secret)
    match random.randrange(6):
        case 0:
            table[random.choice(("api_token", "token", "TUNNEL_TOKEN", "password", "api-key"))] = secret
        case 1:
            table["command"] = ["x", random.choice((f"--token={secret}", f"TUNNEL_TOKEN={secret}")), "y"]
        case 2:
            table["command"] = ["x", "--token", secret]
        case 3:
            table["environment"] = {"HF_TOKEN": secret, "A": "1"}
        case 4:
            table[random.choice(list(table) or ["name"])] = random.choice((secret, [secret], {"a": secret}))
        case _:
            table[random.choice(("url", "api", "metrics"))] = (
                f"http://{random.choice(('u:', 'a/', 'a?k='))}{secret}@h"
            )


def _extreme(random: Random) -> Any:
    """Too long, too deep, too many."""
    nested: Any = 1
    for _ in range(random.choice((3, 60))):
        nested = random.choice(({"a": nested}, [nested]))
    many = {f"k{number}": number for number in range(random.choice((50, 300)))}
    return random.choice(("x" * 5000, nested, many, list(range(300)), 10**30, 16**600, [[]] * 50))


# the whole input


def make(random: Random) -> Case:
    secrets: list[str] = []
    found = document(random)
    dice = random.random()
    if dice > 0.4:
        spoil(random, found, secrets)
    files = _files(random, found)
    if dice > 0.85:
        name = random.choice(list(files))
        files[name] = _spoilt_text(random, files[name])
    if random.random() < 0.01:
        files["conf.d/extreme.toml"] = _extreme_text(random)
    if random.random() < 0.005:
        files = {name: text for name, text in files.items() if not name.endswith(".toml")}
    return {"files": {name: latin(content) for name, content in files.items()}, "secrets": secrets}


def _files(random: Random, found: dict[str, Any]) -> dict[str, bytes]:
    """In one file, or with part of it in conf.d; files of another name count for nothing."""
    files: dict[str, bytes] = {}
    if random.random() < 0.25:
        moved = {key: found.pop(key) for key in list(found) if random.random() < 0.3}
        overlay = {key: value for key, value in document(random).items() if random.random() < 0.2}
        files["conf.d/20-b.toml"] = _bytes(write(random, moved))
        if random.random() < 0.5:
            files["conf.d/10-a.toml"] = _bytes(write(random, overlay))
    if random.random() < 0.1:
        files["conf.d/notes.txt"] = b"\0not read"
    if found or not files:
        files["config.toml"] = _bytes(write(random, found))
    return files


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _spoilt_text(random: Random, content: bytes) -> bytes:
    if random.random() < 0.4:
        return _bytes(spoil_lines(random, content.decode("utf-8", "replace")))
    return spoil_bytes(random, content)


def _extreme_text(random: Random) -> bytes:
    """Texts that are short to write and hard to read."""
    deep, many = random.choice((30, 300, 2000)), random.choice((100, 1500))
    return random.choice((
        "a = " + "[" * deep + "]" * deep,
        "a = " + "{a=" * deep + "1" + "}" * deep,
        ".".join(["a"] * deep) + " = 1",
        "[" + ".".join(["a"] * deep) + "]",
        f"a = {'1' * 5000}",
        f"a = 0x{'f' * 5000}",
        f"a = 1e{'9' * 50}",
        "\n".join(f"k{number} = {number}" for number in range(many)),
        "\n".join(f"[t{number}]\na = 1" for number in range(many)),
        "[[engine]]\n" * many,
        'a = """' + '"' * deep + '\n"""',
        "a = '''" + "x\n" * many + "'''",
        "#" * 100_000,
        "a" * 50_000 + " = 1",
        "x = 1\n" * 2 + "[probe]\n" * 2,
        "\n" * (1024 * 1024 + 1) if deep == 2000 else "\n" * many,
    )).encode()  # fmt: skip
