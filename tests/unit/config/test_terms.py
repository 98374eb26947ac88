from dataclasses import fields

from inferagent.config.durations import parse_duration
from inferagent.config.fragments import shipped_fragment
from inferagent.config.settings import Check, Settings
from inferagent.config.terms import ingress_of, terms_of
from inferagent.model.check import Effect
from inferagent.model.desired import EngineKind, Terms
from inferagent.model.membership import MembershipKind
from inferagent.model.tunnel import IngressRule

# Rules of safety, not settings: nobody may make a proof older.
FIXED = {"proof_age", "hang_proof_age"}


def settings() -> Settings:
    data = dict(shipped_fragment().data)
    data["engine"] = [
        {
            "kind": "vllm",
            "url": "http://127.0.0.1:8000",
            "command": ["v"],
            "serves": {"chat": "m", "code": "n"},
        }
    ]
    data["connector"] = {**data["connector"], "hostname": "a.example.com", "command": ["c"]}
    data["membership"] = {**data["membership"], "kind": "own-pool"}
    return Settings.model_validate(data)


def test_the_shape_of_the_host():
    terms = terms_of(settings(), machine="m1", made_by_setup=True)
    assert terms.engine is EngineKind.VLLM
    assert terms.names == ("chat", "code")
    assert terms.engine_names == ("m", "n")
    assert terms.membership is MembershipKind.OWN_POOL
    assert (terms.machine, terms.made_by_setup) == ("m1", True)


def test_the_ready_rule_comes_first():
    assert ingress_of(settings()) == (
        IngressRule("a.example.com", r"^/\.inferagent/ready$", "http://127.0.0.1:8790"),
        IngressRule("a.example.com", "", "http://127.0.0.1:8000"),
    )


def test_shipped_defaults_are_the_policy_s_own():
    """The numbers of defaults.toml and of Terms cannot drift apart."""
    terms, plain = terms_of(settings()), Terms()
    for field in fields(Terms):
        if isinstance(getattr(plain, field.name), int | float):
            assert getattr(terms, field.name) == getattr(plain, field.name), field.name


def test_every_number_of_the_policy_can_be_set():
    """Each number in Terms follows from some key, except the safety rules' own."""
    base, followed = settings(), set()
    before = terms_of(base)
    for table in ("drain", "limits", "probe", "membership", "idle"):
        part = getattr(base, table)
        for name, value in part:
            if isinstance(value, bool | int | float):
                changed = part.model_copy(update={name: not value if isinstance(value, bool) else value + 1})
                after = terms_of(base.model_copy(update={table: changed}))
                followed |= {
                    f.name for f in fields(Terms) if getattr(after, f.name) != getattr(before, f.name)
                }
    numbers = {f.name for f in fields(Terms) if isinstance(getattr(Terms(), f.name), int | float)}
    assert numbers - followed == FIXED | {"made_by_setup"}


def test_checks_are_called_by_their_name_or_their_program():
    checks = (
        Check(exec=["/usr/local/bin/disk-ok", "-m", "/var lib"]),
        Check(name="gate", exec=["true"], effect="drain"),
    )
    terms = terms_of(settings().model_copy(update={"check": checks}))
    assert [(one.name, one.effect, one.command) for one in terms.checks] == [
        ("disk-ok", Effect.TELL, "/usr/local/bin/disk-ok -m '/var lib'"),
        ("gate", Effect.DRAIN, "true"),
    ]


def test_a_duration_arrives_in_seconds():
    assert terms_of(settings()).deadline == parse_duration("2m")
