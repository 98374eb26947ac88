"""Metrics and lists of engine and connector, through the adapters' own readers, against the strict reference.

Wrong is: a number that the text does not say; n/a or a number where a line cannot be trusted (unknown is
neither unhealthy nor quiet); a reading that failed on a text without a fault.
"""

import asyncio
import json
import math
from random import Random
from typing import Any

from tests.fuzz import metrics_make
from tests.fuzz.metrics_reference import ABSENT, DOUBT, Text, plain, read
from tests.fuzz.mutate import raw
from tests.fuzz.runner import Case, Judged

from inferagent.adapters.engine.ollama import degraded, model_names
from inferagent.adapters.engine.stay import expiry, listed
from inferagent.adapters.engine.vllm import MOVING, model_ids, read_metrics
from inferagent.adapters.local_http import Answer, BrokenError, LocalHttp, RefusedError, SilentError
from inferagent.adapters.tunnel.cloudflared import IN_FLIGHT, NO_TUNNEL, TOTAL, Cloudflared
from inferagent.model.engine import Load, Progress
from inferagent.model.reading import Failed, NotAvailable, Reading, Value, known
from inferagent.model.tunnel import ConnectorLook, Ingress, IngressRule
from inferagent.ports import PortError

EXACT = 2**53  # larger sums of floats are no longer exact


class StillClock:
    def now(self) -> float:
        return 100.0

    def boot(self) -> str:
        return "one"

    def wall(self) -> str:
        return ""

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("a look does not wait")


class Book(LocalHttp):
    """Answers from memory."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1")
        self.answers: Case = {}

    async def ask(self, method: str, path: str, timeout: float, body: object = None) -> Answer:
        return given(self.answers[path])


def given(answer: Case) -> Answer:
    match answer["fails"]:
        case "refused":
            raise RefusedError("cannot reach it: the port refuses")
        case "silent":
            raise SilentError("cannot get an answer", taken=True)
        case "broken":
            raise BrokenError("cannot get a whole answer")
    return Answer(answer["status"], raw(answer["body"]))


class Read(Cloudflared):
    """The connector's adapter over a book."""

    def __init__(self, book: Book) -> None:
        super().__init__("127.0.0.1:1", clock=StillClock())
        self._http = book


class Metrics:
    name = "metrics"

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._book = Book()
        self._plain = Read(self._book).__dict__

    def close(self) -> None:
        self._loop.close()

    def make(self, random: Random) -> Case:
        dice = random.random()
        if dice < 0.5:
            return metrics_make.engine_case(random)
        return metrics_make.connector_case(random) if dice < 0.9 else metrics_make.list_case(random)

    def judge(self, case: Case) -> Judged:
        if case["kind"] == "engine":
            return _engine(case["/metrics"])
        if case["kind"] == "connector":
            return self._connector(case)
        return _list(case["kind"].rpartition(" ")[2], case["list"])

    def _connector(self, case: Case) -> Judged:
        self._book.answers = case
        connector = Read.__new__(Read)
        connector.__dict__.update(self._plain)  # a fresh one: making its HTTP client costs milliseconds
        look = self._loop.run_until_complete(connector.look())
        if case["/ready"]["fails"] == "refused":
            refused = known(look.ready) == 0 and isinstance(look.traffic, Failed)
            return Judged("refused", () if refused else ("a refused port is no connection and no traffic",))
        wrong = [*_ready(case, look), *_traffic(case, look), *_ingress(case, look), *_tunnel(case, look)]
        return Judged(_word(look.traffic), tuple(wrong))


STEPS = {"generated", "kv", "iterated", "streamed"}


def _word(reading: Reading[Any]) -> str:
    return {Value: "accepted", NotAvailable: "unknown"}.get(type(reading), "refused")


def _engine(answer: Case) -> Judged:
    if answer["fails"]:
        return Judged("refused")
    status, body = answer["status"], raw(answer["body"])
    load, progress = read_metrics(Answer(status, body), 1.0)
    if status != 200:
        kind = NotAvailable if status == 404 else Failed
        right = isinstance(load, kind) and isinstance(progress, kind)
        return Judged(_word(load), () if right else (f"HTTP {status} is read as {load}",))
    text = read(body)
    return Judged(_word(load), (*_load(text, load), *_progress(text, progress)))


def _load(text: Text, load: Reading[Load]) -> list[str]:
    running, waiting = text.count("num_requests_running"), text.count("num_requests_waiting")
    found = known(load)
    told = None if found is None else (found.running, found.waiting)
    return _counts("the load", text, (running, waiting), told, isinstance(load, NotAvailable))


def _counts(
    what: str, text: Text, wanted: tuple[int | str, ...], told: tuple[int, ...] | None, absent: bool
) -> list[str]:
    """What was told of some counts against what the text says of them."""
    one_of_two = ABSENT in wanted and wanted != (ABSENT, ABSENT)
    if DOUBT in wanted or one_of_two or (ABSENT in wanted and text.damaged):
        fine = told is None and not absent
        return [] if fine else [f"{what}: {told or 'n/a'} from a text that leaves it in doubt: {wanted}"]
    if ABSENT in wanted:
        return [] if told is None else [f"{what}: {told} is invented, the text says {wanted}"]
    if any(isinstance(count, int) and count > EXACT for count in wanted):
        return []
    if told is None:
        return [] if text.damaged and not absent else [f"{what}: nothing is told, the text says {wanted}"]
    return [] if told == wanted else [f"{what}: {told}, the text says {wanted}"]


