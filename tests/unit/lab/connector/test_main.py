from inferagent.lab.connector.main import main


def test_version(capsys):
    assert main(["version", "--short"]) == 0
    assert capsys.readouterr().out == "2026.8.2\n"
    assert main(["--version"]) == 0
    assert "stand-in" in capsys.readouterr().out


def test_a_bad_start_gives_its_code_and_says_why(capsys, monkeypatch):
    monkeypatch.delenv("TUNNEL_TOKEN_FILE", raising=False)
    assert main(["tunnel", "run", "--token", "x"]) == 255
    assert "not valid" in capsys.readouterr().err
    assert main(["tunnel", "--nope"]) == 0


def test_ready_of_nobody_is_1():
    assert main(["tunnel", "--metrics", "127.0.0.1:1", "ready"]) == 1


def test_without_an_edge_it_ends_as_without_dns(capsys):
    token = "eyJhIjoiYWNjIiwicyI6ImMyVmpjbVYwIiwidCI6IjExMTExMTExLTIyMjItMzMzMy00NDQ0LTU1NTU1NTU1NTU1NSJ9"
    assert main(["tunnel", "run", "--token", token]) == 1
    assert "cannot find an edge" in capsys.readouterr().err
