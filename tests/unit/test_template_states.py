"""What Meta says of the templates as time goes by: read strictly, kept once, the newest word counts; the gate goes by it, and an operator hears of losses."""

from __future__ import annotations

import itertools
import json
import logging
from dataclasses import replace
from datetime import datetime, timezone

import pytest

from rasa_whatsapp.cloud.answers import refusal
from rasa_whatsapp.cloud.inbound import Broken, TemplateChanged, Unused, parse
from rasa_whatsapp.cloud.templates import TemplateBook, read_translation
from rasa_whatsapp.cloud.templates.calls import AccountTemplate
from rasa_whatsapp.cloud.templates.states import pulled
from rasa_whatsapp.delivery import DeliveryRules
from rasa_whatsapp.storage import template_states

ACCOUNT = "200000000000001"
TEN = 1795341600  # 2026-11-22 10:00 UTC, as the clock of the stage
WHO = {"message_template_id": 900100, "message_template_name": "news", "message_template_language": "en-US"}
STATUS, QUALITY, CATEGORY = (
    "message_template_status_update", "message_template_quality_update", "template_category_update",
)  # fmt: skip


def webhook(value, *, field=STATUS, time=TEN, account=ACCOUNT):
    """Return a webhook that tells of the template `news`."""
    entry = {"id": account, "changes": [{"field": field, "value": WHO | value}]} | ({"time": time} if time else {})
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def paused(time=TEN):
    """Return the webhook of a pause."""
    return webhook({"event": "PAUSED", "reason": "NONE", "other_info": {"title": "FIRST_PAUSE"}}, time=time)


def approved(time=TEN):
    """Return the webhook of its end."""
    return webhook({"event": "APPROVED", "reason": "NONE", "other_info": {"title": "UNPAUSE"}}, time=time)


@pytest.mark.parametrize(
    ("value", "news"),
    [
        ({"event": "APPROVED", "reason": "NONE"}, [("status", "APPROVED", "")]),
        ({"event": "APPROVED", "reason": None}, [("status", "APPROVED", "")]),
        ({"event": "reinstated"}, [("status", "APPROVED", "")]),
        ({"event": "UNARCHIVED"}, [("status", "APPROVED", "")]),
        ({"event": "UNLOCKED", "other_info": {"title": "UNPAUSE"}}, [("status", "APPROVED", "UNPAUSE")]),
        ({"event": "PAUSED", "other_info": {"title": "FIRST_PAUSE"}}, [("status", "PAUSED", "FIRST_PAUSE")]),
        ({"event": "LOCKED", "other_info": {"title": "SECOND_PAUSE"}}, [("status", "PAUSED", "SECOND_PAUSE")]),
        ({"event": "DISABLED", "other_info": {"title": "DISABLED"}}, [("status", "DISABLED", "DISABLED")]),
        (
            {"event": "REJECTED", "reason": "INVALID_FORMAT", "message_template_category": "UTILITY"},
            [("status", "REJECTED", "INVALID_FORMAT"), ("category", "UTILITY", "")],
        ),
        ({"event": "DELETED", "other_info": "odd", "reason": "in other words"}, [("status", "DELETED", "")]),
        ({"event": "FLAGGED", "reason": "SCAM"}, [("quality", "FLAGGED", "SCAM")]),
        ({"previous_quality_score": "GREEN", "new_quality_score": "RED"}, [("quality", "RED", "")]),
    ],
)
def test_a_status_is_read(value, news):
    """Whatever Meta calls it, it may be sent or not; the language is the API's; a mislabelled quality is one."""
    (event,) = parse(webhook(value))
    assert isinstance(event, TemplateChanged)
    assert (event.account_id, event.template) == (ACCOUNT, ("news", "en_US"))
    assert event.at == datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
    assert [(each.aspect.value, each.value, each.detail) for each in event.news] == news


