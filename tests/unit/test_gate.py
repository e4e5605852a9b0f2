"""The gate: every rung of the ladder, with its reason when nothing may go."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from rasa_whatsapp.cloud.templates import TemplateBook, TemplateUse, read_translation
from rasa_whatsapp.policy.consent import Choice, Consent, ConsentGiven, Scope
from rasa_whatsapp.policy.gate import (
    Circumstances,
    Park,
    Proposal,
    Refuse,
    SendDirectly,
    SendFreeForm,
    SendTemplate,
    decide,
    to_record,
)
from rasa_whatsapp.policy.window import CareWindow

TEN = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
OPEN = CareWindow(TEN)
CLOSED = CareWindow(TEN - timedelta(hours=24))
NEVER = CareWindow(None)
REFUSED = CareWindow(TEN, TEN)


def template(name, category="UTILITY", status="APPROVED", language="en"):
    """Return a template with one parameter."""
    body = {"type": "BODY", "text": "About {{order}}."}
    plain = {"name": name, "language": language, "category": category, "status": status, "components": [body]}
    return read_translation(plain | {"parameter_format": "NAMED"})


BOOK = TemplateBook(
    (
        template("utility"),
        template("marketing", category="MARKETING"),
        template("code", category="AUTHENTICATION"),
        template("paused", status="PAUSED"),
        template("german", language="de"),
    )
)
IN_ALL = Consent([ConsentGiven(scope=Scope.ALL, choice=Choice.OPT_IN, at=TEN, source="x")])
OUT_ALL = Consent([ConsentGiven(scope=Scope.ALL, choice=Choice.OPT_OUT, at=TEN, source="x")])
OUT_MARKETING = Consent([ConsentGiven(scope=Scope.MARKETING, choice=Choice.OPT_OUT, at=TEN, source="x")])
NOTHING = Consent()


def use(name, language="en", **parameters):
    """Return a wish for a template."""
    return TemplateUse(name=name, language=language, parameters=parameters or {"order": "1002"})


def decided(*, free_form=True, wish=None, proactive=False, window=OPEN, consent=NOTHING, needs_opt_in=False):
    """Return what the gate decides, short: free form, the template's name, or the reason."""
    decision = decide(
        Proposal(has_free_form=free_form, template=wish, proactive=proactive),
        Circumstances(now=TEN, window=window, consent=consent, templates=BOOK, utility_needs_opt_in=needs_opt_in),
    )
    if isinstance(decision, SendFreeForm):
        return "free form"
    if isinstance(decision, SendTemplate):
        return decision.message.name
    assert isinstance(decision, Refuse)
    return decision.reason


@pytest.mark.parametrize("proactive", [False, True], ids=["reply", "proactive"])
@pytest.mark.parametrize("wish", [None, use("marketing")], ids=["no template", "a template"])
def test_an_open_window_lets_free_form_through(proactive, wish):
    """Inside the window the free form goes, whether or not there is a template."""
    assert decided(wish=wish, proactive=proactive) == "free form"


def test_replies_go_after_an_opt_out():
    """Who says STOP and then asks something is answered."""
    assert decided(consent=OUT_ALL) == "free form"


@pytest.mark.parametrize("wish", [None, use("utility")], ids=["no template", "a template"])
def test_nothing_proactive_goes_after_an_opt_out(wish):
    """STOP ends follow-ups, inside the window too."""
    assert decided(consent=OUT_ALL, proactive=True, wish=wish) == "the customer opted out of proactive messages"


def test_a_stop_of_marketing_leaves_follow_ups_alone():
    """Meta's control over marketing does not end what the customer asked to be reminded of."""
    assert decided(consent=OUT_MARKETING, proactive=True) == "free form"


@pytest.mark.parametrize(
    ("window", "reason"),
    [
        (
            CLOSED,
            "the care window closed at 2026-11-22 10:00 UTC and the response carries no template (custom.template)",
        ),
        (
            NEVER,
            "the customer has never written, so no care window is open, and the response carries no template "
            "(custom.template)",
        ),
        (
            REFUSED,
            "Meta refused a free-form message (131047), so the care window counts as closed, and the response carries "
            "no template (custom.template)",
        ),
    ],
    ids=["closed", "never open", "refused by Meta"],
)
@pytest.mark.parametrize("proactive", [False, True], ids=["reply", "proactive"])
def test_outside_without_template(window, reason, proactive):
    """Outside the window a response without template is refused, and the reason says why it is outside."""
    assert decided(window=window, proactive=proactive) == reason


