"""The bars of the chain's figures, in the order in which they are printed."""

from tests.bench.figures import Bar, Figure

WHOLE, QUICK = 4000, 60
DRAINS, QUICK_DRAINS = 40, 2
CROWD = 64
TRIALS, QUICK_TRIALS = 20, 2


def bars(quick: bool) -> list[Bar]:
    """A quick run has fewer trials and requests; every other bar is the same."""
    requests = QUICK if quick else WHOLE
    drains = QUICK_DRAINS if quick else DRAINS
    trials = QUICK_TRIALS if quick else TRIALS
    return [
        Bar("drains_failed", "no request fails", lambda f: f.value == 0),
        Bar("drains_failed", "a SIGTERM without a drain fails some, of both engines", _cuts),
        Bar("drains_done", f"{drains} drains, half of each engine", lambda f: _halves(f, drains)),
        Bar("drains_requests", f"at least {requests} requests", lambda f: f.value >= requests),
        Bar("load_failed", "no request fails", lambda f: f.value == 0),
        Bar("load_concurrent", f"{CROWD} at every moment", lambda f: f.beside["least"] >= CROWD),
        Bar("load_drains", "no host leaves", lambda f: f.value == 0),
        Bar("kill_out_s", f"all out, {trials} trials", lambda f: _all_out(f, trials)),
        Bar("kill_out_s", "median ≤ 0.3 s", lambda f: f.value <= 0.3),
        Bar("hang_out_vllm_s", "all out, max ≤ 20 s", lambda f: f.most <= 20.0),
        Bar("hang_out_ollama_s", "all out, max ≤ 60 s", lambda f: f.most <= 60.0),
    ]


def _cuts(figure: Figure) -> bool:
    control = figure.beside["sigterm_without_a_drain"]
    return bool(control) and all(each["failed"] > 0 for each in control.values())


def _halves(figure: Figure, least: int) -> bool:
    return all(2 * done >= least for done in figure.beside.values())


def _all_out(figure: Figure, least: int) -> bool:
    return figure.n >= least and figure.conditions["not_out_in_time"] == 0
