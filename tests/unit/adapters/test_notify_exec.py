import json
import time

import pytest
from tests.contract.units_bench import running, until

from inferagent.adapters.notify_exec import NotifyExec
from inferagent.model.notice import Notice, NoticeKind
from inferagent.ports import PortError

NOTICE = Notice(
    "e1-opened", NoticeKind.OPENED, "gpu-a", "gpu-a: ill", "now", episode="e1", code="engine-hung"
)


def receiver(script: str, deadline: float = 5.0) -> NotifyExec:
    return NotifyExec(["/bin/sh", "-c", script], deadline)


async def test_the_message_comes_as_json_and_as_a_few_variables(tmp_path):
    script = f"cat > {tmp_path}/message; env | grep ^INFERAGENT_ | sort > {tmp_path}/variables"
    assert await receiver(script).send(NOTICE) == "/bin/sh took it"
    assert json.loads((tmp_path / "message").read_bytes())["text"] == "gpu-a: ill"
    assert (tmp_path / "variables").read_text().split() == [
        "INFERAGENT_CAUSE=engine-hung",
        "INFERAGENT_EPISODE=e1",
        "INFERAGENT_HOST=gpu-a",
        "INFERAGENT_ID=e1-opened",
        "INFERAGENT_KIND=opened",
    ]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo no mail today >&2; exit 75", "it ended with code 75: no mail today"),
        ("kill -9 $$", "it was killed by signal 9"),
        ("exec sleep 99", "cannot finish /bin/sh within 0.3 s"),
    ],
)
async def test_anything_but_success_is_to_be_tried_again(script, said):
    with pytest.raises(PortError, match=f"cannot notify by .*{said}") as caught:
        await receiver(script, 0.3).send(NOTICE)
    assert not caught.value.refused


async def test_a_program_that_is_not_there_may_come():
    with pytest.raises(PortError, match="cannot notify by exec: cannot start /no/such") as caught:
        await NotifyExec(["/no/such"]).send(NOTICE)
    assert not caught.value.refused


async def test_past_its_deadline_it_is_killed_with_all_it_started(tmp_path):
    begun = time.monotonic()
    with pytest.raises(PortError, match="cannot finish"):
        await receiver(f"sleep 77 & echo $! > {tmp_path}/pid; wait", 0.3).send(NOTICE)
    assert time.monotonic() - begun < 20
    pid = int((tmp_path / "pid").read_text())
    await until(lambda: not running(pid), "the grandchild's end")
