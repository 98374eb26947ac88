"""What every installer is given fits together."""

from tests.support.install_host import InstallHost

from inferagent.programs.install.part import Offer


def test_commands_have_the_patience_and_the_path_of_the_run(tmp_path):
    host = InstallHost(tmp_path / "host")
    host.sources("", program="7s")
    commands = host.tools().commands
    assert commands.program == 7.0
    assert commands.host.path == str(host.bin)


def test_an_offer_needs_no_remarks():
    assert Offer("x", "1", "").remarks == ()
