from tests.real.bars.quic import Stop, command_of, figure

COMMAND = (
    "cloudflared",
    "tunnel",
    "--edge",
    "a:1",
    "--edge",
    "b:1",
    "--cacert",
    "ca",
    "--protocol",
    "http2",
    "run",
)


def test_only_the_protocol_changes_at_the_same_edge() -> None:
    assert command_of(COMMAND, "quic", []) == [*COMMAND[:9], "quic", "run"]


def test_another_edge_takes_the_place_of_all() -> None:
    edge = ["--edge", "c:1", "--cacert", "other"]
    assert command_of(COMMAND, "quic", edge) == ["cloudflared", "tunnel", *edge, "--protocol", "quic", "run"]


def test_the_plain_stop_is_the_figure_and_the_others_stand_beside_it() -> None:
    plain = [Stop(30.1, 0, 1), Stop(30.0, 0, 1)]
    made = figure("stop_quic_s", {"": plain, "second": [Stop(1.1, -15, 1)]}, {"cpus": 2})
    assert (made.n, made.most, made.conditions["registered_connections"]) == (2, 30.1, [1])
    assert made.beside == {"second": {"median_s": 1.1, "max_s": 1.1, "n": 1, "exit_codes": [-15]}}