@pytest.mark.parametrize("window", [CLOSED, NEVER, REFUSED], ids=["closed", "never open", "refused by Meta"])
@pytest.mark.parametrize(
    ("name", "consent", "needs_opt_in", "outcome"),
    [
        ("utility", NOTHING, False, "utility"),
        (
            "utility",
            NOTHING,
            True,
            "template 'utility': utility_needs_opt_in is set, and the customer has not opted in",
        ),
        ("utility", IN_ALL, True, "utility"),
        ("utility", OUT_ALL, False, "template 'utility': the customer opted out of utility messages"),
        ("utility", OUT_MARKETING, False, "utility"),
        ("code", NOTHING, False, "code"),
        ("code", OUT_ALL, False, "template 'code': the customer opted out of utility messages"),
        (
            "marketing",
            NOTHING,
            False,
            "template 'marketing': a marketing template needs the customer's opt-in, and there is none",
        ),
        ("marketing", IN_ALL, False, "marketing"),
        ("marketing", OUT_MARKETING, False, "template 'marketing': the customer opted out of marketing messages"),
        ("marketing", OUT_ALL, False, "template 'marketing': the customer opted out of marketing messages"),
    ],
)
def test_outside_with_template(window, name, consent, needs_opt_in, outcome):
    """Outside the window the template goes if its category has the consent that it needs."""
    given = decided(wish=use(name), window=window, consent=consent, needs_opt_in=needs_opt_in, proactive=True)
    assert given == outcome


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        (use("unheard_of"), "template 'unheard_of' is not in the catalogue"),
        (use("paused"), "template 'paused' is not approved (it is PAUSED)"),
        (use("german"), "template 'german' has no approved translation for ['en']; it has de"),
        (
            use("utility", language=None),
            "nothing tells the language of template 'utility': give custom.template.language, or set fallback_languages; it has en",
        ),
        (use("utility", order="None"), "template 'utility': parameter 'order' has no value: its slot is empty"),
        (use("utility", order="x", wrong="y"), "template 'utility': it has no parameter 'wrong'; it has order"),
    ],
)
def test_unusable_templates(wish, reason):
    """A template that cannot be sent is a refusal with its reason, never an exception."""
    assert decided(wish=wish, window=CLOSED) == reason


def in_order(*uses):
    """Return these wishes as one, tried in order."""
    wish = None
    for each in reversed(uses):
        wish = replace(each, otherwise=wish)
    return wish


@pytest.mark.parametrize(
    ("wish", "consent", "outcome"),
    [
        (in_order(use("utility"), use("code")), NOTHING, "utility"),
        (in_order(use("paused"), use("utility")), NOTHING, "utility"),
        (in_order(use("unheard_of"), use("german"), use("utility")), NOTHING, "utility"),
        (in_order(use("utility", order="None"), use("code")), NOTHING, "code"),
        (in_order(use("marketing"), use("utility")), NOTHING, "utility"),
        (in_order(use("marketing"), use("utility")), IN_ALL, "marketing"),
        (
            in_order(use("paused"), use("utility", order="{order_id}"), use("marketing")),
            NOTHING,
            "template 'paused' is not approved (it is PAUSED); template 'utility': parameter 'order' has no value: "
            "slot 'order_id' is not filled; template 'marketing': a marketing template needs the customer's opt-in, "
            "and there is none",
        ),
    ],
)
def test_several_templates(wish, consent, outcome):
    """The first that may go; if none may, each is named with its reason."""
    assert decided(wish=wish, window=CLOSED, consent=consent) == outcome


@pytest.mark.parametrize(
    ("declared", "lost", "outcome"),
    [
        ("a/de a/en b/de b/en", "", "a/de"),
        ("a/de a/en b/de b/en", "a/de", "b/de"),
        ("a/de a/en b/de b/en", "a/de a/en", "b/de"),
        ("a/de a/en b/de b/en", "a/de b/de", "a/en"),
        ("a/de a/en b/de b/en", "a/de b/de a/en", "b/en"),
        ("a/de a/en b/en", "a/de", "a/en"),
        ("a/en b/de", "", "a/en"),
        ("a/de_AT a/de b/de", "a/de_AT", "a/de"),
    ],
)
def test_a_lost_translation(declared, lost, outcome):
    """The next template in the customer's language goes before the same one in another; a translation that nobody declared is no loss."""
    made = []
    for each in declared.split():
        name, language = each.split("/")
        made.append(template(name, language=language, status="PAUSED" if each in lost.split() else "APPROVED"))
    wish = in_order(use("a", language=None, order="1"), use("b", language=None, order="1"))
    given = Circumstances(
        now=TEN, window=CLOSED, consent=NOTHING, templates=TemplateBook(tuple(made)), fallback_languages=("de-AT", "en")
    )
    message = decide(Proposal(has_free_form=False, template=wish, proactive=True), given).message
    assert f"{message.name}/{message.language}" == outcome


