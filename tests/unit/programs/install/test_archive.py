"""Archives as they should be, and as nobody's release should be."""

import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from tests.support.install_host import InstallHost, packed

from inferagent.ports import PortError
from inferagent.programs.install.archive import unpack


def entry(name: str, kind: bytes, link: str = "", mode: int = 0o777) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.mode = kind, link, mode
    return made


@pytest.fixture
def host(tmp_path: Path) -> InstallHost:
    made = InstallHost(tmp_path / "host")
    made.borrow("zstd")
    return made


def unpacked(
    host: InstallHost, content: bytes, name: str = "a.tgz", most: int = 10**6, deadline: float = 5
) -> Path:
    archive, folder = host.folder / name, host.folder / "into"
    archive.write_bytes(content)
    folder.mkdir()
    unpack(archive, folder, host.tools().commands, most=most, deadline=deadline)
    return folder


def test_files_folders_and_links(host):
    folder = unpacked(
        host,
        packed(
            {
                "./": entry("./", tarfile.DIRTYPE),
                "bin/x": b"x" * 3000,
                "lib/a.so": b"a",
                "1": entry("lib/b.so", tarfile.SYMTYPE, "a.so"),
                "2": entry("lib/up", tarfile.SYMTYPE, "../bin/x"),
                "3": entry("lib/hard", tarfile.LNKTYPE, "bin/x"),
            }
        ),
    )
    assert (folder / "bin" / "x").read_bytes() == b"x" * 3000
    assert (folder / "lib" / "b.so").read_bytes() == b"a"
    assert (folder / "lib" / "up").resolve() == folder / "bin" / "x"
    assert (folder / "lib" / "hard").stat().st_ino == (folder / "bin" / "x").stat().st_ino


def test_rights_are_ours(host):
    odd = entry("odd", tarfile.REGTYPE, mode=0o6777)
    plain = entry("plain", tarfile.REGTYPE, mode=0o600)
    folder = unpacked(host, packed({"1": odd, "2": plain, "3": entry("d", tarfile.DIRTYPE, mode=0o1777)}))
    modes = {path.name: path.stat().st_mode & 0o7777 for path in folder.iterdir()}
    assert modes == {"odd": 0o755, "plain": 0o644, "d": 0o755}
    assert (folder / "odd").stat().st_uid == os.geteuid()


BAD = {
    "a path upwards": [entry("../out", tarfile.REGTYPE)],
    "a path that goes down and up": [entry("a/../../out", tarfile.REGTYPE)],
    "an absolute path": [entry("/out", tarfile.REGTYPE)],
    "a link upwards": [entry("x", tarfile.SYMTYPE, "../out")],
    "an absolute link": [entry("x", tarfile.SYMTYPE, "/etc")],
    "a hard link upwards": [entry("x", tarfile.LNKTYPE, "../out")],
    "a hard link to nothing": [entry("x", tarfile.LNKTYPE, "y")],
    "a hard link to a link": [entry("y", tarfile.SYMTYPE, "z"), entry("x", tarfile.LNKTYPE, "y")],
    "a device": [entry("x", tarfile.CHRTYPE)],
    "a block device": [entry("x", tarfile.BLKTYPE)],
    "a pipe": [entry("x", tarfile.FIFOTYPE)],
    "a file behind a link": [entry("a", tarfile.SYMTYPE, "b"), entry("a/out", tarfile.REGTYPE)],
    "a link behind a link": [
        entry("a/b/d", tarfile.SYMTYPE, "../.."),
        entry("a/b/d/x", tarfile.SYMTYPE, "../../../out"),
    ],
}


@pytest.mark.parametrize("entries", BAD.values(), ids=BAD)
def test_what_has_no_place_in_a_release(host, entries):
    with pytest.raises(PortError, match=r"cannot unpack a\.tgz"):
        unpacked(host, packed({str(number): one for number, one in enumerate(entries)}))
    assert not (host.folder / "out").exists()


def test_nothing_is_written_over_what_came_before(host):
    with pytest.raises(PortError):
        unpacked(host, packed({"1": entry("x", tarfile.SYMTYPE, "y"), "x": b"through the link"}))
    assert not (host.folder / "into" / "y").exists()


def test_an_archive_without_end(host):
    with pytest.raises(PortError, match="it has no end"):
        unpacked(host, packed({"x": b"0" * 5000}), most=4000)


@pytest.mark.parametrize("content", [b"", b"no archive at all", packed({"x": os.urandom(9000)})[:-4000]])
def test_what_is_no_whole_archive(host, content):
    with pytest.raises(PortError, match="cannot unpack"):
        unpacked(host, content)


def test_zstd(host):
    plain = packed({"bin/x": b"x" * 100_000}, "")
    content = subprocess.run(["zstd", "-qc"], input=plain, capture_output=True, check=True).stdout
    folder = unpacked(host, content, "a.tar.zst")
    assert (folder / "bin" / "x").stat().st_size == 100_000


def test_zstd_that_is_cut(host):
    plain = packed({"bin/x": os.urandom(100_000)}, "")
    content = subprocess.run(["zstd", "-qc"], input=plain, capture_output=True, check=True).stdout
    with pytest.raises(PortError, match="cannot unpack"):
        unpacked(host, content[:-5000], "a.tar.zst")


def test_a_zstd_that_hangs_and_none_at_all(host):
    (host.bin / "zstd").unlink()
    host.program("zstd", "exec /bin/sleep 60\n")
    with pytest.raises(PortError, match="cannot unpack"):
        unpacked(host, b"x", "a.tar.zst", deadline=0.3)
    (host.bin / "zstd").unlink()
    (host.folder / "into").rmdir()
    with pytest.raises(PortError, match="apt-get install zstd"):
        unpacked(host, b"x", "a.tar.zst")
