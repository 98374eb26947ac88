from inferagent.config.errors import ConfigError, Place, Problem, dotted


def test_a_problem_names_place_key_fault_nearest_and_cure():
    problem = Problem(
        Place("/etc/x.toml", 7), "drain.setle", "is no key", "write drain.settle", "drain.settle"
    )
    assert str(problem) == (
        "/etc/x.toml:7: drain.setle: is no key (the nearest key is drain.settle)\n    → write drain.settle"
    )


def test_all_problems_are_shown_at_once():
    problems = (Problem(Place("a", 1), "x", "is bad", "do"), Problem(Place("b"), "", "is worse", "die"))
    text = str(ConfigError(problems))
    assert text.startswith("cannot use the configuration: 2 errors\n")
    assert "a:1: x: is bad" in text
    assert "b: is worse" in text


def test_a_dotted_key_is_spelt_as_toml_would():
    assert dotted(("engine", 0, "serves", "qwen3:8b")) == 'engine[0].serves."qwen3:8b"'
    assert dotted(("a-b_c",)) == "a-b_c"
    assert dotted(("",)) == '""'
