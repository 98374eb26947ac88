import pytest

from inferagent.adapters.gpu.versions import driver_version, library_version, mismatch

OPEN = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  560.35.03  Release Build  (builder@host)\n"
CLOSED = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 18:56:32 UTC 2023\n"
REST = "GCC version:  gcc version 13.2.0\n"


class Host:
    def __init__(self, folder):
        self.loaded, self.maps, self.libraries = folder / "version", folder / "maps", folder / "lib"
        self.libraries.mkdir()

    def install(self, version):
        link = self.libraries / "libnvidia-ml.so.1"
        link.unlink(missing_ok=True)
        (self.libraries / f"libnvidia-ml.so.{version}").touch()
        link.symlink_to(f"libnvidia-ml.so.{version}")

    def use(self, version, gone=""):
        line = f"7f00-7f01 r-xp 00000000 08:01 42   {self.libraries}/libnvidia-ml.so.{version}{gone}\n"
        self.maps.write_text(f"00400000-00452000 r-xp 00000000 08:02 1   /usr/bin/python3\n{line}")

    @property
    def differ(self):
        return mismatch(self.loaded, self.maps)


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


@pytest.mark.parametrize(("text", "version"), [(OPEN, "560.35.03"), (CLOSED, "535.129.03"), ("x\n", "")])
def test_the_loaded_driver_s_version(host, text, version):
    host.loaded.write_text(text + REST)
    assert driver_version(host.loaded) == version


def test_an_upgrade_under_a_loaded_driver_is_named_although_our_own_library_still_works(host):
    host.loaded.write_text(CLOSED + REST)
    host.install("535.129.03")
    host.use("535.129.03")
    assert host.differ == ""
    host.install("550.54.14")
    host.use("535.129.03", " (deleted)")
    assert host.differ == "the NVIDIA driver in the kernel is 535.129.03, its library 550.54.14"


def test_what_cannot_be_read_differs_in_nothing(host):
    assert host.differ == ""
    host.loaded.write_text(CLOSED)
    assert host.differ == ""
    host.maps.write_text("")
    assert library_version(host.maps) == ""
    host.use("1")  # a library whose name tells no version
    (host.libraries / "libnvidia-ml.so.1").touch()
    assert host.differ == ""
