"""Names and the edge, looked at through other servers than the system's."""

from dataclasses import replace

from tests.support.clinic import HOST, PUBLIC, Clinic
from tests.support.doctoring import configured, judged


def outcome(clinic: Clinic, direction, name):
    (found,) = [one for one in clinic.examine(direction) if one.check.name == name]
    return found


def test_told_addresses_are_taken(clinic):
    port = clinic.direction.https_port
    told = ((HOST, port, "127.0.0.1"), (PUBLIC, port, "127.0.0.1"))
    lost = replace(
        clinic.direction,
        resolve=told,
        dns=("127.0.0.1", clinic.ports["dead"]),
        edge=(("127.0.0.1", clinic.direction.edge[0][1]),),
    )
    assert outcome(clinic, lost, "answer.public").verdict == "ok"


def test_another_public_name(clinic):
    direction = replace(clinic.direction, public=HOST)
    assert outcome(clinic, direction, "dns.public").outcome.evidence == f"{HOST} is at 127.0.0.1"


def test_a_second_address_is_tried(clinic):
    port = clinic.direction.https_port
    told = ((HOST, port, "127.0.0.9"), (HOST, port, "127.0.0.1"))
    assert outcome(clinic, replace(clinic.direction, resolve=told), "edge.tls").verdict == "ok"


def test_nobody_knows_the_public_name(tmp_path):
    direction = configured(tmp_path)
    file = direction.folder / "config.toml"
    file.write_text(file.read_text().replace("own-pool", "pull"))
    found = judged("dns.public", direction)
    assert (found.verdict, "--public" in found.outcome.evidence) == ("skipped", True)
