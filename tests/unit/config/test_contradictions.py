from pathlib import Path

import pytest

from inferagent.config.contradictions import ORDER
from inferagent.config.errors import ConfigError, dotted
from inferagent.config.load import load

IMAGE = "vllm/vllm-openai@sha256:" + "a" * 64
RIGHT = """\
[[engine]]
kind = "vllm"
url = "http://127.0.0.1:8000"
command = ["vllm", "serve"]
serves = { chat = "m" }
[connector]
command = ["cloudflared"]
hostname = "a.example.com"
[membership]
kind = "own-pool"
account = "a"
zone = "z"
pool = "p"
load_balancer = "l"
"""


def faults(tmp_path: Path, text: str, more: str = "") -> list:
    (tmp_path / "config.toml").write_text(text)
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "more.toml").write_text(more)
    try:
        load(tmp_path)
    except ConfigError as error:
        return list(error.problems)
    return []


def test_the_base_is_right(tmp_path):
    assert faults(tmp_path, RIGHT) == []


def test_a_path_as_long_as_the_kernel_takes_is_right(tmp_path):
    assert faults(tmp_path, f'[agent]\nrun = "/{"r" * 92}"\n' + RIGHT) == []


@pytest.mark.parametrize(
    ("every", "deadline"), [("10s", 5.0), ("1s", 0.5), ("20s", 10.0), ("1h", 10.0), (None, 10.0)]
)
def test_a_check_without_a_deadline_has_one_that_fits(tmp_path, every, deadline):
    often = f'every = "{every}"\n' if every else ""
    (tmp_path / "config.toml").write_text(f'{RIGHT}[[check]]\nexec = ["/bin/true"]\n{often}')
    (check,) = load(tmp_path).settings.check
    assert check.deadline == deadline


def test_a_wrong_every_is_the_only_error(tmp_path):
    (wrong,) = faults(tmp_path, RIGHT + '[[check]]\nexec = ["/bin/true"]\nevery = "soon"\n')
    assert wrong.key == "check[0].every"


SECOND = '[[engine]]\nkind = "vllm"\nurl = "http://127.0.0.1:8001"\ncommand = ["x"]\nserves = { a = "b" }\n'

