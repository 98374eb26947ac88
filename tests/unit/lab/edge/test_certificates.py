import ssl
import stat

import pytest

from inferagent.lab.edge.certificates import make_certificates


def handshake(server, client, name):
    """Both sides in memory; gives the version agreed on."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=name)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    done = set()
    while len(done) < 2:
        for side in (ours, theirs):
            try:
                side.do_handshake()
                done.add(side)
            except ssl.SSLWantReadError:
                pass
    return ours.version()


def test_a_connector_that_trusts_the_ca_is_content(tmp_path):
    ca, server = make_certificates(tmp_path / "new")
    client = ssl.create_default_context(cafile=ca)
    assert handshake(server, client, "h2.cftunnel.com") == "TLSv1.3"


def test_so_is_one_as_strict_as_that_of_python_3_13(tmp_path):
    ca, server = make_certificates(tmp_path / "new")
    client = ssl.create_default_context(cafile=ca)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    assert handshake(server, client, "h2.cftunnel.com") == "TLSv1.3"


def test_another_ca_or_name_is_not_believed(tmp_path):
    ca, server = make_certificates(tmp_path / "a")
    other, _ = make_certificates(tmp_path / "b")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, ssl.create_default_context(cafile=other), "h2.cftunnel.com")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, ssl.create_default_context(cafile=ca), "example.com")


def test_the_key_is_for_its_owner_only(tmp_path):
    make_certificates(tmp_path)
    assert stat.S_IMODE((tmp_path / "edge.key").stat().st_mode) == 0o600
