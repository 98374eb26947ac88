"""What of the pins is fetched for hosts with another Python."""

from tests.hosts.wheels import PINS, WANTED, wanted

SOME = """--find-links somewhere

h2==4.4.1 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
sdnotify==0.3.2 \\
    --hash=sha256:cc
"""


def test_only_what_the_stand_ins_import_is_fetched_with_its_sums():
    assert wanted(SOME) == "h2==4.4.1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"


def test_all_that_they_import_is_pinned():
    kept = wanted(PINS.read_text())
    assert {line.partition("==")[0] for line in kept.splitlines() if "==" in line} == WANTED
