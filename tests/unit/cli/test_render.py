from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferagent.cli.render import age, further_findings, in_flight, render
from inferagent.model.status import StatusFinding, StatusGpu, StatusMembership, StatusPart

LOST = "GPU 1 fell off the bus (XID 79, 12:03:11)"


def finding(component: str, text: str, cure: str = "") -> StatusFinding:
    return StatusFinding("code", component, "unhealthy", text, "3 s ago", cure)


@pytest.fixture
def ill(status_of):
    return asdict(
        status_of(
            phase="out",
            label="waiting",
            sentence=f"out, waiting: {LOST}",
            root_cause=LOST,
            cure="sudo systemctl reboot",
            engine=StatusPart("vllm", '"chat" = Qwen/Qwen3-8B', "stopped"),
            membership=StatusMembership("own-pool", "out", None, 3.2, 1, 1),
            gpus=(StatusGpu(0, "NVIDIA L4", "3 %  18/24 GB  61 °C  ok"), StatusGpu(1, "NVIDIA L4", "lost")),
            findings=(
                finding("gpu", LOST),
                finding("engine", "the engine is gone"),
                finding("agent", "the disk is full", "df -h /var/lib/inferagent"),
            ),
            in_flight_tunnel=0,
            in_flight_lan=None,
            exit_code=4,
        )
    )


def test_the_root_cause_comes_first_with_its_cure_and_hides_its_consequences(ill):
    assert render(ill) == (
        "gpu-home  OUT 4m, waiting: GPU 1 fell off the bus (XID 79, 12:03:11)\n"
        "          → sudo systemctl reboot\n"
        '  engine     vllm  "chat" = Qwen/Qwen3-8B  stopped\n'
        "  connector  cloudflared 2026.8.2  4 connections  running\n"
        "  pool       out (read 3 s ago), 1 of 1 other endpoints effective  own-pool\n"
        "  gpu 0      NVIDIA L4  3 %  18/24 GB  61 °C  ok\n"
        "  gpu 1      NVIDIA L4  lost\n"
        "  requests   0 in flight (tunnel 0)\n"
        "  also       the disk is full\n"
        "          → df -h /var/lib/inferagent\n"
    )


def test_a_healthy_host_is_short(status_of):
    text = render(asdict(status_of()))
    assert text.splitlines()[0] == "gpu-home  SERVING 4m"
    assert "requests   2 in flight (tunnel 1, LAN 1)" in text
    assert "in (read 3 s ago), 1 of 2 other endpoints effective" in text
    assert "also" not in text


def test_a_root_cause_that_the_sentence_does_not_say_has_its_own_line(status_of):
    text = render(
        asdict(status_of(sentence="out, warming: no generation yet", phase="out", root_cause="hung"))
    )
    assert "  because    hung\n" in text


def test_a_host_that_nobody_configured_is_two_lines(status_of):
    fresh = status_of(
        host="", phase="out", label="unconfigured", sentence="out, unconfigured", cure="sudo inferagent setup"
    )
    assert render(asdict(fresh)) == "this host  OUT 4m, unconfigured\n          → sudo inferagent setup\n"


def test_findings_without_a_root_cause_are_all_shown(status_of):
    shown = further_findings(asdict(status_of(findings=(finding("engine", "a"), finding("gpu", "b")))))
    assert [one["text"] for one in shown] == ["a", "b"]


def test_an_unknown_root_hides_only_what_engine_and_connector_bring(status_of):
    status = status_of(root_cause="x", findings=(finding("membership", "a"), finding("gpu", "b")))
    assert [one["text"] for one in further_findings(asdict(status))] == ["b"]


def test_observe_mode_a_hold_and_an_unread_pool_are_said(status_of):
    unread = StatusMembership("own-pool", "unknown", None, None, None, None)
    text = render(asdict(status_of(mode="observe", hold="new disk", membership=unread)))
    assert "(observe mode: nothing is changed)" in text
    assert "  hold       new disk\n" in text
    assert "unknown (not read yet)" in text


@pytest.mark.parametrize(
    ("healthy", "says"), [(False, "the monitor says unhealthy"), (None, "the monitor has not looked yet")]
)
def test_enabled_is_not_receiving(status_of, healthy, says):
    pool = StatusMembership("own-pool", "in", healthy, 1.0, None, None)
    assert says in " ".join(render(asdict(status_of(membership=pool))).split())


def test_nothing_is_wider_than_80_columns_but_a_cure_which_is_there_to_be_copied(status_of):
    cure = "sudo " + "x" * 90
    text = render(asdict(status_of(sentence="serving, although " + "the engine is slow " * 20, cure=cure)))
    wide = [line for line in text.splitlines() if len(line) > 80]
    assert wide == [f"          → {cure}"]


def test_colour_only_when_asked(ill):
    assert "\x1b" not in render(ill)
    assert "\x1b[31mOUT\x1b[0m" in render(ill, colour=True)
    assert "\x1b[1msudo systemctl reboot\x1b[0m" in render(ill, colour=True)


def test_control_characters_never_reach_the_terminal(status_of):
    assert "\x1b" not in render(asdict(status_of(sentence="serving \x1b[2J", hold="a\x07\nb")))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59.9, "59s"), (250, "4m"), (7200, "2h"), (200_000, "2d"), (None, ""), (-1, "")],
)
def test_an_age_is_short(seconds, text):
    assert age(seconds) == text


def test_what_cannot_be_read_is_left_out_of_the_requests():
    assert in_flight({"in_flight_tunnel": None, "in_flight_lan": 2}) == "2 in flight (LAN 2)"
    assert in_flight({}) == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda x: st.lists(x, max_size=2) | st.dictionaries(st.text(max_size=5), x, max_size=2),
    max_leaves=4,
)
NAMES = st.sampled_from(
    [
        "host",
        "phase",
        "sentence",
        "root_cause",
        "cure",
        "seconds",
        "engine",
        "membership",
        "gpus",
        "findings",
        "exit_code",
        "in_flight_lan",
        "new",
    ]
)


@settings(deadline=None)
@given(st.dictionaries(NAMES, JSON))
def test_the_document_of_any_other_version_is_shown_without_a_crash(document):
    assert render(document).endswith("\n")