@pytest.mark.parametrize(
    ("field", "value", "news"),
    [
        (QUALITY, {"new_quality_score": "yellow"}, [("quality", "YELLOW", None)]),
        (
            CATEGORY,
            {"previous_category": "UTILITY", "new_category": "MARKETING"},
            [("category", "MARKETING", None), ("coming_category", None, None)],
        ),
        (
            CATEGORY,
            {"correct_category": "MARKETING", "new_category": "UTILITY", "category_update_timestamp": TEN + 3600},
            [
                ("category", "UTILITY", None),
                ("coming_category", "MARKETING", datetime(2026, 11, 22, 11, 0, tzinfo=timezone.utc)),
            ],
        ),
    ],
    ids=["quality", "a category that changed", "a category that is announced"],
)
def test_quality_and_category_are_read(field, value, news):
    """In an announcement `new_category` is the present one."""
    (event,) = parse(webhook(value, field=field))
    assert [(each.aspect.value, each.value, each.until) for each in event.news] == news


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        (STATUS, {}, "event is missing or not a text"),
        (STATUS, {"event": "PAUSED", "message_template_id": None}, "message_template_id is missing or not an identifier"),
        (STATUS, {"event": "PAUSED", "message_template_id": True}, "message_template_id is missing or not an identifier"),
        (STATUS, {"event": "PAUSED", "message_template_name": 5}, "message_template_name is missing or not a text"),
        (
            STATUS, {"event": "PAUSED", "message_template_name": "n" * 513},
            "message_template_name is longer than 512 characters",
        ),
        (STATUS, {"event": "PAUSED", "message_template_language": "en US"}, "message_template_language is no language code"),
        (QUALITY, {"new_quality_score": "BLUE"}, "new_quality_score is none of GREEN, YELLOW, RED, UNKNOWN"),
        (CATEGORY, {"new_category": "NEWS"}, "new_category is none of UTILITY, MARKETING, AUTHENTICATION"),
        (
            CATEGORY, {"new_category": "UTILITY", "correct_category": "MARKETING"},
            "category_update_timestamp is missing or not in unix seconds",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_read(field, value, reason):
    """It is parked with the field that is wrong; an id of digits may be a text, as elsewhere in the API."""
    (event,) = parse(webhook(value, field=field))
    assert isinstance(event, Broken)
    assert event.reason == reason


@pytest.mark.parametrize("time", ["yesterday", 1795341600000, -1, [1]])
def test_a_time_that_is_none(time):
    """Seconds, or it is not read."""
    (event,) = parse(webhook({"event": "PAUSED"}, time=time))
    assert isinstance(event, Broken)
    assert event.reason.startswith("time is")


@pytest.mark.parametrize(
    "value", [{"event": "LOCKED"}, {"event": "GILDED"}, {"event": "LOCKED", "other_info": {"title": "NEWS"}}]
)
def test_what_changes_nothing(value):
    """A lock may mean no more than that it cannot be edited; what Meta invents later stops nothing."""
    (event,) = parse(webhook(value))
    assert isinstance(event, Unused)
    assert event.reason == f"template event {value['event']} changes nothing here"


@pytest.mark.parametrize("field", [[STATUS], {"a": 1}, None, 5])
def test_a_field_that_is_none(field):
    """Whatever stands in its place, nothing is raised."""
    assert [type(event) for event in parse(webhook({"event": "PAUSED"}, field=field))] == [Unused]


def declared(*names, category="UTILITY", language="en_US"):
    """Return a catalogue of templates without variables."""
    return TemplateBook(
        tuple(
            read_translation(
                {
                    "name": name,
                    "language": language,
                    "category": category,
                    "components": [{"type": "BODY", "text": "There is news."}],
                }
            )
            for name in names
        )
    )


NEWS_THEN_NOTE = {"custom": {"template": [{"name": "news", "language": "en_US"}, {"name": "note"}]}}
NEWS = {"custom": {"template": {"name": "news", "language": "en_US"}}}


async def begin(stage, book=None):
    """Let a customer write, and a day pass: now only templates go. The clock stands at 11:00 the next day."""
    rules = DeliveryRules(templates=book or declared("news", "note"), fallback_languages=("en_US",))
    await stage.start(delivery=rules)
    await stage.receive(stage.message("Hi"))
    await stage.advance(hours=25)


def seconds(stage):
    """Return the present moment as Meta tells it."""
    return int(stage.clock.moment.timestamp())


async def tell(stage, *bodies):
    """Deliver webhooks, and let a tick pass."""
    for body in bodies:
        await stage.hand_in(body)
    await stage.nudge()


async def say(stage, cause, response=None):
    """Say a response that no message of the customer's caused."""
    await stage.say(stage.contact_id, cause, 1, response or NEWS, proactive=True)
    await stage.idle()


def kept(stage):
    """Return what is kept of each aspect."""
    return {row["aspect"]: (row["value"], row["source"]) for row in stage.rows("template_states")}


@pytest.mark.asyncio
async def test_any_order_has_the_same_end(stage):
    """Each webhook comes twice, in each order: the newest word of each aspect counts, each is recorded once."""
    await stage.start()
    told = [
        paused(TEN - 30),
        webhook({"new_quality_score": "RED"}, field=QUALITY, time=TEN - 40),
        approved(TEN - 10),
        webhook({"previous_category": "UTILITY", "new_category": "MARKETING"}, field=CATEGORY, time=TEN - 20),
    ]
    expected = {
        "status": ("APPROVED", "webhook"),
        "quality": ("RED", "webhook"),
        "category": ("MARKETING", "webhook"),
        "coming_category": (None, "webhook"),
    }
    for order in itertools.permutations(told):
        for body in (*order, *order):
            await stage.hand_in(body)
        assert kept(stage) == expected
        assert len(stage.rows("inbox")) == 4
        stage.database.run_now(forget)


def forget(connection):
    """Delete what is kept."""
    for table in ("template_states", "inbox"):
        connection.exec_driver_sql(f"DELETE FROM {table}")


@pytest.mark.asyncio
async def test_a_redelivery_in_the_same_second_changes_nothing(stage):
    """Meta counts whole seconds: of two in one, the one that came later counts, and a redelivery did not come later."""
    await stage.start()
    await tell(stage, paused(), approved(), paused())
    assert kept(stage) == {"status": ("APPROVED", "webhook")}
    assert {row["state"] for row in stage.rows("inbox")} == {"ignored"}


@pytest.mark.asyncio
async def test_without_a_time_it_counts_as_of_now(stage):
    """Meta documents the time, a provider may leave it out."""
    await stage.start()
    await tell(stage, approved(time=None))
    stage.clock.advance(hours=1)
    await tell(stage, paused(time=None))
    stage.clock.advance(hours=1)
    await tell(stage, approved(time=None))
    assert kept(stage) == {"status": ("APPROVED", "webhook")}


@pytest.mark.asyncio
async def test_a_time_in_the_future_counts_as_now(stage):
    """Else nothing would count until then."""
    await stage.start()
    await tell(stage, paused(TEN + 86400))
    stage.clock.advance(hours=1)
    await tell(stage, approved(TEN + 3600))
    assert kept(stage)["status"] == ("APPROVED", "webhook")


@pytest.mark.asyncio
async def test_another_accounts_templates(stage):
    """They may have the same names; without business_account_id nobody can tell."""
    await stage.start(intake=replace(stage.rules.intake, account_id=ACCOUNT))
    await tell(stage, webhook({"event": "PAUSED"}, account="200000000000002"))
    assert kept(stage) == {}
    (row,) = stage.rows("inbox")
    assert row["reason"] == "the template is another account's than business_account_id"
    await tell(stage, webhook({"event": "PAUSED"}))
    assert kept(stage) == {"status": ("PAUSED", "webhook")}


@pytest.mark.asyncio
async def test_paused_in_the_middle_and_approved_again(stage, caplog):
    """What was refused stays so; the next one goes, without a restart; an operator hears of both, once."""
    await begin(stage)
    await say(stage, "api:1")
    await tell(stage, paused(seconds(stage)))
    await say(stage, "api:2")
    await say(stage, "api:3", NEWS_THEN_NOTE)
    assert stage.graph.texts == ["template news", "template note"]
    refused = stage.rows("outbox")[1]
    assert (refused["state"], refused["reason"]) == ("refused", "template 'news' is not approved (it is PAUSED)")
    assert stage.gateway.alarms == [
        "template news (en_US): it is PAUSED since 2026-11-23 11:00 UTC (FIRST_PAUSE): Meta lifts it after 3 or 6 hours, "
        "and disables a template instead of a third pause; until then a second template of the response goes, if it has one"
    ]
    await tell(stage, paused(seconds(stage)))
    await stage.restart()
    await say(stage, "api:4")
    assert stage.states("outbox")[-1] == "refused"
    stage.clock.advance(hours=3)
    await tell(stage, approved(seconds(stage)))
    assert stage.gateway.alarms == []
    assert stage.graph.texts == ["template news", "template note"]
    await say(stage, "api:5")
    assert stage.graph.texts[-1] == "template news"
    assert caplog.text.count("A template was lost: template news (en_US): it is PAUSED") == 2  # once by each server
    assert caplog.text.count("Template news (en_US) can be sent again.") == 1


@pytest.mark.asyncio
async def test_another_process_hears_of_it(stage):
    """The intake took it in, or an operator pulled: it stands in the store, and a tick looks there."""
    await begin(stage)
    words = list(pulled([("news", "en_US")], [], stage.clock.now()))
    await stage.database.run(template_states.note, words)
    await say(stage, "api:1")
    await stage.nudge()
    await say(stage, "api:2")
    assert stage.states("outbox") == ["accepted", "refused"]
    assert stage.gateway.alarms[0].startswith(
        "template news (en_US): it is NOT_FOUND since 2026-11-23 11:00 UTC: Meta has no"
    )


@pytest.mark.asyncio
async def test_a_loss_that_is_told_again_is_no_other(stage, caplog):
    """Each `templates sync` has a newer time: an operator hears of the loss once, and of another status again."""
    await begin(stage)
    for status in ("PAUSED", "PAUSED", "DISABLED"):
        words = list(pulled([("news", "en_US")], [listed("news", status)], stage.clock.now()))
        await stage.database.run(template_states.note, words)
        await stage.advance(hours=1)
    told = [record.message for record in caplog.records if getattr(record, "action", "") == "template_lost"]
    assert [sentence.split(" since ")[0] for sentence in told] == [
        "A template was lost: template news (en_US): it is PAUSED",
        "A template was lost: template news (en_US): it is DISABLED",
    ]


@pytest.mark.asyncio
async def test_a_tick_that_hears_nothing_new_reads_nothing(stage, monkeypatch):
    """Only whether anything has changed is asked twice a second."""
    await begin(stage)
    read = []
    monkeypatch.setattr(template_states, "read", read.append)
    await stage.nudge()
    await say(stage, "api:1")
    assert read == []


def change(category, *, comes_at=None):
    """Return the value that tells of a category."""
    if comes_at is None:
        return {"previous_category": "UTILITY", "new_category": category}
    return {"new_category": "UTILITY", "correct_category": category, "category_update_timestamp": comes_at}


@pytest.mark.asyncio
async def test_another_category_asks_for_another_consent(stage, caplog):
    """Marketing needs an opt-in; an operator is told, since it costs more, too."""
    await begin(stage)
    await say(stage, "api:1")
    await tell(stage, webhook(change("MARKETING"), field=CATEGORY, time=seconds(stage)))
    await say(stage, "api:2")
    assert stage.states("outbox") == ["accepted", "refused"]
    assert "template 'news': " in stage.rows("outbox")[1]["reason"]
    assert caplog.text.count("Template news (en_US) is of category MARKETING at Meta and declared as UTILITY") == 1
    assert stage.gateway.alarms == []


@pytest.mark.asyncio
async def test_an_announced_category_counts_from_its_moment(stage, caplog):
    """Whether or not Meta tells it again; before, an operator is warned."""
    await begin(stage)
    due = seconds(stage) + 24 * 3600
    await tell(stage, webhook(change("MARKETING", comes_at=due), field=CATEGORY, time=seconds(stage)))
    await say(stage, "api:1")
    assert caplog.text.count("Template news (en_US) becomes MARKETING on 2026-11-24 11:00 UTC: Meta announces it.") == 1
    await stage.advance(hours=24)
    await say(stage, "api:2")
    assert stage.states("outbox") == ["accepted", "refused"]


@pytest.mark.asyncio
async def test_an_announcement_may_be_taken_back(stage):
    """Meta decides otherwise after a review: what was announced is over."""
    await begin(stage)
    due = seconds(stage) + 24 * 3600
    await tell(stage, webhook(change("MARKETING", comes_at=due), field=CATEGORY, time=seconds(stage)))
    await stage.advance(hours=1)
    await tell(stage, webhook(change("UTILITY"), field=CATEGORY, time=seconds(stage)))
    await stage.advance(hours=24)
    await say(stage, "api:1")
    assert stage.states("outbox") == ["accepted"]


@pytest.mark.asyncio
async def test_a_template_for_codes_stays_one(stage):
    """What can be filled in it does not change with what Meta bills it as."""
    code = read_translation(
        {"name": "news", "language": "en_US", "category": "AUTHENTICATION", "components": [{"type": "BODY"}]}
    )
    await begin(stage, TemplateBook((code,)))
    await tell(stage, webhook(change("UTILITY"), field=CATEGORY, time=seconds(stage)))
    await say(stage, "api:1", {"custom": {"template": {"name": "news", "language": "en_US", "code": "123456"}}})
    assert stage.graph.texts == ["template news"]


@pytest.mark.asyncio
async def test_low_quality_is_warned_of(stage, caplog):
    """Once for each word; it may still be sent."""
    await begin(stage)
    await tell(stage, webhook({"new_quality_score": "RED"}, field=QUALITY, time=seconds(stage)))
    await tell(stage, webhook({"new_quality_score": "RED"}, field=QUALITY, time=seconds(stage) + 1))
    await tell(stage, webhook({"event": "FLAGGED"}, time=seconds(stage)))
    await say(stage, "api:1")
    assert stage.states("outbox") == ["accepted"]
    warned = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert warned == [
        "Template news (en_US) has a low quality (RED): Meta may pause or disable it.",
        "Template news (en_US) has a low quality (FLAGGED): Meta may pause or disable it.",
    ]
    assert stage.gateway.alarms == []


@pytest.mark.asyncio
@pytest.mark.parametrize("told_by", ["an answer", "a status"])
@pytest.mark.parametrize(("code", "status"), [(132001, "NOT_FOUND"), (132015, "PAUSED"), (132016, "DISABLED")])
async def test_a_refusal_teaches_for_three_hours(stage, told_by, code, status):
    """The next message does not run into it; then it is tried again, if nothing else tells."""
    await begin(stage)
    if told_by == "an answer":
        stage.graph.answers = [refusal(400, {"code": code})]
    await say(stage, "api:1")
    if told_by == "a status":
        await stage.receive(stage.status("wamid.OUT1", "failed", code=code))
    await stage.nudge()
    await say(stage, "api:2")
    assert (stage.states("outbox"), len(stage.graph.sent)) == (["failed", "refused"], 1)
    (alarm,) = stage.gateway.alarms
    assert alarm.startswith(f"template news (en_US): it is {status} since 2026-11-23 11:00 UTC (error {code}): ")
    assert alarm.endswith("; it is tried again on 2026-11-23 14:00 UTC")
    await stage.advance(hours=3)
    assert stage.gateway.alarms == []
    await say(stage, "api:3")
    assert (stage.states("outbox")[-1], len(stage.graph.sent)) == ("accepted", 2)


@pytest.mark.asyncio
async def test_metas_own_word_ends_what_a_refusal_taught(stage):
    """The pause is over sooner."""
    await begin(stage)
    stage.graph.answers = [refusal(400, {"code": 132015})]
    await say(stage, "api:1")
    stage.clock.advance(minutes=5)
    await tell(stage, approved(seconds(stage)))
    await say(stage, "api:2")
    assert stage.states("outbox") == ["failed", "accepted"]


@pytest.mark.asyncio
async def test_a_refusal_says_less_than_meta_itself(stage):
    """A message that was under way meets the pause: the webhook's word, which has no end, stays."""
    await begin(stage)
    await say(stage, "api:1")
    await tell(stage, webhook({"event": "DISABLED"}, time=seconds(stage) - 5))
    await stage.receive(stage.status("wamid.OUT1", "failed", code=132015))
    assert kept(stage) == {"status": ("DISABLED", "webhook")}
    await stage.advance(hours=4)
    await say(stage, "api:2")
    assert stage.states("outbox") == ["failed", "refused"]


@pytest.mark.asyncio
async def test_other_refusals_teach_nothing(stage):
    """Parameters that do not fit are the response's fault, and text has no template."""
    await begin(stage)
    stage.graph.answers = [refusal(400, {"code": 132000})]
    await say(stage, "api:1")
    await stage.receive(stage.message("Hi"))
    stage.graph.answers = [refusal(400, {"code": 132015})]
    await say(stage, "api:2", {"text": "no template"})
    assert kept(stage) == {}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("event", "remedy"),
    [
        ("DISABLED", "hand in another one under a new name"),
        ("REJECTED", "hand it in again with `rasa-whatsapp templates push`"),
        ("PENDING", "Meta reviews it"),
        ("IN_APPEAL", "Meta reviews it once more"),
        ("ARCHIVED", "take it out of the archive"),
        ("DELETED", "name that in the response"),
        ("PENDING_DELETION", "name that in the response"),
        ("LIMIT_EXCEEDED", "see the WhatsApp Manager"),
    ],
)
async def test_each_loss_has_its_remedy(stage, event, remedy):
    """It names template, language, what happened, and what to do."""
    await begin(stage)
    await tell(stage, webhook({"event": event}, time=seconds(stage)))
    (alarm,) = stage.gateway.alarms
    assert alarm.startswith(f"template news (en_US): it is {event} since 2026-11-23 11:00 UTC: ")
    assert remedy in alarm


