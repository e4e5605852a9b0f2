"""What push would do about each declared template, by what the account has."""

from __future__ import annotations

import pytest

from rasa_whatsapp.cloud.templates.calls import AccountTemplate
from rasa_whatsapp.cloud.templates.plan import Create, Edit, Skip, by_key, plan, this_hour

BODY = {"type": "BODY", "text": "It is here."}
OTHER = {"type": "BODY", "text": "It has come."}
FIXED = "Meta has it as MARKETING, which is fixed once it was approved: declare that, or ask for a review in WhatsApp Manager"


def declared(name="news", language="en", **more):
    """Return a declared template."""
    return {
        "name": name,
        "language": language,
        "category": "UTILITY",
        "status": "APPROVED",
        "components": [BODY],
    } | more


def at_meta(status="APPROVED", *, text=BODY, category="UTILITY", **more):
    """Return the account's template."""
    content = {"name": "news", "language": "en", "category": category, "components": [text]} | more
    return AccountTemplate(
        id="77",
        name="news",
        language="en",
        status=status,
        category=category,
        quality=None,
        rejected_reason=None,
        content=content,
    )


def planned(template, **more):
    """Return the step for one declared template."""
    (step,) = plan([declared(**more)], by_key([template]))
    return step


def test_what_the_account_has_not_is_created():
    """Also a translation of a template that it has."""
    steps = plan([declared(), declared(language="de"), declared("other")], by_key([at_meta()]))
    assert steps == [Skip(declared(), at_meta()), Create(declared(language="de")), Create(declared("other"))]


@pytest.mark.parametrize("status", ["APPROVED", "REJECTED", "PAUSED"])
def test_what_is_different_is_edited(status):
    """Components go as a whole; what is the same is not sent."""
    step = planned(at_meta(status, text=OTHER))
    assert isinstance(step, Edit)
    assert (step.changes, step.remark) == ({"components": [BODY]}, "")
    assert [each.part for each in step.different] == ["body.text"]


@pytest.mark.parametrize(
    ("template", "more", "changes", "remark"),
    [
        (at_meta("REJECTED", category="MARKETING"), {}, {"category": "UTILITY"}, ""),
        (at_meta("PAUSED", category="MARKETING"), {}, {"category": "UTILITY"}, ""),
        (at_meta(category="MARKETING", text=OTHER), {}, {"components": [BODY]}, FIXED),
        (at_meta(), {"message_send_ttl_seconds": 60}, {"message_send_ttl_seconds": 60}, ""),
    ],
    ids=["category of a rejected one", "category of a paused one", "category of an approved one stays", "lifetime"],
)  # fmt: skip
def test_what_an_edit_sends(template, more, changes, remark):
    """The category of an approved template is fixed, the rest of it is not."""
    step = planned(template, **more)
    assert isinstance(step, Edit)
    assert (step.changes, step.remark) == (changes, remark)


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (at_meta(), ""),
        (at_meta("PENDING"), ""),
        (at_meta("PENDING", text=OTHER), "it is being reviewed: push again when that is over"),
        (at_meta("IN_APPEAL", text=OTHER), "it is being reviewed: push again when that is over"),
        (at_meta("DISABLED"), "Meta has disabled it for good: make a new one under another name"),
        (at_meta("PENDING_DELETION"), "it is being deleted, and Meta locks the name for 30 days: take another name"),
        (at_meta("DELETED"), "it is being deleted, and Meta locks the name for 30 days: take another name"),
        (at_meta("ARCHIVED"), "it is archived: bring it back in WhatsApp Manager"),
        (at_meta("OF_TOMORROW"), "Meta has it as OF_TOMORROW: see WhatsApp Manager"),
        (at_meta(category="MARKETING"), FIXED),
        (at_meta(text={"type": "BODY", "text": "{{a}} it"}, parameter_format="NAMED"), None),
    ],
)
def test_what_is_left_alone(template, reason):
    """A reason is given where the account's is not as declared and cannot be made so."""
    step = planned(template)
    if reason is None:
        assert isinstance(step, Edit)
    else:
        assert step == Skip(declared(), template, reason)


def test_another_form_needs_another_name():
    """parameter_format cannot be edited."""
    numbered = {"type": "BODY", "text": "It is {{1}} here."}
    step = planned(at_meta(parameter_format="NAMED"), components=[numbered])
    assert isinstance(step, Skip)
    assert step.reason == "parameter_format cannot be edited: take another name"


def test_a_hundred_creations_an_hour():
    """Edits and skips do not count; what is beyond waits."""
    many = [Create(declared(f"t{number}")) for number in range(102)]
    skip = Skip(declared(), at_meta())
    now, later = this_hour([skip, *many, skip])
    assert (len(now), later) == (102, many[100:])
