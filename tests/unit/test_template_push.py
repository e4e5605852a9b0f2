"""Carrying out a plan, and following a review: what each ends with, and where it stops."""

from __future__ import annotations

import pytest

from rasa_whatsapp.cloud.templates.calls import AccountTemplate, Created
from rasa_whatsapp.cloud.templates.management_errors import Failure, Scope
from rasa_whatsapp.cloud.templates.plan import Create, Edit
from rasa_whatsapp.templates.account import CallFailed
from rasa_whatsapp.templates.push import Outcome, carry_out, reviewed


def at_meta(status="PENDING", name="news"):
    """Return the account's template."""
    more = {"category": "UTILITY", "quality": None, "rejected_reason": None, "content": {}}
    return AccountTemplate(id="77", name=name, language="en", status=status, **more)


CREATED = Created("78", "PENDING", "UTILITY")
EDIT = Edit({"name": "news"}, at_meta(), {"category": "UTILITY"}, ())
STEPS = [Create({"name": "a"}), EDIT, Create({"name": "c"})]


class Account:
    """Fails where it is told, and remembers what was done."""

    def __init__(self, **failures):
        self.failures = failures
        self.done = []
        self.lists = []

    def create(self, declared):
        """Create, or fail by the template's name."""
        self._do(declared["name"])
        return CREATED

    def edit(self, template_id, changes):
        """Edit, or fail."""
        self._do("edit")
        assert (template_id, changes) == ("77", {"category": "UTILITY"})

    def listed(self):
        """Return the next list, the last one for ever."""
        return self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]

    def _do(self, what):
        if what in self.failures:
            raise CallFailed(Failure(self.failures[what], "no"))
        self.done.append(what)


@pytest.mark.parametrize(
    ("failures", "ends", "done"),
    [
        ({}, [None, None, None], ["a", "edit", "c"]),
        ({"a": Scope.TEMPLATE}, [Scope.TEMPLATE, None, None], ["edit", "c"]),
        ({"edit": Scope.ACCOUNT}, [None, Scope.ACCOUNT], ["a"]),
        ({"edit": Scope.UNCERTAIN}, [None, Scope.UNCERTAIN], ["a"]),
    ],
    ids=["all well", "one is refused", "all would be refused", "its fate is not known"],
)  # fmt: skip
def test_where_it_stops(failures, ends, done):
    """One refused template does not hold up the others; what would meet all does."""
    account = Account(**failures)
    outcomes = list(carry_out(STEPS, account))
    assert [outcome.failure and outcome.failure.scope for outcome in outcomes] == ends
    assert [outcome.step for outcome in outcomes] == STEPS[: len(ends)]
    assert account.done == done


def test_what_became_of_a_step():
    """Of a creation it is told what Meta made of it."""
    assert list(carry_out(STEPS[:2], Account())) == [Outcome(STEPS[0], created=CREATED), Outcome(EDIT)]


def test_what_a_step_needs_is_uploaded_before():
    """What is handed in is what the upload made of the step; one that fails is the step's failure, and no template is sent."""

    def handed_in(step):
        if isinstance(step, Edit):
            raise CallFailed(Failure(Scope.TEMPLATE, "no such file"))
        return step.body | {"name": "with a handle"}

    account = Account()
    outcomes = list(carry_out(STEPS, account, handed_in))
    assert [outcome.failure and outcome.failure.text for outcome in outcomes] == [None, "no such file", None]
    assert account.done == ["with a handle", "with a handle"]


def review(*lists, limit_seconds=600.0):
    """Follow a review; return the statuses seen and the pauses made."""
    account, pauses = Account(), []
    account.lists = [[at_meta(status), at_meta("PENDING", "somebody_elses")] for status in lists]
    seen = [
        [template.status for template in known.values()]
        for known in reviewed({("news", "en")}, account, limit_seconds=limit_seconds, sleep=pauses.append)
    ]
    return seen, pauses


def test_a_review_is_followed_to_its_end():
    """With growing pauses; what others wait for does not count."""
    assert review("PENDING", "PENDING", "REJECTED") == ([["PENDING"], ["PENDING"], ["REJECTED"]], [1.0, 2.0])
    assert review("APPROVED") == ([["APPROVED"]], [])


def test_a_review_that_takes_too_long():
    """The time is used up, with a last look at its end."""
    assert review("PENDING", limit_seconds=5) == ([["PENDING"]] * 4, [1.0, 2.0, 2.0])
    seen, pauses = review("PENDING", limit_seconds=120)
    assert (len(seen), sum(pauses), pauses[-1]) == (9, 120, 30.0)
