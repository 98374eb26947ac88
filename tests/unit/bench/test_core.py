from tests.bench.core import GPUS, STEP, beside, fine_at, ill_at, median_us, run
from tests.support.build import NOW

from inferagent.model.phase import Phase
from inferagent.policy.judge import judge


def test_the_fine_host_stays_in_without_a_complaint_and_the_ill_one_is_out():
    samples, sentence = run([fine_at(NOW + number * STEP) for number in range(20)])
    assert len(samples) == 19
    assert min(samples) > 0
    assert sentence == "serving"
    _, sentence = run([ill_at(NOW + number * STEP) for number in range(400)])
    assert sentence.startswith("out, waiting for a reboot: GPU 0 is lost")


def test_every_gpu_of_the_ill_host_and_what_hangs_on_it_is_ill():
    from tests.support.build import desired, saved

    causes = [cause.code for cause in judge(ill_at(NOW), desired(), saved()).causes]
    assert causes.count("gpu-lost") == GPUS
    assert saved().phase is Phase.SERVING


def test_every_reading_is_new_at_every_tick():
    one, two = fine_at(NOW), fine_at(NOW + 1)
    for name in ("engine", "connector", "membership", "gpus"):
        assert getattr(one, name) != getattr(two, name), name


def test_what_stands_beside_is_measured_in_microseconds():
    assert all(value > 0 for value in beside().values())
    assert median_us(lambda: None) < 1000
