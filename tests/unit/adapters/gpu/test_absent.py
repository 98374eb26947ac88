from inferagent.adapters.clock import BootClock
from inferagent.adapters.gpu.absent import AbsentGpus
from inferagent.model.reading import NotAvailable


async def test_no_gpu_is_not_applicable_and_never_unknown():
    gpus = AbsentGpus(BootClock())
    assert isinstance(await gpus.look(), NotAvailable)
    assert isinstance(gpus.read(), NotAvailable)
    gpus.close()