CASES = {
    "a path too long for a socket": (
        f'[agent]\nrun = "/{"r" * 93}"\n' + RIGHT,
        "",
        "agent.run",
        2,
        "its sockets have paths of 108 bytes, and 107 is the most",
    ),
    "a path of few characters and many bytes": (
        f'[agent]\nrun = "/{"é" * 47}"\n' + RIGHT,
        "",
        "agent.run",
        2,
        "is too long",
    ),
    "one folder for both": (
        '[agent]\nrun = "/srv/x"\nstate = "/srv/./x/"\n' + RIGHT,
        "",
        "agent.run",
        2,
        "run and state are one folder",
    ),
    "two engines": (RIGHT + SECOND, "", "engine", 1, "takes one engine, here are 2"),
    "no engine": ("engine = []\n" + RIGHT.split("\n", 5)[5], "", "engine", 1, "takes one engine, here are 0"),
    "engine by unit and command": (
        RIGHT.replace("[connector]", 'unit = "v.service"\n[connector]'),
        "",
        "engine[0].command",
        4,
        "both say who runs the engine (engine[0].unit is at",
    ),
    "engine by nobody": (
        RIGHT.replace('command = ["vllm", "serve"]\n', ""),
        "",
        "engine[0]",
        1,
        "neither unit nor command",
    ),
    "connector by unit and command": (
        RIGHT,
        '[connector]\nunit = "c.service"\n',
        "connector.command",
        7,
        "both say who runs the connector",
    ),
    "connector by nobody": (
        RIGHT.replace('command = ["cloudflared"]\n', ""),
        "",
        "connector",
        6,
        "neither unit nor command",
    ),
    "environment for a unit": (
        RIGHT.replace('command = ["cloudflared"]', 'unit = "c.service"\nenvironment = { A = "b" }'),
        "",
        "connector.environment",
        8,
        "only for a command",
    ),
    "inferagent's own engine without a command": (
        RIGHT.replace('command = ["vllm", "serve"]', 'unit = "inferagent-engine.service"'),
        "",
        "engine[0].unit",
        4,
        "there is none",
    ),
    "an image without a container": (
        RIGHT.replace('command = ["vllm", "serve"]', f'unit = "vllm.service"\nimage = "{IMAGE}"'),
        "",
        "engine[0].image",
        5,
        "run by the unit of a container",
    ),
    "folders for a container that is there": (
        RIGHT.replace(
            'command = ["vllm", "serve"]', 'unit = "inferagent-container@vllm.service"\nvolumes = ["/a:/b"]'
        ),
        "",
        "engine[0].volumes",
        5,
        "only for a container that is made from an image",
    ),
    "a command for a container that is there": (
        RIGHT.replace("command =", 'unit = "inferagent-container@vllm.service"\ncommand ='),
        "",
        "engine[0].command",
        5,
        "both say who runs the engine",
    ),
    "the connector's unit for the engine": (
        RIGHT.replace('command = ["vllm", "serve"]', 'unit = "inferagent-connector.service"'),
        "",
        "engine[0].unit",
        4,
        "inferagent-connector.service does not run the engine",
    ),
    "the engine's unit for the connector": (
        RIGHT.replace('command = ["cloudflared"]', 'unit = "inferagent-engine.service"'),
        "",
        "connector.unit",
        7,
        "inferagent-engine.service does not run the connector",
    ),
    "own pool without account": (
        RIGHT.replace('account = "a"\n', ""),
        "",
        "membership.account",
        9,
        'kind = "own-pool" needs account',
    ),
    "own pool without zone": (RIGHT.replace('zone = "z"\n', ""), "", "membership.zone", 9, "needs zone"),
    "own pool without pool": (RIGHT.replace('pool = "p"\n', ""), "", "membership.pool", 9, "needs pool"),
    "own pool without load balancer": (
        RIGHT.replace('load_balancer = "l"\n', ""),
        "",
        "membership.load_balancer",
        9,
        "needs load_balancer",
    ),
    "token in the clear": (
        RIGHT + 'api = "http://api.example.com/v4"\n',
        "",
        "membership.api",
        15,
        "must begin with https://",
    ),
    "replica that leaves when idle": (
        RIGHT.replace("own-pool", "replica"),
        '[idle]\nafter = "10m"\n',
        "idle.after",
        2,
        "a replica does not leave for soft causes",
    ),
    "replica alone": (
        RIGHT.replace("own-pool", "replica"),
        "[membership]\nalone = true\n",
        "membership.alone",
        2,
        "replicas of one tunnel are several",
    ),
    "metrics at the engine's port": (
        RIGHT,
        '[connector]\nmetrics = "127.0.0.1:8000"\n',
        "connector.metrics",
        2,
        "port 8000 is used twice, by engine[0].url and connector.metrics",
    ),
    "ready at the engine's port": (
        RIGHT,
        "[ready]\nport = 8000\n",
        "ready.port",
        2,
        "port 8000 is used twice, by engine[0].url and ready.port",
    ),
    "ready at the metrics port": (
        RIGHT,
        "[ready]\nport = 20241\n",
        "ready.port",
        2,
        "port 20241 is used twice, by connector.metrics and ready.port",
    ),
    "engine at the ready port, which is shipped": (
        RIGHT.replace("8000", "8790"),
        "",
        "engine[0].url",
        3,
        "port 8790 is used twice, by engine[0].url and ready.port",
    ),
    "messages in the clear": (
        RIGHT,
        '[notify]\nwebhook = "http://chat.example.com/x"\n',
        "notify.webhook",
        2,
        "must begin with https://",
    ),
    "an address that is a secret": (
        RIGHT,
        '[notify]\nwebhook = "https://hooks.slack.com/services/T/B/x"\n',
        "notify.webhook",
        2,
        "an address at hooks.slack.com is a secret",
    ),
    "an address that is a secret, at a host below": (
        RIGHT,
        '[notify]\nwebhook = "https://firm.webhook.office.com/x"\n',
        "notify.webhook",
        2,
        "is a secret",
    ),
    "a check that may run into the next": (
        RIGHT,
        '[[check]]\nexec = ["/bin/disk-ok"]\nevery = "10s"\ndeadline = "10s"\n',
        "check[0].deadline",
        4,
        "10s must be less than check[0].every (10s)",
    ),
    "a check that is too slow for the pace that it did not say": (
        RIGHT,
        '[[check]]\nexec = ["/bin/disk-ok"]\ndeadline = "2m"\n',
        "check[0].deadline",
        3,
        "2m must be less than check[0].every (1m)",
    ),
    "two checks of one name": (
        RIGHT,
        '[[check]]\nexec = ["/bin/disk-ok"]\n[[check]]\nexec = ["/bin/x"]\nname = "disk-ok"\n',
        "check[1].name",
        5,
        'two checks are called "disk-ok"',
    ),
    "a check that cannot be called as its program": (
        RIGHT,
        '[[check]]\nexec = ["/bin/[", "-d", "/x"]\n',
        "check[0].exec",
        2,
        'the name of its program, "[", cannot be the name of the check',
    ),
    "too many checks": (
        RIGHT,
        "".join(f'[[check]]\nexec = ["/bin/x"]\nname = "c{n}"\n' for n in range(21)),
        "check",
        1,
        "at most 20 checks are run, here are 21",
    ),
}


