"""What faults of vLLM do with its command line and its metrics."""

from tests.matrix.faults.vllm_answers import NAMES_KEPT, renamed
from tests.matrix.faults.vllm_start import serving

from inferagent.adapters.engine.vllm import read_metrics
from inferagent.adapters.local_http import Answer
from inferagent.lab.demo import programs
from inferagent.lab.engines.counters import Counters
from inferagent.lab.engines.exposition import render
from inferagent.model.engine import Load
from inferagent.model.reading import NotAvailable, Value

TEXT = render(Counters(running=2, waiting=1), "chat")


def read(text):
    return read_metrics(Answer(200, text.encode()), 1.0)


def test_other_names_take_the_place_of_the_one_that_is_served(tmp_path):
    command = programs.vllm(tmp_path, real=False).bound_to(1, "a").command
    changed = serving(command, ("x", "y"))
    at = changed.index("--served-model-name")
    assert changed[at : at + 4] == ("--served-model-name", "x", "y", "--host")
    assert len(changed) == len(command) + 1


def test_renamed_metrics_tell_the_agent_nothing():
    assert renamed(TEXT) != TEXT
    load, progress = read(renamed(TEXT))
    assert isinstance(load, NotAvailable)
    assert isinstance(progress, NotAvailable)


def test_what_is_kept_is_all_that_it_reads():
    load, progress = read(renamed(TEXT, NAMES_KEPT))
    assert isinstance(load, Value)
    assert load.value == Load(2, 1)
    assert isinstance(progress, NotAvailable)  # requests that only run tell nothing of movement
