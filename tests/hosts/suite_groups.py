"""The control sockets opened to groups: a member may drain, a reader may look, a stranger neither."""

from tests.hosts.host import Host, until
from tests.hosts.stage import AGENT, explain, stage, status
from tests.hosts.suite import say

SETTINGS = {"operators": "serve-ops", "readers": "serve-look"}
MEMBER, READER, STRANGER = "olga", "rita", "stan"
FOLDER = "/run/inferagent"


def suite() -> None:
    with stage() as scene:
        host, other = scene.add(), scene.add()  # the last endpoint would not leave without a word more
        for group in SETTINGS.values():
            host.run("groupadd", group)
        for user, group in ((MEMBER, "serve-ops"), (MEMBER, "serve-look"), (READER, "serve-look")):
            host.try_run("useradd", "-M", user)
            host.run("usermod", "-aG", group, user)
        host.run("useradd", "-M", STRANGER)
        lines = "".join(f'{key} = "{group}"\n' for key, group in SETTINGS.items())
        host.write("/etc/inferagent/conf.d/groups.toml", f"[agent]\n{lines}")
        for each in (other, host):
            scene.serve(each)
        _files(host)
        _looks(host)
        for user in (READER, STRANGER):
            done = host.try_run("inferagent", "drain", "--reason", "no right", user=user)
            assert done.returncode != 0, f"{user} may drain: {done.stdout}"
            assert "permission denied" in (done.stdout + done.stderr).lower(), done
            assert status(host)["phase"] == "serving", f"{user} has moved the host"
        done = host.try_run("inferagent", "drain", "--reason", "by a member", user=MEMBER)
        assert done.returncode == 0, f"a member may not drain: {done.stdout}{done.stderr}\n{explain(host)}"
        until(lambda: status(host).get("phase") == "out", "the host is out", 60.0, 0.2)
        done = host.try_run("inferagent", "resume", user=MEMBER)
        assert done.returncode == 0, f"a member may not resume: {done.stdout}{done.stderr}"
        scene.until_serving(host)
        say(f"{MEMBER} of {SETTINGS['operators']} drains and resumes; {READER} and {STRANGER} may not")


def _files(host: Host) -> None:
    for name in ("operator.sock", "control.sock"):
        found = host.run("stat", "-c", "%U %a", f"{FOLDER}/{name}").strip()
        assert found == "inferagent 660", f"{name}: {found}"
    codes = [each.get("code", "") for each in status(host).get("findings", [])]
    assert not [code for code in codes if "group-not-let-in" in code], codes
    say(f"{AGENT} gives its sockets to both groups, without a right of its own")


def _looks(host: Host) -> None:
    for user, may in ((MEMBER, True), (READER, True), (STRANGER, False)):
        done = host.try_run("inferagent", "status", "--json", user=user)
        sees = '"phase": "serving"' in done.stdout or '"phase":"serving"' in done.stdout
        assert sees is may, f"{user}: {done.stdout}{done.stderr}"
