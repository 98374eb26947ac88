import asyncio

import capnp
import pytest

from inferagent.lab.wire.rpc import SCHEMA, RpcError, rpc_loop, rpc_stream


class Registrar(SCHEMA.Registry.Server):
    def __init__(self):
        self.left = False

    async def enter(self, proof, tunnel, slot, about, **_):
        answer = SCHEMA.Answer.new_message()
        answer.word.init("no").why = f"{proof.account} {bytes(tunnel).hex()} {slot}"
        return answer

    async def leave(self, **_):
        self.left = True


async def test_calls_travel_in_a_stream(pair):
    registrar = Registrar()
    async with rpc_loop():
        ours = pair.get(end=False)
        theirs, _ = await pair.requests.get()
        theirs.respond([(b":status", b"200")])
        async with rpc_stream(ours) as (server_side, _), rpc_stream(theirs) as (client_side, _):
            server = capnp.TwoPartyServer(server_side, bootstrap=registrar)
            client = capnp.TwoPartyClient(client_side)
            remote = client.bootstrap().cast_as(SCHEMA.Registry)
            reply = await remote.enter(proof={"account": "acc", "secret": b"s"}, tunnel=b"\x01\x02", slot=3)
            assert reply.answer.word.which() == "no"
            assert reply.answer.word.no.why == "acc 0102 3"
            await remote.leave()
            client.close()
            server.close()
    assert registrar.left


async def test_the_end_of_the_link_ends_calls_and_says_so(pair):
    async with rpc_loop():
        pair.get(end=False)
        theirs, _ = await pair.requests.get()
        theirs.respond([(b":status", b"200")])
        async with rpc_stream(theirs) as (client_side, over):
            client = capnp.TwoPartyClient(client_side)
            remote = client.bootstrap().cast_as(SCHEMA.Registry)
            pair.client.abort()
            with pytest.raises(RpcError):
                await remote.leave()
            async with asyncio.timeout(2):
                await asyncio.wait([over])
            client.close()
    assert over.done()


async def test_the_loop_may_be_nested_and_taken_again():
    for _ in range(2):
        async with rpc_loop(), rpc_loop():
            assert SCHEMA.Proof.new_message(account="a").account == "a"
