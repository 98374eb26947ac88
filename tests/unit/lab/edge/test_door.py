"""Access in front of a hostname, and the edge's clock."""

import ssl
from email.utils import parsedate_to_datetime

import aiohttp
import pytest
from tests.support.edge_lab import PUBLIC

from inferagent.lab.edge.control import BadCommandError

TOKEN = {"CF-Access-Client-Id": "id", "CF-Access-Client-Secret": "secret"}


async def test_a_login_page_instead_of_an_answer(edge, connected, users):
    await edge.command({"do": "access", "hostname": PUBLIC})
    async with users.get("/v1", allow_redirects=False) as answer:
        assert answer.status == 302
        assert ".cloudflareaccess.com/cdn-cgi/access/login/" in answer.headers["Location"]


async def test_a_service_token_passes_and_another_does_not(edge, connected, users):
    await edge.command(
        {"do": "access", "hostname": PUBLIC, "client_id": "id", "client_secret": "secret", "login": False}
    )
    async with users.get("/v1", headers=TOKEN) as answer:
        assert answer.status == 200
    async with users.get("/v1", headers={**TOKEN, "CF-Access-Client-Secret": "no"}) as answer:
        assert (answer.status, answer.headers["CF-Access-Domain"]) == (403, PUBLIC)
    await edge.command({"do": "access", "hostname": PUBLIC, "off": True})
    async with users.get("/v1") as answer:
        assert answer.status == 200


async def test_the_clock_of_the_edge(edge, connected, users):
    async with users.get("/v1") as answer:
        now = parsedate_to_datetime(answer.headers["Date"])
    await edge.command({"do": "clock", "ahead": 600})
    async with users.get("/v1") as answer:
        then = parsedate_to_datetime(answer.headers["Date"])
    assert 590 < (then - now).total_seconds() < 620


async def test_the_same_door_by_tls(edge, connected):
    context = ssl.create_default_context(cafile=edge.ca_path)
    url = f"https://127.0.0.1:{edge.public.tls_port}/v1"
    how = {"headers": {"Host": PUBLIC}, "ssl": context, "server_hostname": PUBLIC}
    async with aiohttp.ClientSession() as session, session.get(url, **how) as answer:
        assert answer.status == 200


async def test_orders_that_mean_nothing(edge):
    for order in (
        {"do": "access"},
        {"do": "names", "say": "what"},
        {"do": "access", "hostname": "h", "x": 1},
    ):
        with pytest.raises(BadCommandError):
            await edge.command(order)
