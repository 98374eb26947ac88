"""Whatever the API, the agent or the connector answer: every check ends with a verdict, not an error."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.doctoring import configured

from inferagent.adapters.hops.public import Reply
from inferagent.model.engine import EngineLook, Generation, Outcome
from inferagent.programs.doctor import looks_account as account
from inferagent.programs.doctor import looks_engine as engine
from inferagent.programs.doctor import looks_host as host
from inferagent.programs.doctor import looks_outside as outside
from inferagent.programs.doctor.looks_here import ASKED, CONNECTOR, READY, STATUS, Asked, Connector, Ready
from inferagent.programs.doctor.running import examine
from inferagent.programs.doctor.table import CHECKS
from inferagent.programs.doctor.verdict import Verdict

WORDS = (
    "id name enabled origins header Host monitor healthy pop_health default_pools fallback_pool config "
    "ingress hostname path service originRequest access status type content proxied exit_code phase version "
    "description address error label sentence expected_codes name_servers adaptive_routing"
)
KEYS = st.sampled_from(WORDS.split())
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 900)
    | st.sampled_from(["p1", "", "gpu-a.example.com", "active"])
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)
POOLS = st.lists(
    st.dictionaries(KEYS, ANYTHING, max_size=6).map(lambda pool: {**pool, "id": "p1"}) | ANYTHING, max_size=3
)
LOOKS = (
    account.ZONE,
    account.BALANCER,
    account.TUNNEL,
    account.PUSHED,
    account.RECORDS,
    account.MONITOR,
    account.HEALTH,
)
SPACE = host.Space("the state", Path("/"), 1 << 40, 1 << 41)
HERE = tempfile.TemporaryDirectory()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_every_check_has_a_verdict(data):
    rules = tuple(data.draw(st.lists(st.dictionaries(KEYS, ANYTHING), max_size=3)))
    body = data.draw(st.binary(max_size=40))
    reply = Reply(data.draw(st.sampled_from([200, 302, 403, 404, 530])), {"location": "https://[x"}, body)
    known: dict[str, object] = {look.name: data.draw(ANYTHING) for look in LOOKS}
    known |= {account.POOLS.name: data.draw(POOLS), STATUS.name: data.draw(st.dictionaries(KEYS, ANYTHING))}
    known |= {account.TOKEN.name: account.Token("active", "2", "/x"), account.RIGHTS.name: ()}
    known |= {
        CONNECTOR.name: Connector(4, "2026.1.0", "", 1, rules),
        outside.OWN_ADDRESSES.name: ("127.0.0.1",),
    }
    known |= {look.name: reply for look in (outside.READY_PAGE, outside.HOST_ANSWER, outside.PUBLIC_ANSWER)}
    known |= {look.name: outside.Reached(2, 2, "") for look in (outside.EDGE_TCP, outside.EDGE_UDP)}
    known |= {outside.PUBLIC_ADDRESSES.name: ("127.0.0.1",), outside.EDGE_ADDRESSES.name: ()}
    known |= {engine.GENERATION.name: Generation(Outcome.OK, 1.0, 2.0), host.SPACE.name: (SPACE,)}
    known |= {engine.ENGINE.name: EngineLook(), engine.LOADED_ENGINE.name: EngineLook()}
    known |= {READY.name: Ready(200, {}), ASKED.name: Asked(1, 1.0)}
    direction = configured(Path(HERE.name), data.draw(st.sampled_from(["vllm", "ollama"])))
    results = asyncio.run(examine(CHECKS, direction, known))
    assert len(results) == len(CHECKS)
    assert {result.verdict for result in results} <= set(Verdict)
