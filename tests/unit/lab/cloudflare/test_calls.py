from typing import Any

import pytest

from inferagent.lab.cloudflare.calls import Answer, Call, listed, paged


def page_of(api: Any, **query: str) -> Answer:
    return api.answer(lambda call: paged(call, [{"n": n} for n in range(5)], per_page=2), query=query)


@pytest.mark.parametrize(("page", "expected"), [("1", [0, 1]), ("2", [2, 3]), ("3", [4]), ("4", [])])
def test_pages_follow_one_another_to_an_empty_one(api: Any, page: str, expected: list[int]) -> None:
    answer = page_of(api, page=page)
    assert [item["n"] for item in answer.result] == expected
    assert answer.info is not None
    assert answer.info["count"] == len(expected)
    assert (answer.info["total_count"], answer.info["total_pages"]) == (5, 3)


def test_the_caller_chooses_the_size(api: Any) -> None:
    assert len(page_of(api, per_page="4").result) == 4


@pytest.mark.parametrize("query", [{"page": "0"}, {"page": "x"}, {"per_page": "-1"}, {"page": "1.5"}])
def test_a_bad_page_is_refused(api: Any, query: dict[str, str]) -> None:
    def handler(call: Call) -> Answer:
        return paged(call, [], per_page=2)

    with pytest.raises(Exception, match=r"cannot (use|read)"):
        api.answer(handler, query=query)


def test_an_unpaged_list_says_so() -> None:
    assert listed([{}, {}]).info == {"page": 1, "per_page": 2, "count": 2, "total_count": 2}
