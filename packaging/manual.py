"""`python packaging/manual.py DIR`: write the man pages, one a command, and inferagent.toml(5).

The date is that of SOURCE_DATE_EPOCH, so that two builds of one source are equal byte by byte.
"""

import os
import re
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from inspect import cleandoc
from pathlib import Path

import click

from inferagent import __version__
from inferagent.cli.main import COMMANDS, cli
from inferagent.config.fragments import shipped_text

SENTENCE = "keeps a GPU host in a public inference endpoint only while it can really answer"
ABOUT = f"""inferagent {SENTENCE}. One daemon on each host supervises the engine (vLLM or Ollama) and
the connector (cloudflared), watches GPUs and real answers, takes the host out of the Cloudflare
load-balancer pool when it is ill, idle or about to vanish, and brings it back when it can serve again."""
CONFIGURATION = """TOML. What is not written counts as it stands here; some keys have no default, and show an
example. Files of conf.d are read by name after config.toml, and the last one wins, key by key; a list of
tables is replaced whole. Durations are written "500ms", "10s", "2m", "1h". Unknown keys are errors. Secrets
never stand in it. inferagent config check names all that is wrong, with file, line, key and cure; inferagent
config show prints what counts, and where it was written."""
FILES = {
    "/etc/inferagent/config.toml": "The configuration, see inferagent.toml(5).",
    "/etc/inferagent/conf.d/*.toml": "Merged after it, by name.",
    "/etc/inferagent/credentials/": "Secrets, where systemd does not hand them over.",
    "/var/lib/inferagent/": "What outlives a restart: saved state, the hold, the events.",
    "/run/inferagent/": "What lasts until the next boot: the control sockets, the verdict.",
}
ENVIRONMENT = {
    "INFERAGENT_CONFIG": "The folder of the configuration, where --config is not given.",
    "INFERAGENT_DEBUG": "Where set, inferagent run logs more.",
    "NO_COLOR": "Where set, nothing is coloured.",
}
BREAK = "\u200b"
Pairs = list[tuple[str, str]]


def pages(moment: datetime) -> dict[str, str]:
    """Name of the file → text."""
    date = f"{moment:%Y-%m-%d}"
    made = {"inferagent.1": _whole(date), "inferagent.toml.5": _configuration(date)}
    for name, line in COMMANDS.items():
        command = cli.get_command(click.Context(cli, info_name="inferagent"), name)
        assert command is not None
        made[f"inferagent-{name}.1"] = "".join(_command(command, name, line, date))
    return made


def _whole(date: str) -> str:
    commands: Pairs = [
        (f"inferagent {name}", f"{line} See inferagent-{name}(1).") for name, line in COMMANDS.items()
    ]
    return "".join(
        [
            _head("inferagent", "1", date, SENTENCE),
            _section("SYNOPSIS", "\\fBinferagent\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR]...\n"),
            _section("DESCRIPTION", _text(ABOUT)),
            _section("COMMANDS", _list(commands)),
            _section("OPTIONS", _list(_options(cli))),
            _section("ENVIRONMENT", _list(list(ENVIRONMENT.items()))),
            _section("FILES", _list(list(FILES.items()))),
            _also("inferagent.toml(5)", *(f"inferagent-{name}(1)" for name in COMMANDS)),
        ]
    )


def _command(command: click.Command, name: str, line: str, date: str) -> Iterator[str]:
    full = f"inferagent {name}"
    yield _head(f"inferagent-{name}", "1", date, line.rstrip("."))
    inner = _inner(command)
    uses = [(full, command)] if not inner else [(f"{full} {one.name}", one) for one in inner]
    yield _section("SYNOPSIS", ".br\n".join(_synopsis(*use) for use in uses))
    description, ends = _help(command)
    yield _section("DESCRIPTION", description)
    for use, one in uses if inner else ():
        told, also = _help(one)
        yield f".SS {_roff(use)}\n{told}{_list(_options(one))}"
        ends += also
    if not inner:
        yield _section("OPTIONS", _list(_options(command)))
    if ends:
        yield _section("EXIT STATUS", ends)
    yield _also("inferagent(1)", "inferagent.toml(5)")