def test_languages_in_order():
    """The response's language, what the dialogue knew of the customer, then the others in their order."""
    book = TemplateBook(tuple(template("t", language=language) for language in ("de", "pt_BR", "fr", "en")))
    found = []
    for language, known, others in (
        ("de", "pt", ["fr"]),
        (None, "pt", ["fr"]),
        ("nl", "it", ["fr", "en"]),
        (None, None, ["sv", "en"]),
        (None, "nonsense", ["en"]),
    ):
        wish = TemplateUse(name="t", language=language, customer_language=known, parameters={"order": "1"})
        given = Circumstances(now=TEN, window=CLOSED, consent=NOTHING, templates=book, fallback_languages=others)
        decision = decide(Proposal(has_free_form=False, template=wish, proactive=True), given)
        found.append(decision.message.language)
    assert found == ["de", "pt_BR", "fr", "en", "en"]


@pytest.mark.parametrize(
    ("name", "proactive", "consent", "outcome"),
    [
        ("utility", False, OUT_ALL, "utility"),
        ("utility", True, OUT_ALL, "template 'utility': the customer opted out of utility messages"),
        (
            "marketing",
            False,
            NOTHING,
            "template 'marketing': a marketing template needs the customer's opt-in, and there is none",
        ),
        ("marketing", True, IN_ALL, "marketing"),
    ],
)
def test_a_response_that_is_only_a_template(name, proactive, consent, outcome):
    """In an open window too it goes as the template; a utility one as a reply needs no consent, marketing always does."""
    assert decided(free_form=False, wish=use(name), proactive=proactive, consent=consent) == outcome


LATE = CareWindow(TEN - timedelta(hours=24) + timedelta(seconds=59))  # less than a minute is left
NUDGE = TemplateUse(name="nudge", language="en", parameters={})
NUDGES = TemplateBook(
    tuple(
        read_translation(
            {"name": name, "language": "en", "category": "UTILITY", "status": status, "components": [body]}
        )
        for name, status in (("nudge", "APPROVED"), ("paused_nudge", "PAUSED"))
        for body in ({"type": "BODY", "text": "There is news for you."},)
    )
)


def judged(**changes):
    """Return the decision about a text, with a minute of margin and a template that asks customers to write again."""
    told = {
        "has_free_form": True, "template": None, "proactive": True, "after_templates": False, "direct_misfit": None,
    }  # fmt: skip
    given = {
        "now": TEN, "window": CLOSED, "consent": NOTHING, "margin": timedelta(minutes=1), "re_engagement": NUDGE,
        "direct_send": False, "utility_needs_opt_in": False, "is_paused": False,
        "templates": TemplateBook((*BOOK.translations, *NUDGES.translations)),
    }  # fmt: skip
    proposal = Proposal(**{name: changes.get(name, value) for name, value in told.items()})
    return decide(proposal, Circumstances(**{name: changes.get(name, value) for name, value in given.items()}))


@pytest.mark.parametrize(
    ("changes", "rung"),
    [
        ({"window": LATE, "template": use("utility")}, SendTemplate),
        ({"window": LATE, "template": use("utility"), "proactive": False}, SendTemplate),
        ({"window": LATE, "template": use("utility"), "margin": timedelta(0)}, SendFreeForm),
        ({"window": LATE, "template": use("paused")}, SendFreeForm),
        ({"window": LATE, "template": None}, SendFreeForm),
        ({"window": LATE, "template": None, "consent": OUT_ALL}, Refuse),
        ({"window": OPEN, "template": use("utility")}, SendFreeForm),
    ],
    ids=[
        "a template is surer",
        "for a reply, too",
        "no margin",
        "the template may not go",
        "there is no template",
        "opted out",
        "there is time enough",
    ],
)
def test_shortly_before_the_window_closes(changes, rung):
    """Words might come too late then: a template that may go goes first, else the words are tried."""
    assert isinstance(judged(**changes), rung)


@pytest.mark.parametrize(
    ("changes", "rung"),
    [
        ({}, Park),
        ({"window": REFUSED}, Park),
        ({"window": NEVER}, Park),
        ({"proactive": False}, Park),
        ({"template": use("paused")}, Park),
        ({"template": use("utility")}, SendTemplate),
        ({"re_engagement": None}, Refuse),
        ({"after_templates": True}, Park),
        ({"has_free_form": False, "template": use("paused")}, Refuse),
        ({"consent": OUT_ALL}, Refuse),
        ({"re_engagement": TemplateUse(name="paused_nudge", language="en", parameters={})}, Refuse),
    ],
    ids=[
        "after 24 hours",
        "refused by Meta",
        "never written",
        "an answer that comes too late",
        "its template is paused",
        "its template may go",
        "nothing asks customers to write",
        "Meta took none of its templates",
        "there are no words to park",
        "opted out",
        "what asks them is paused",
    ],
)
def test_what_is_parked(changes, rung):
    """Words wait for the customer to write, if a template may ask for that."""
    assert isinstance(judged(**changes), rung)


