"""The bars of every figure, in the order in which they are printed."""

from tests.bench.figures import Bar, Figure

WHOLE, QUICK = 2000, 150


def bars(quick: bool) -> list[Bar]:
    """A quick run sends fewer requests; every other bar is the same."""
    least = QUICK if quick else WHOLE
    return [
        Bar("drain_failed", "no request fails", lambda f: f.value == 0),
        Bar("drain_failed", "without settle and quiet some do", _control_fails),
        Bar("drain_requests", f"at least {least} requests", lambda f: f.value >= least),
        Bar("kill_to_out_s", "median ≤ 0.3 s", lambda f: f.value <= 0.3),
        Bar("kill_to_out_s", "p90 ≤ 1 s", lambda f: f.p90 <= 1.0),
        Bar("hang_to_out_s", "max ≤ 20 s", lambda f: f.most <= 20.0),
        Bar("hang_to_out_ollama_s", "max ≤ 60 s", lambda f: f.most <= 60.0),
        Bar("decide_us", "median ≤ 100 µs", lambda f: f.value <= 100.0),
        Bar("decide_ill_us", "median ≤ 500 µs", lambda f: f.value <= 500.0),
        Bar("idle_pss_mib", "median ≤ 72 MiB", lambda f: f.value <= 72.0),
        Bar("status_ms", "median ≤ 150 ms", lambda f: f.value <= 150.0),
        Bar("idle_cpu_percent", "median ≤ 0.5 % of a core", lambda f: f.value <= 0.5),
    ]


def _control_fails(figure: Figure) -> bool:
    return bool(figure.beside["settle_and_quiet_skipped"]["failed"] > 0)