@pytest.mark.parametrize("name", list(CASES))
def test_a_contradiction_names_file_line_key_and_cure(tmp_path, name):
    text, more, key, line, says = CASES[name]
    found = faults(tmp_path, text, more)
    (problem,) = [one for one in found if says in one.what]
    assert (problem.key, problem.place.line) == (key, line)
    assert Path(problem.place.file).name == (
        "more.toml" if more and key != "connector.command" else "config.toml"
    )
    assert problem.cure


def test_messages_to_this_host_need_no_https(tmp_path):
    assert faults(tmp_path, RIGHT, '[notify]\nwebhook = "http://127.0.0.1:9000/x"\n') == []


def test_a_replicas_connector_may_be_a_unit(tmp_path):
    unit = RIGHT.replace("own-pool", "replica").replace('command = ["cloudflared"]', 'unit = "c.service"')
    (tmp_path / "config.toml").write_text(unit)
    assert load(tmp_path).settings.connector.unit == "c.service"


def test_a_port_on_another_host_is_no_clash(tmp_path):
    assert faults(tmp_path, RIGHT.replace("127.0.0.1:8000", "192.0.2.7:8790")) == []


@pytest.mark.parametrize("rule", ORDER, ids=lambda rule: f"{dotted(rule.low)}<{dotted(rule.high)}")
def test_every_inequality_is_checked(tmp_path, rule):
    """Both keys at the largest value that both may have: equal, and one more than equal."""
    low, high = ("300s", "299s") if rule.equal else ("8s", "8s")
    table, one = rule.low
    other_table, other = rule.high
    if table == other_table:
        more = f'[{table}]\n{one} = "{low}"\n{other} = "{high}"\n'
    else:
        more = f'[{table}]\n{one} = "{low}"\n[{other_table}]\n{other} = "{high}"\n'
    found = faults(tmp_path, RIGHT, more)
    (problem,) = [
        problem
        for problem in found
        if f"{dotted(rule.high)} (" in problem.what and problem.key == dotted(rule.low)
    ]
    assert problem.place.line == 2
    assert ("at most" if rule.equal else "less than") in problem.what
    assert dotted(rule.low) in problem.cure
    assert f"{dotted(rule.high)} is at {tmp_path}/conf.d/more.toml:" in problem.what


def test_a_clash_with_a_shipped_default_stands_at_the_key_that_was_written(tmp_path):
    (problem,) = faults(tmp_path, RIGHT, '[drain]\nshutdown = "9s"\n')
    assert (problem.key, problem.place.line) == ("drain.shutdown", 2)
    assert "drain.shutdown (9s)" in problem.what


def test_inferagents_own_units_run_what_stands_here(tmp_path: Path) -> None:
    text = RIGHT.replace('command = ["vllm", "serve"]', 'unit = "inferagent-engine.service"\ncommand = ["x"]')
    text = text.replace('command = ["cloudflared"]', 'unit = "inferagent-connector.service"')
    (tmp_path / "config.toml").write_text(text)
    settings = load(tmp_path).settings
    assert settings is not None
    assert settings.only_engine.command == ("x",)
    assert settings.connector.command == ()