def _progress(text: Text, progress: Reading[Progress]) -> list[str]:
    found = known(progress)
    told = dict(found.signature) if found else {}
    if not all(math.isfinite(value) for value in told.values()):
        return [f"the progress is not finite: {told}"]
    invented = [part for part in told if not any(text.of(name) for name in MOVING[part])]
    if invented:
        return [f"the progress of {invented} is invented"]
    if text.damaged:
        return [] if not isinstance(progress, NotAvailable) else ["progress is n/a in a damaged text"]
    wanted = {part: value for part in MOVING if (value := _moving(text, part)) is not None}
    if STEPS.isdisjoint(wanted):
        return [f"the progress is {told}, and nothing moves with each step"] if told else []
    if all(value == "any" or math.isclose(told.get(part, math.nan), value) for part, value in wanted.items()):
        return []
    return [f"the progress is {told}, the text says {wanted}"]


def _moving(text: Text, part: str) -> float | str | None:
    """The sum of one part less what is no progress; "any" where a line has no finite number."""
    for name in MOVING[part]:
        lines = text.of(name)
        if lines:
            ended = [line for line in lines if not _gave_up(line.labels)]
            if any(line.value is None for line in lines) or not ended:
                return "any"
            total = sum(line.value for line in ended if line.value is not None)
            return float(total) if abs(total) < EXACT else "any"
    return None


def _gave_up(labels: tuple[tuple[str, str], ...]) -> bool:
    return any(name == "finished_reason" and value in ("abort", "error") for name, value in labels)


def _json(answer: Case) -> Any:
    """The value of a good answer; the absence of one is a text that no JSON is."""
    if answer["fails"] or answer["status"] != 200:
        return "unreadable"
    try:
        return json.loads(raw(answer["body"]))
    except (ValueError, RecursionError):
        return "unreadable"


def _object(answer: Case) -> dict[str, Any]:
    value = _json(answer)
    return value if isinstance(value, dict) else {}


def _ready(case: Case, look: ConnectorLook) -> list[str]:
    answer = case["/ready"]
    count = _object(answer | {"status": 200 if answer["status"] == 503 else answer["status"]})
    wanted = count.get("readyConnections")
    wanted = wanted if type(wanted) is int and wanted >= 0 else None
    if answer["status"] == 503 and wanted is not None:
        wanted = 0
    told = known(look.ready)
    return [] if told == wanted and type(told) is type(wanted) else [f"/ready: {told!r}, not {wanted!r}"]


def _traffic(case: Case, look: ConnectorLook) -> list[str]:
    answer, found = case["/metrics"], known(look.traffic)
    told = None if found is None else (found.total, found.in_flight)
    if answer["fails"] or answer["status"] != 200:
        return [] if told is None else [f"traffic {told} from no answer"]
    text = read(raw(answer["body"]))
    wanted = text.count(*map(plain, TOTAL)), text.count(*map(plain, IN_FLIGHT))
    return _counts("the traffic", text, wanted, told, isinstance(look.traffic, NotAvailable))


def _ingress(case: Case, look: ConnectorLook) -> list[str]:
    told, wanted = known(look.ingress), _rules(_object(case["/config"]))
    return [] if told == wanted else [f"the ingress is read as {told}, not {wanted}"]


def _rules(body: dict[str, Any]) -> Ingress | None:
    """None where anything in it has another type than the connector gives it."""
    version, config = body.get("version"), body.get("config")
    if type(version) is not int or not isinstance(config, dict) or "ingress" not in config:
        return None
    entries = [] if config["ingress"] is None else config["ingress"]
    if not isinstance(entries, list):
        return None
    rules = []
    for entry in entries:
        fields = (
            [entry.get(key) for key in ("hostname", "path", "service")] if isinstance(entry, dict) else [0]
        )
        if not all(field is None or isinstance(field, str) for field in fields):
            return None
        rules.append(IngressRule(*(field or "" for field in fields)))
    return Ingress(version, tuple(rules))


def _tunnel(case: Case, look: ConnectorLook) -> list[str]:
    found = _object(case["/diag/tunnel"]).get("tunnelID")
    wanted = found if isinstance(found, str) and found not in ("", NO_TUNNEL) else None
    told = known(look.tunnel_id)
    return [] if told == wanted else [f"the tunnel is read as {told!r}, not {wanted!r}"]


def _list(field: str, answer: Case) -> Judged:
    """A list that cannot be understood is unknown: a model that it does not name is not missing."""
    value = _json(answer)
    reader, key = (model_ids, "id") if field == "data" else (model_names, "name")
    told = wanted = None
    if isinstance(value, dict):
        wanted = _names(value, field, key)
        try:
            told = reader(value)
            if field == "models":
                degraded(listed(value))
                expiry(listed(value), listed(value), "chat")
        except PortError:
            told = None
    names = None if told is None or wanted is None else {name.removesuffix(":latest") for name in told}
    right = names == wanted if wanted is not None else told is None
    return Judged("refused" if told is None else "accepted", () if right else (f"{told}, not {wanted}",))


def _names(value: dict[str, Any], field: str, key: str) -> set[str] | None:
    if field not in value:
        return None
    entries = [] if value[field] is None else value[field]
    if not isinstance(entries, list):
        return None
    names = [entry.get(key) if isinstance(entry, dict) else None for entry in entries]
    found = {name.removesuffix(":latest") for name in names if isinstance(name, str)}
    return found if len([name for name in names if isinstance(name, str)]) == len(names) else None
