from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferagent.cli.render import age, clock, further_findings, in_flight, render, spelt
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
            engine=StatusPart("vllm", '"chat" = Qwen/Qwen3-8B', "stopped", "stopped (GPU 1 lost)"),
            connector=StatusPart("cloudflared 2026.8.2", "4/4 connections", "running"),
            membership=StatusMembership("own-pool", "out", None, 3.2, 1, 1, "2026-11-22T12:03:12+01:00", 1.1),
            at="2026-11-22T12:07:11+01:00",
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
        '  engine     vllm  "chat" = Qwen/Qwen3-8B   stopped (GPU 1 lost)\n'
        "  connector  4/4 connections                cloudflared 2026.8.2\n"
        "  pool       out since 12:03:12 (read 3 s ago), 1.1 s after the fault\n"
        "  others     1 of 1 effective\n"
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
    assert "  pool       in (read 3 s ago)\n  others     1 of 2 effective\n" in text
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
    assert render(asdict(fresh)) == "this host  OUT, unconfigured\n          → sudo inferagent setup\n"


def test_findings_without_a_root_cause_are_all_shown(status_of):
    shown = further_findings(asdict(status_of(findings=(finding("engine", "a"), finding("gpu", "b")))))
    assert [one["text"] for one in shown] == ["a", "b"]


def test_an_unknown_root_hides_only_what_engine_and_connector_bring(status_of):
    findings = (finding("membership", "a"), finding("gpu", "b"), finding("engine", "c"))
    status = status_of(root_cause="x", findings=findings)
    assert [one["text"] for one in further_findings(asdict(status))] == ["a", "b"]


@pytest.mark.parametrize(
    ("code", "component", "left"),
    [
        ("gpu-lost", "gpu", ["connector", "membership", "agent"]),
        ("engine-gone", "engine", ["gpu", "connector", "membership", "agent"]),
        ("no-edge", "connector", ["gpu", "engine", "membership", "agent"]),
        ("host-going", "host", ["membership", "agent"]),
        ("hold", "host", ["gpu", "engine", "connector", "membership", "agent"]),
    ],
)
def test_a_root_cause_hides_what_it_brings_and_a_person_s_word_nothing(status_of, code, component, left):
    names = ["gpu", "engine", "connector", "membership", "agent"]
    findings = tuple(StatusFinding("x", name, "unhealthy", f"ill {name}", "", "") for name in names)
    status = status_of(root_cause="root", root_code=code, root_component=component, findings=findings)
    assert [one["component"] for one in further_findings(asdict(status))] == left


def test_what_a_person_asked_for_is_no_finding(status_of):
    stopped = StatusFinding("engine-stopped", "engine", "degraded", "stopped", "", "")
    status = status_of(root_cause="held", root_code="hold", root_component="host", findings=(stopped,))
    assert further_findings(asdict(status)) == []


def test_nothing_is_said_twice(status_of):
    twice = (finding("agent", "full"), finding("agent", "full"), finding("agent", "two hosts"))
    status = status_of(sentence="ready (two hosts)", findings=twice)
    assert [one["text"] for one in further_findings(asdict(status))] == ["full"]


def test_what_waits_what_is_done_and_when_a_drain_ends(status_of):
    text = render(
        asdict(
            status_of(
                waits=("joining: held off",),
                doing=("a write",),
                deadline="2026-11-22T12:09:11+01:00",
                at="2026-11-22T12:07:11+01:00",
            )
        )
    )
    assert "  drain      ends at 12:09:11 at the latest\n" in text
    assert "  doing      a write\n  waits      joining: held off\n" in text


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("2026-11-22T12:03:12+01:00", "12:03:12"),
        ("2026-11-21T12:03:12+01:00", "2026-11-21 12:03:12"),
        ("now", ""),
        ("", ""),
    ],
)
def test_a_moment_has_its_date_only_where_it_is_another_day(moment, text):
    assert clock(moment, "2026-11-22T12:07:11+01:00") == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.2, "3 s"), (119, "119 s"), (250, "4 min"), (7200, "2 h"), (None, ""), (True, "")]
)
def test_an_age_spelt_out(seconds, text):
    assert spelt(seconds) == text


def test_a_narrower_screen_wraps_earlier(ill):
    assert all(len(line) <= 50 for line in render(ill, width=50).splitlines() if "→" not in line)


def test_none_in_flight_is_said_only_where_every_way_is_known(status_of):
    assert in_flight({"in_flight_tunnel": 0, "in_flight_lan": 0}) == "none in flight"
    assert in_flight({"in_flight_tunnel": 0, "in_flight_lan": None}) == "0 in flight (tunnel 0)"


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
        "waits",
        "doing",
        "at",
        "deadline",
        "root_code",
        "root_component",
        "label",
        "connector",
        "new",
    ]
)


@settings(deadline=None)
@given(st.dictionaries(NAMES, JSON))
def test_the_document_of_any_other_version_is_shown_without_a_crash(document):
    assert render(document).endswith("\n")
