from inferagent.model.check import Check, CheckView, Effect
from inferagent.model.reading import NEVER


def test_a_check_that_says_no_more_only_tells_and_has_not_been_looked_at():
    check = Check("disk-ok")
    assert (check.effect, check.code) == (Effect.TELL, "check:disk-ok")
    assert CheckView() == CheckView(NEVER, None)
