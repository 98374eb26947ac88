"""Steps on objects: what they intend, do, and learn."""

from typing import Any

from inferagent.programs.setup.objects import IngressStep, ObjectStep, Wanted, Work, differing, step_for
from inferagent.programs.setup.session import Where

THINGS = "/things"


def wanted(**changes: Any) -> Wanted:
    fields: dict[str, Any] = {
        "kind": "thing",
        "key": "thing",
        "title": "thing mine",
        "where": Where(THINGS, {"name": "mine"}),
        "make": lambda ids: {"name": "mine", "size": 1, "of": ids.get("other", "?")},
        "change": lambda existing, _ids: differing(existing, {"size": 1}),
    }
    return Wanted(**(fields | changes))


def planned(work: Work, which: Wanted, existing: dict[str, Any] | None) -> ObjectStep:
    step = step_for(work, which, existing)
    assert step is not None
    return step


def test_nothing_to_do_still_learns_the_id(account: Any) -> None:
    work = Work(account)
    assert step_for(work, wanted(), {"id": "7", "size": 1}) is None
    assert work.ids == {"thing": "7"}


def test_a_new_object_uses_ids_that_came_after_the_plan(account: Any) -> None:
    work = Work(account)
    step = planned(work, wanted(note=", small"), None)
    assert step.change == "make thing mine, small"
    work.ids["other"] = "o"
    intent = step.intent()
    assert (intent["made"], intent["before"], intent["after"]) == (True, {}, {})
    assert account.calls == []
    assert step.apply() == {"id": "things-0"}
    assert account.lists[THINGS][0]["of"] == "o"
    assert work.ids["thing"] == "things-0"


def test_the_part_of_a_shared_object_is_noted(account: Any) -> None:
    step = planned(Work(account), wanted(parts=lambda _ids: {"entries": ["mine"]}), None)
    assert step.intent()["after"] == {"entries": ["mine"]}


def test_a_change_writes_only_what_differs_and_notes_what_was(account: Any) -> None:
    account.lists[THINGS] = [{"id": "7", "name": "mine", "size": 2, "colour": "red"}]
    step = planned(Work(account), wanted(), account.lists[THINGS][0])
    assert step.change == "change thing mine: size"
    intent = step.intent()
    assert (intent["made"], intent["before"], intent["after"]) == (False, {"size": 2}, {"size": 1})
    assert step.apply() == {"id": "7", "after": {"size": 1}}
    assert account.calls == [("PATCH", f"{THINGS}/7", {"size": 1})]


def test_what_appeared_since_the_plan_is_not_made_twice(account: Any) -> None:
    step = planned(Work(account), wanted(), None)
    account.lists[THINGS] = [{"id": "7", "name": "mine", "size": 1}]
    assert step.intent()["made"] is False
    step.apply()
    assert account.calls == []


def test_ingress_is_built_on_what_stands_there_at_its_moment(account: Any) -> None:
    path = "/accounts/a/cfd_tunnel/t/configurations"
    account.documents[path] = {"config": {"ingress": ["old"], "warp-routing": {"enabled": True}}}
    step = IngressStep(Work(account, {"tunnel": "t"}), "a", "ingress", "route", lambda rules: ["new", *rules])
    intent = step.intent()
    assert intent["before"]["ingress"] == ["old"]
    step.apply()
    assert account.documents[path] == {
        "config": {"ingress": ["new", "old"], "warp-routing": {"enabled": True}}
    }
