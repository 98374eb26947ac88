"""A host that serves already as its guide had it typed: adopted with its own units, and given back as it was.

cloudflared is a stand-in that tells what it was started with; Ollama's unit has an override. No cloud.
"""

import base64
import json
import subprocess
from pathlib import Path

from tests.hosts.host import Host, until
from tests.hosts.lab import host_lab
from tests.hosts.suite import say

TUNNEL = "6f2a7a1e-90c4-4a7b-9d3e-2a1f0c9b8d7e"
TOKEN = base64.b64encode(json.dumps({"a": "acc", "t": TUNNEL, "s": "bGFi"}).encode()).decode()
ETC = "/etc/systemd/system"
# Stays while it is told to run, with the token's sum and its own words left where they can be read.
CLOUDFLARED = """#!/bin/sh
if [ "$1" = --version ]; then echo "cloudflared version 2026.8.2 (lab)"; exit 0; fi
for word; do
  [ "$before" = --token-file ] && sum=$(sha256sum < "$word")
  before=$word
done
echo "words: $* metrics: $TUNNEL_METRICS token: $sum" > /run/said
exec sleep 1000
"""
UNIT = """[Unit]
Description=cloudflared
[Service]
Type=exec
ExecStart=/usr/bin/cloudflared --no-autoupdate tunnel run --token {token}
Restart=on-failure
[Install]
WantedBy=multi-user.target
"""
OLLAMA = "[Service]\nExecStart=/bin/sleep 1000\nRestart=always\n"
OVERRIDE = '[Service]\nEnvironment="OLLAMA_HOST=0.0.0.0:11435"\n'
WORDS = (
    "setup",
    "--public=llm.example.com",
    "--host=h1",
    "--membership=pull",
    "--engine=ollama",
    "--serves=chat",
)


def suite() -> None:
    with host_lab() as lab:
        host = lab.boot()
        install(host)
        before = kept(host)
        pids = {unit: host.main_pid(unit) for unit in ("cloudflared", "ollama")}
        plan = host.run("inferagent", *WORDS, "--plan")
        assert kept(host) == before, "the plan changed something"
        done = host.run("inferagent", *WORDS, "--yes")
        steps = [line.strip() for line in plan.splitlines() if ". " in line]
        say(f"planned and done: {steps}")
        assert {unit: host.main_pid(unit) for unit in pids} == pids, "something was restarted"
        assert "nothing to do" in host.run("inferagent", *WORDS, "--yes")
        adopted(host)
        undone = host.run("inferagent", "setup", "--undo", "--yes")
        assert kept(host) == before, undone
        say("undone: every file of the units as it was")
        assert TOKEN not in plan + done + undone, "the token was shown"
        assert TOKEN not in host.run("journalctl", "--no-pager")


def install(host: Host) -> None:
    host.run("systemd-sysusers")
    host.run("systemd-tmpfiles", "--create")
    host.write("/usr/bin/cloudflared", CLOUDFLARED, 0o755)
    host.write(f"{ETC}/cloudflared.service", UNIT.format(token=TOKEN))
    host.write(f"{ETC}/ollama.service", OLLAMA)
    host.write(f"{ETC}/ollama.service.d/override.conf", OVERRIDE)
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "start", "cloudflared", "ollama")
    until(lambda: "--token" in said(host), "cloudflared runs")


def said(host: Host) -> str:
    file = host.path("/run/said")
    return file.read_text() if file.exists() else ""


def kept(host: Host) -> dict[str, str]:
    """All that a person has written for these units, and whatever stands beside it."""
    top = host.path(ETC)
    files = [path for path in sorted(top.rglob("*")) if path.is_file() and not path.is_symlink()]
    found = {str(path.relative_to(top)): path.read_text() for path in files}
    return found | {str(path): "" for path in host.path("/etc/inferagent").rglob("*") if path.is_file()}


def adopted(host: Host) -> None:
    """The token in a file and in no command line, once the connector starts again."""
    config = host.path("/etc/inferagent/config.toml").read_text()
    for line in ('unit = "cloudflared.service"', 'unit = "ollama.service"', "http://127.0.0.1:11435", TUNNEL):
        assert line in config, config
    host.run("systemctl", "restart", "cloudflared")
    until(lambda: "--token-file" in said(host), "cloudflared has its token from a file")
    text, pid = said(host), host.main_pid("cloudflared")
    wanted = subprocess.run(["sha256sum"], input=f"{TOKEN}\n", capture_output=True, text=True, check=True)
    assert wanted.stdout.split()[0] in text, text
    assert "metrics: 127.0.0.1:20241" in text, text
    assert TOKEN not in text + command_line(host, pid), "the token stands in a command line"
    mode = host.path("/etc/inferagent/credentials/tunnel-token").stat().st_mode & 0o777
    assert mode == 0o600, oct(mode)
    say("cloudflared restarted: token by LoadCredential, its metrics pinned; Ollama by name, with no drop-in")
    assert not Path(host.path(f"{ETC}/ollama.service.d/50-inferagent.conf")).exists()


def command_line(host: Host, pid: int) -> str:
    return host.path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
