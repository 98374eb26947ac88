"""Looks from outside: names, Cloudflare's edge, and one real answer by the names that users call."""

import asyncio
from dataclasses import dataclass

from inferagent.adapters.hops.names import Names, NoNameError
from inferagent.adapters.hops.ports import quic_answers, tcp_opens
from inferagent.adapters.hops.public import Question, Reply, Step, StepError, fetch, trust
from inferagent.ports import PortError
from inferagent.programs.doctor.looks_account import balancer
from inferagent.programs.doctor.looks_config import SERVICE_TOKEN, SETUP_RECORD, settings
from inferagent.programs.doctor.sight import Look, Sight
from inferagent.programs.doctor.values import text
from inferagent.programs.doctor.verdict import CannotTellError, NotHereError

RESOLVING, REACHING = 3.0, 2.0  # seconds
LONGEST = 600.0  # an answer's own bound; the run's is shorter
READY_PATH = "/.inferagent/ready"
CHAT = "/v1/chat/completions"
TRIES = 2  # addresses of one name

Addresses = tuple[str, ...] | NoNameError


async def _addresses(sight: Sight, host: str, port: int) -> Addresses:
    """IPv4 first: a host without IPv6 is no fault."""
    names = Names(sight.direction.resolve, sight.direction.dns)
    try:
        found = await names.addresses(host, port, min(RESOLVING, sight.left()))
    except NoNameError as error:
        return error
    return tuple(sorted(found, key=lambda address: ":" in address))


async def _own(sight: Sight) -> Addresses:
    return await _addresses(sight, (await settings(sight)).connector.hostname, sight.direction.https_port)


OWN_ADDRESSES = Look("resolve the host's name", _own)


async def _public_name(sight: Sight) -> str:
    """The name that users call: as told, as setup noted it, or that of the load balancer."""
    told = sight.direction.public or text(await sight.see(SETUP_RECORD), "public")
    try:
        name = told or text(await balancer(sight), "name")
    except (CannotTellError, NotHereError):
        name = ""
    if not name:
        raise NotHereError("nobody told which name users call (--public NAME)")
    return name


PUBLIC_NAME = Look("learn the public name", _public_name)


async def _public(sight: Sight) -> Addresses:
    return await _addresses(sight, await sight.see(PUBLIC_NAME), sight.direction.https_port)


PUBLIC_ADDRESSES = Look("resolve the public name", _public)


async def _edges(sight: Sight) -> tuple[tuple[str, Addresses], ...]:
    return tuple([(host, await _addresses(sight, host, port)) for host, port in sight.direction.edge])


EDGE_ADDRESSES = Look("resolve the edge's names", _edges)


@dataclass(frozen=True, slots=True)
class Reached:
    """How many of the edge's places answered; `why` is the first failure."""

    answered: int
    asked: int
    why: str


async def _reached(sight: Sight, quic: bool) -> Reached:
    found = await sight.see(EDGE_ADDRESSES)
    places = [
        (addresses[0], port)
        for (_, addresses), (_, port) in zip(found, sight.direction.edge, strict=True)
        if not isinstance(addresses, NoNameError)
    ]

    async def failure(address: str, port: int) -> str:
        try:
            await (quic_answers if quic else tcp_opens)(address, port, min(REACHING, sight.left()))
        except PortError as error:
            return str(error)
        return ""

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(failure(*place)) for place in places]
    failures = [why for task in tasks if (why := task.result())]
    return Reached(len(places) - len(failures), len(places), failures[0] if failures else "")


async def _tcp(sight: Sight) -> Reached:
    return await _reached(sight, quic=False)


async def _udp(sight: Sight) -> Reached:
    return await _reached(sight, quic=True)


EDGE_TCP, EDGE_UDP = Look("reach the edge by TCP", _tcp), Look("reach the edge by UDP", _udp)


async def _fetched(sight: Sight, question: Question, addresses: Addresses) -> Reply | StepError:
    if isinstance(addresses, NoNameError):
        raise CannotTellError(str(addresses))
    context, failed = trust(sight.direction.ca), None
    for address in addresses[:TRIES]:
        try:
            return await fetch(question, address, sight.direction.https_port, context, sight.left())
        except StepError as error:
            failed = failed or error
            if error.step is not Step.CONNECT:
                return error
    return failed or StepError(Step.CONNECT, f"cannot connect to {question.host}: no address")


async def _page(sight: Sight) -> Reply | StepError:
    host = (await settings(sight)).connector.hostname
    headers = await sight.see(SERVICE_TOKEN)
    return await _fetched(sight, Question(host, READY_PATH, None, headers), await sight.see(OWN_ADDRESSES))


READY_PAGE = Look("fetch the ready URL from outside", _page, 5.0)


def chat(model: str) -> dict[str, object]:
    return {"model": model, "max_tokens": 1, "messages": [{"role": "user", "content": "Say yes."}]}


async def _answer(sight: Sight, host: str, addresses: Addresses) -> Reply | StepError:
    model = (await settings(sight)).only_engine.serves[0][0]
    headers = await sight.see(SERVICE_TOKEN)
    return await _fetched(sight, Question(host, CHAT, chat(model), headers), addresses)


async def _host_answer(sight: Sight) -> Reply | StepError:
    host = (await settings(sight)).connector.hostname
    return await _answer(sight, host, await sight.see(OWN_ADDRESSES))


async def _public_answer(sight: Sight) -> Reply | StepError:
    return await _answer(sight, await sight.see(PUBLIC_NAME), await sight.see(PUBLIC_ADDRESSES))


HOST_ANSWER = Look("get an answer by the host's name", _host_answer, LONGEST)
PUBLIC_ANSWER = Look("get an answer by the public name", _public_answer, LONGEST)
