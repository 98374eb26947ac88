import json

from inferagent.model.notice import LONGEST, Notice, NoticeKind

NOTICE = Notice(
    "e1-opened",
    NoticeKind.OPENED,
    "gpu-a",
    "gpu-a: ill → see",
    "now",
    seconds=12.345,
    findings=("a",),
    evidence=(("edge", 4),),
)


def test_its_document_is_what_receivers_read():
    document = json.loads(NOTICE.body())
    assert (document["schema"], document["kind"], document["seconds"]) == (1, "opened", 12.3)
    assert (document["text"], document["evidence"]) == ("gpu-a: ill → see", {"edge": 4})
    assert document["findings"] == ["a"]


def test_one_that_is_too_long_loses_its_findings_and_stays_json():
    long = Notice("i", NoticeKind.OPENED, "h", "t" * 5000, "w", findings=tuple("f" * 5000 for _ in range(6)))
    body = long.body()
    assert len(body) <= LONGEST
    document = json.loads(body)
    assert (document["id"], len(document["text"]), document["findings"]) == ("i", 1000, [])
