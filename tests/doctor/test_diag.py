"""`inferagent diag` as a command."""

import tarfile

import structlog
from click.testing import CliRunner
from tests.support.doctoring import configured

from inferagent.cli.diag import diag
from inferagent.programs.diag.members import MEMBERS


def run(*words):
    return CliRunner().invoke(diag, list(words))


def test_it_says_what_it_packed_and_where(tmp_path):
    target = tmp_path / "out.tar.gz"
    direction = configured(tmp_path)
    result = run(
        "--config",
        str(direction.folder),
        "--output",
        str(target),
        "--deadline",
        "2s",
        "--root",
        str(tmp_path),
    )
    assert result.exit_code == 0, result.output
    assert f"written to {target}" in result.output
    with tarfile.open(target) as archive:
        assert [name.partition("/")[2] for name in archive.getnames()] == [
            "MANIFEST.txt",
            *(m.name for m in MEMBERS),
        ]


def test_commands_on_the_way_are_not_told(tmp_path):
    """Each is logged, and a log nobody set up prints all of it."""
    structlog.reset_defaults()
    direction = configured(tmp_path)
    (tmp_path / "run/systemd/system").mkdir(parents=True)  # as where systemd runs, which is asked
    folder, target = str(direction.folder), str(tmp_path / "out.tar.gz")
    result = run("--config", folder, "--output", target, "--deadline", "2s", "--root", str(tmp_path))
    said = [line.split()[0] for line in result.output.splitlines()]
    assert said == ["MANIFEST.txt", *(m.name for m in MEMBERS), "written"]


def test_what_would_be_in_it(tmp_path):
    result = run("--config", str(tmp_path), "--list", "--no-logs")
    assert [line.split()[0] for line in result.output.splitlines()] == [m.name for m in MEMBERS if not m.log]


def test_where_it_cannot_be_written(tmp_path):
    direction = configured(tmp_path)
    target = tmp_path / "none/out.tar.gz"
    result = run(
        "--config",
        str(direction.folder),
        "--output",
        str(target),
        "--deadline",
        "2s",
        "--root",
        str(tmp_path),
    )
    assert (result.exit_code, "cannot write" in result.output) == (1, True)


def test_each_reason_has_its_own_cure_and_nothing_is_looked_at_before(tmp_path):
    there = tmp_path / "there it is.tar.gz"
    there.write_bytes(b"mine")
    gone = tmp_path / "no folder" / "out.tar.gz"
    cures = {
        there: f"rm '{there}', or another --output",
        gone: f"mkdir -p '{gone.parent}', or another --output",
    }
    for target, cure in cures.items():
        result = run("--config", str(tmp_path / "none"), "--output", str(target))
        assert result.exit_code == 1
        assert result.stderr.splitlines()[0].startswith(f"cannot write {target}: ")
        assert result.stderr.splitlines()[1:] == [f"  → {cure}"]
    assert there.read_bytes() == b"mine"
