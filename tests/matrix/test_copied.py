"""The copy of a machine keeps its identity and shares nothing else that cannot be shared on one machine."""

from tests.matrix.copied import moved

from inferagent.lab.demo.host import Host
from inferagent.lab.demo.programs import Connector, Engine


def host(folder, name, port):
    engine = Engine("ollama", "e", False, ("ollama", "serve"), "chat", {"OLLAMA_HOST": f"127.0.0.1:{port}"})
    connector = Connector("c", False, ("python", "-m", "connector", "tunnel", "--edge", "e:1", "run"))
    return Host(name, 50, folder / name, engine, connector, port, port + 1, port + 2)


def test_what_is_one_machines_own_is_moved_and_the_identity_is_kept(tmp_path):
    original, copy = host(tmp_path, "a", 9000), host(tmp_path, "b", 9100)
    config = {
        "engine": [{"kind": "ollama", "url": "http://127.0.0.1:9000", "command": ["real", "serve"]}],
        "connector": {
            "hostname": "a.example.com",
            "tunnel": "t1",
            "metrics": "127.0.0.1:9001",
            "command": ["cloudflared"],
            "environment": {"TUNNEL_METRICS": "127.0.0.1:9001", "NO_AUTOUPDATE": "true"},
        },
        "membership": {"pool": "p1"},
        "ready": {"port": 9002},
        "agent": {"state": "/a", "run": "/a"},
    }
    found = moved(config, original, copy)
    assert found["membership"] == {"pool": "p1"}
    assert (found["connector"]["tunnel"], found["connector"]["hostname"]) == ("t1", "a.example.com")
    assert found["engine"][0]["url"] == "http://127.0.0.1:9100"
    assert found["engine"][0]["command"] == ["ollama", "serve"]
    assert found["ready"]["port"] == 9102
    assert found["connector"]["metrics"] == "127.0.0.1:9101"
    assert found["connector"]["environment"]["TUNNEL_METRICS"] == "127.0.0.1:9101"
    assert found["connector"]["environment"]["NO_AUTOUPDATE"] == "true"
    assert found["connector"]["environment"]["TUNNEL_TOKEN_FILE"].startswith(str(copy.folder))
    assert "9000=9100,9002=9102" in found["connector"]["command"]
    assert found["connector"]["command"][-4:] == ["tunnel", "--edge", "e:1", "run"]
    assert found["agent"] == {"state": str(copy.folder / "state"), "run": str(copy.run)}
