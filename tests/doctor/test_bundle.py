"""The bundle: whole, listed, for its owner alone, and without any secret that stood anywhere on the host."""

import base64
import json
import stat
import tarfile
from dataclasses import replace

import pytest
from tests.support.clinic import Clinic
from tests.support.doctoring import configured

from inferagent.ports import PortError
from inferagent.programs.diag import bundle
from inferagent.programs.diag.redact import Redactor

API = "Sn3lZJTBX6kkg7OdcBUAxOO963GEIyGQqnFTOFYY"
INNER = base64.b64encode(b"another 32 bytes of pure chance!").decode()
TUNNEL = base64.b64encode(json.dumps({"a": "ab" * 16, "s": INNER, "t": "x"}).encode()).decode()
ACCESS = "plainwordsecret"
HOOK = "https://hooks.example.org/services/T0/B0/pL4inw0rd"
CONFIGURED_HOOK = "https://chat.example.org/v1/spaces/AAAAbbbb/messages"
PLANTED = (API, TUNNEL, INNER, ACCESS, HOOK, "pL4inw0rd", CONFIGURED_HOOK, "AAAAbbbb", "hf_abcDEF0123456789")
FILES = {
    "cloudflare-api-token": API,
    "tunnel-token": TUNNEL,
    "access-client-id": "client.access",
    "access-client-secret": ACCESS,
    "notify-webhook": HOOK,
}


def contents(path):
    with tarfile.open(path) as archive:
        return {
            entry.name.partition("/")[2]: archive.extractfile(entry).read() for entry in archive.getmembers()
        }


def planted(tmp_path):
    """A host on which every secret stands wherever it might have slipped to."""
    direction = configured(tmp_path, more=f'\n[notify]\nwebhook = "{CONFIGURED_HOOK}"\n')
    home = direction.folder / "credentials"
    home.mkdir(mode=0o700)
    for name, text in FILES.items():
        (home / name).touch(mode=0o600)
        (home / name).write_text(text + "\n")
    wrapped = base64.b64encode(API.encode()).decode()
    line = f"calling https://u:pa55w0rd@example.org with {' '.join(PLANTED)} {wrapped}"
    state, run = tmp_path / "state", tmp_path / "run"
    state.mkdir()
    (run / "units").mkdir(parents=True)
    (state / "events.jsonl").write_text(json.dumps({"text": line}) + "\n")
    (run / "units/engine.log").write_text(f"{line}\nAuthorization: Bearer {API}\nkey={API}\n")
    (run / "gpu.json").write_text(json.dumps({"calling": line}))
    return replace(direction, deadline=2.0)


def test_no_planted_secret_is_anywhere_in_it(tmp_path):
    target = tmp_path / "diag.tar.gz"
    bundle.pack(planted(tmp_path), target)
    found = contents(target)
    everything = b"\n".join(found.values())
    for secret in (*PLANTED, "pa55w0rd", base64.b64encode(API.encode()).decode().rstrip("=")):
        assert secret.encode() not in everything, secret
    assert b"calling https://example.org" in found["events.jsonl"]
    assert b"gpu-a.example.com" in everything


def test_no_id_of_the_account_either(clinic: Clinic, tmp_path):
    target = tmp_path / "diag.tar.gz"

    bundle.pack(clinic.direction, target)
    everything = b"\n".join(contents(target).values())
    own = clinic.settings["membership"]
    for name in ("account", "zone", "pool", "load_balancer"):
        assert own[name].encode() not in everything, name
    assert clinic.settings["connector"]["tunnel"].encode() not in everything
    assert b"(tunnel)" in everything
    for file in (clinic.config / "credentials").iterdir():
        assert file.read_text().strip().encode() not in everything


def test_it_is_its_owners_alone_and_says_what_is_in_it(tmp_path):
    target = tmp_path / "diag.tar.gz"
    packed = bundle.pack(planted(tmp_path), target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    found = contents(target)
    assert [name for name, _ in packed] == list(found)
    manifest = found["MANIFEST.txt"].decode()
    for member in bundle.wanted():
        assert member.name in manifest
    assert {name: len(content) for name, content in found.items()} == dict(packed)


def test_logs_can_be_left_out(tmp_path):
    target = tmp_path / "diag.tar.gz"
    bundle.pack(planted(tmp_path), target, logs=False)
    assert set(contents(target)) == {"MANIFEST.txt", *(m.name for m in bundle.wanted(logs=False))}
    assert "logs.txt" not in contents(target)


def test_nothing_is_written_over(tmp_path):
    target = tmp_path / "diag.tar.gz"
    target.write_text("mine")
    with pytest.raises(PortError, match="cannot write"):
        bundle.pack(planted(tmp_path), target, logs=False)
    assert target.read_text() == "mine"


def test_a_secret_that_cannot_be_read_stops_it(tmp_path):
    direction = planted(tmp_path)
    place = direction.folder / "credentials" / "tunnel-token"
    place.unlink()
    place.symlink_to(place)  # nobody, root included, can open this
    target = tmp_path / "diag.tar.gz"
    with pytest.raises(PortError, match="nobody can keep it out"):
        bundle.pack(direction, target)
    assert not target.exists()


def test_a_folder_of_secrets_that_cannot_be_listed_stops_it(tmp_path):
    direction = planted(tmp_path)
    folder = direction.folder / "credentials"
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(folder)  # nobody can tell what is in this
    target = tmp_path / "diag.tar.gz"
    with pytest.raises(PortError, match=r"cannot list .*credentials.*nobody can keep it out; use sudo"):
        bundle.pack(direction, target)
    assert not target.exists()


def test_a_secret_that_would_slip_through_stops_it(tmp_path):
    class Blind(Redactor):
        def clean(self, text):
            return text

    target = tmp_path / "diag.tar.gz"
    with pytest.raises(PortError, match="a secret would be in it"):
        bundle.pack(planted(tmp_path), target, redactor=Blind)
    assert not target.exists()
