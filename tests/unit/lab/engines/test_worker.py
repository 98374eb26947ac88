"""The Worker as the process that it is."""

import time

from inferagent.lab.engines.child import Child, argv
from inferagent.lab.processes import look


async def started(model="m", seconds=0.0):
    worker = await Child.start(argv("worker.py", str(model), str(seconds)))
    heard = worker.read()
    assert await anext(heard) == {"ready": True}
    return worker, heard


async def test_batches_take_their_time():
    worker, heard = await started()
    begun = time.monotonic()
    for number in range(5):
        worker.tell({"seconds": 0.05, "tokens": {"r1": number}})
        assert await anext(heard) == {"tokens": {"r1": number}}
    # The first batch after a rest is made at once, as a prefill is not a step of decoding.
    assert 0.18 < time.monotonic() - begun < 5.0
    assert look(worker.pid).name == "VLLM::Worker"
    worker.kill()
    await worker.process.wait()


async def test_it_ends_with_the_one_that_started_it():
    worker, _ = await started()
    worker.process.stdin.close()
    assert await worker.process.wait() == 0


async def test_loading_takes_its_time_and_reads_the_model(tmp_path):
    model = tmp_path / "weights"
    model.write_bytes(b"w" * 100_000)
    begun = time.monotonic()
    worker, _ = await started(model, 0.3)
    assert time.monotonic() - begun >= 0.3
    worker.kill()
    await worker.process.wait()