def _inner(command: click.Command) -> list[click.Command]:
    return list(command.commands.values()) if isinstance(command, click.Group) else []


def _synopsis(name: str, command: click.Command) -> str:
    arguments = [
        one.make_metavar(click.Context(command)) for one in command.params if isinstance(one, click.Argument)
    ]
    words = "".join(f" \\fI{_roff(one)}\\fR" for one in arguments)
    return f"\\fB{_roff(name)}\\fR [\\fIOPTION\\fR]...{words}\n"


def _help(command: click.Command) -> tuple[str, str]:
    """The description, and what is said of exit codes."""
    whole = cleandoc((command.help or "").replace("\b", ""))
    told, _, ends = whole.partition("Exit code: ")
    ends, *later = re.split(r"\n\s*\n", ends)  # its paragraph; what follows is description again
    paragraphs = [*re.split(r"\n\s*\n", told), *later]
    return ".PP\n".join(_text(one) for one in paragraphs if one.strip()), _text(ends)


def _options(command: click.Command) -> Pairs:
    context = click.Context(command, info_name="inferagent")
    records = (one.get_help_record(context) for one in command.get_params(context))
    return [(record[0], record[1]) for record in records if record]


def _configuration(date: str) -> str:
    """From the shipped defaults, which explain every key."""
    text = [
        _head("inferagent.toml", "5", date, "configuration of inferagent"),
        _section("SYNOPSIS", _list([(path, about) for path, about in FILES.items() if "toml" in path])),
        _section("DESCRIPTION", _text(CONFIGURATION)),
    ]
    comment: list[str] = []
    for line in shipped_text().splitlines()[4:]:
        bare = line.removeprefix("#")
        if line.startswith("# "):
            comment.append(line[2:])
        elif re.fullmatch(r"\[\[?[a-z_]+\]\]?", bare):
            text.append(f".SH {_roff(bare)}\n{_text(' '.join(comment))}")
            comment = []
        elif bare:
            about = " ".join(comment) or "As the one above."
            example = " The value is an example." if line.startswith("#") else ""
            text.append(f".TP\n.B {_roff(_breakable(bare))}\n{_text(about + example)}")
            comment = []
    return "".join([*text, _also("inferagent(1)", "inferagent-config(1)")])


def _head(name: str, section: str, date: str, line: str) -> str:
    title = f'.TH "{name.upper()}" "{section}" "{date}" "inferagent {__version__}" "inferagent"\n'
    return f"{title}.nh\n.ad l\n.SH NAME\n{_roff(name)} \\- {_roff(line)}\n"


def _section(name: str, body: str) -> str:
    return f".SH {name}\n{body}" if body else ""


def _list(pairs: Pairs) -> str:
    return "".join(f".TP\n.B {_roff(name)}\n{_text(about)}" for name, about in pairs)


def _also(*names: str) -> str:
    pages = [(name.partition("(")[0], name.partition("(")[2]) for name in names]
    lines = [f".BR {_roff(page)} ({section}" for page, section in pages]
    return ".SH SEE ALSO\n" + " ,\n".join(lines) + "\n"


def _text(text: str) -> str:
    return _roff(" ".join(text.split())) + "\n" if text.strip() else ""


def _breakable(text: str) -> str:
    """A digest is longer than a line: it may be broken in its middle, without a hyphen."""
    return re.sub(r"[0-9a-z]{32}(?=[0-9a-z]{16})", lambda found: f"{found[0]}{BREAK}", text)


def _roff(text: str) -> str:
    """Backslashes, hyphens that are to be copied, and a line that would begin like a request."""
    plain = (
        text.replace("\\", "\\e")
        .replace(BREAK, "\\:")
        .replace("-", "\\-")
        .replace("'", "\\(aq")
        .replace('"', "\\(dq")
    )
    return f"\\&{plain}" if plain.startswith((".", "'")) else plain


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    moment = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH") or time.time()), UTC)
    for name, text in pages(moment).items():
        (folder / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