LONG = "its text is over 1024 characters"


@pytest.mark.parametrize(
    ("changes", "rung"),
    [
        ({}, SendDirectly),
        ({"window": REFUSED}, SendDirectly),
        ({"window": NEVER}, SendDirectly),
        ({"proactive": False}, SendDirectly),
        ({"re_engagement": None}, SendDirectly),
        ({"after_templates": True}, SendDirectly),
        ({"template": use("paused")}, SendDirectly),
        ({"template": use("marketing")}, SendDirectly),
        ({"template": use("utility")}, SendTemplate),
        ({"window": OPEN}, SendFreeForm),
        ({"window": LATE}, SendFreeForm),
        ({"has_free_form": False, "template": use("paused")}, Refuse),
        ({"is_paused": True}, Refuse),
        ({"consent": OUT_ALL}, Refuse),
        ({"consent": OUT_MARKETING}, SendDirectly),
        ({"utility_needs_opt_in": True, "re_engagement": None}, Refuse),
        ({"utility_needs_opt_in": True, "consent": IN_ALL}, SendDirectly),
        ({"direct_misfit": LONG}, Park),
        ({"direct_misfit": LONG, "re_engagement": None}, Refuse),
        ({"direct_send": False}, Park),
    ],
    ids=[
        "after 24 hours",
        "refused by Meta",
        "never written",
        "an answer that comes too late",
        "nothing asks customers to write",
        "Meta took none of its templates",
        "its template is paused",
        "its template has no consent",
        "its template may go",
        "the window is open",
        "the window is still open",
        "there are no words",
        "a human answers",
        "opted out",
        "opted out of marketing",
        "no opt-in",
        "opted in",
        "it cannot carry them",
        "nor may they be parked",
        "switched off",
    ],
)
def test_what_goes_by_direct_send(changes, rung):
    """Words that may not go and have no template that may, with the consent of a utility template."""
    assert isinstance(judged(**{"direct_send": True, **changes}), rung)


def test_why_it_does_not_go_by_direct_send():
    """Each reason is told, that of the consent as well."""
    closed = "the care window closed at 2026-11-22 10:00 UTC and the response carries no template (custom.template)"
    assert judged(direct_send=True, direct_misfit=LONG).reason == f"{closed}; Direct Send: {LONG}"
    refused = judged(direct_send=True, consent=OUT_ALL, re_engagement=None).reason
    assert refused == f"{closed}; Direct Send: the customer opted out of utility messages"


def test_why_words_are_parked_after_templates():
    """Not because the response carries none."""
    reason = "the care window closed at 2026-11-22 10:00 UTC and Meta took none of the response's templates"
    assert judged(after_templates=True).reason == reason


def test_why_it_cannot_be_parked():
    """Both reasons are told."""
    reason = judged(consent=OUT_ALL).reason
    assert reason.startswith("the care window closed at 2026-11-22 10:00 UTC and the response carries no template")
    assert "it cannot be parked: template 'nudge': the customer opted out" in reason


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"window": OPEN},
            {
                "rung": "free_form",
                "window_expires_at": "2026-11-23T10:00:00+00:00",
                "margin_seconds": 60.0,
                "human_answers": False,
            },
        ),
        (
            {"template": use("utility")},
            {"rung": "template", "template": "utility", "language": "en", "templates": ["utility"]},
        ),
        (
            {},
            {
                "rung": "park",
                "proactive": True,
                "consent": "unknown",
                "free_form": True,
                "re_engagement_template": "nudge",
            },
        ),
        ({"re_engagement": None, "window": REFUSED}, {"rung": "refuse", "refused_at": "2026-11-22T10:00:00+00:00"}),
        (
            {"direct_send": True, "after_templates": True},
            {"rung": "direct_send", "direct_send": True, "after_templates": True},
        ),
    ],
    ids=["free form", "template", "parked", "refused", "direct send"],
)
def test_what_is_kept_of_a_decision(changes, expected):
    """From what it was made, the rung, and the reason where there is one."""
    told = {"has_free_form": True, "template": changes.get("template"), "proactive": True}
    told["after_templates"] = changes.get("after_templates", False)
    given = Circumstances(
        now=TEN, window=changes.get("window", CLOSED), consent=NOTHING, re_engagement=changes.get("re_engagement", NUDGE),
        direct_send=changes.get("direct_send", False), margin=timedelta(minutes=1), templates=TemplateBook((*BOOK.translations, *NUDGES.translations)),
    )  # fmt: skip
    record = to_record(Proposal(**told), given, decide(Proposal(**told), given))
    assert expected.items() <= record.items()
    assert record["at"] == "2026-11-22T10:00:00+00:00"
    assert ("reason" in record) == (record["rung"] in ("direct_send", "park", "refuse"))
