from inferagent.adapters.units.command import Command, Manners


def test_a_program_is_looked_for_as_the_child_would(tmp_path):
    program = tmp_path / "engine"
    program.write_text("#!/bin/sh\n")
    assert Command("engine", (str(program),)).missing()  # not executable
    program.chmod(0o755)
    assert not Command("engine", (str(program),)).missing()
    assert not Command("engine", ("./engine",), cwd=tmp_path).missing()
    assert Command("engine", ("engine",)).missing()
    assert not Command("engine", ("engine",), {"PATH": str(tmp_path)}).missing()
    assert not Command("engine", ("sh",)).missing()


def test_the_manners_are_those_of_systemd():
    manners = Manners()
    assert (manners.restart, manners.burst, manners.window, manners.stop) == (3.0, 5, 10.0, 15.0)