@pytest.mark.asyncio
async def test_what_is_no_loss(stage):
    """A template that nobody declared, and one that the catalogue has as not approved yet, in its first review."""
    new = replace(declared("news").translations[0], status="PENDING")
    await begin(stage, TemplateBook((new,)))
    foreign = {"message_template_name": "somebody_elses", "event": "DELETED"}
    await tell(stage, webhook({"event": "PENDING"}, time=seconds(stage)), webhook(foreign, time=seconds(stage)))
    assert stage.gateway.alarms == []
    await tell(stage, webhook({"event": "REJECTED"}, time=seconds(stage)))
    assert len(stage.gateway.alarms) == 1
    await tell(stage, approved(seconds(stage)))
    assert stage.gateway.alarms == []
    await say(stage, "api:1")
    assert stage.graph.texts == ["template news"]


def listed(name, status="APPROVED", **more):
    """Return a template as the account has it."""
    given = {"id": "1", "name": name, "language": "en_US", "status": status, "category": "UTILITY", "quality": None}
    return AccountTemplate(**given | {"rejected_reason": None, "content": {}} | more)


def test_what_a_list_of_templates_tells():
    """Of each declared one what Meta has, or that it has nothing; of others nothing."""
    at = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
    templates = [
        listed("news", "REJECTED", quality="GREEN", rejected_reason="SCAM"),
        listed("note", category="NEW_KIND", quality="NEW_SCORE"),
        listed("other"),
    ]
    words = list(pulled([("news", "en-US"), ("note", "en_US"), ("gone", "de")], templates, at))
    assert [(word.key, word.news.aspect.value, word.news.value, word.news.detail) for word in words] == [
        (("news", "en_US"), "status", "REJECTED", "SCAM"),
        (("news", "en_US"), "category", "UTILITY", ""),
        (("news", "en_US"), "quality", "GREEN", ""),
        (("note", "en_US"), "status", "APPROVED", ""),
        (("gone", "de"), "status", "NOT_FOUND", ""),
    ]
    assert {(word.at, word.source.value) for word in words} == {(at, "pull")}
