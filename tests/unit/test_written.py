"""The language in which a contact writes: what teaches it, which message counts, and what it decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete

from rasa_whatsapp.cloud.inbound import MessageReceived, read_message
from rasa_whatsapp.cloud.templates import TemplateBook, TemplateUse, read_translation
from rasa_whatsapp.delivery import DeliveryRules
from rasa_whatsapp.learning import own_words
from rasa_whatsapp.storage import schema, written
from rasa_whatsapp.storage.follow_ups import NewFollowUp

pytestmark = pytest.mark.asyncio

GERMAN, ENGLISH = "Wo ist meine Bestellung?", "Where is my order please?"
LEARNING = DeliveryRules(written_languages=("de", "en"))


def book(name, *languages, status="APPROVED"):
    """Return a template without variables in these languages."""
    parts = [{"type": "BODY", "text": "There is news for you."}]
    plain = {"name": name, "category": "UTILITY", "status": status, "components": parts}
    return TemplateBook(tuple(read_translation(plain | {"language": language}) for language in languages))


def known(stage):
    """Return what is known of all contacts, without whose it is."""
    return [(row["language"], row["written_at"]) for row in stage.rows("written")]


async def write(stage, *texts):
    """Let a customer write these texts, a minute apart."""
    for text in texts:
        stage.clock.advance(minutes=1)
        await stage.receive(stage.message(text))


def at(stage, **before):
    """Return the timestamp of a message that was sent so long before now."""
    return str(int((stage.clock.now() - timedelta(**before)).timestamp()))


async def test_a_defect_of_the_detector_takes_no_turn(stage, monkeypatch, caplog):
    """The customer is answered all the same, and the text is not logged."""

    def fail(text, among):
        raise LookupError(text)

    monkeypatch.setattr("rasa_whatsapp.learning.language_of", fail)
    await stage.start(delivery=LEARNING)
    await write(stage, ENGLISH)
    assert (stage.dialogue.heard, known(stage)) == ([ENGLISH], [])
    (told,) = [record for record in caplog.records if getattr(record, "action", "") == "language_untold"]
    assert ENGLISH not in told.getMessage()


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ([ENGLISH], "en"),
        ([GERMAN], "de"),
        (["Hi"], None),
        (["1004", "ok", "\U0001f44d", "https://example.com/where/is/my/order"], None),
        ([ENGLISH, "super", "Pizza", "1004"], "en"),
        ([ENGLISH, GERMAN], "de"),
        ([GERMAN, ENGLISH, GERMAN, "No thanks"], "de"),
        ([ENGLISH, "Merhaba, siparişim nerede acaba?"], "en"),
    ],
)
async def test_what_was_told_last_counts(stage, texts, told):
    """The latest text that is enough to tell, among the languages that matter."""
    await stage.start(delivery=LEARNING)
    await write(stage, *texts)
    assert [language for language, _ in known(stage)] == ([told] if told else [])


async def test_only_language_and_time_are_kept(stage):
    """Nothing of the text; the time is Meta's."""
    await stage.start(delivery=LEARNING)
    await stage.receive(stage.message(ENGLISH))
    assert stage.rows("written") == [
        {"contact_id": stage.contact_id, "language": "en", "written_at": stage.clock.now()},
    ]


async def test_words_ask_nobody_for_a_language(stage, monkeypatch):
    """The store is asked only where a template may come of it: an answer in the open window costs nothing more."""
    asked = []
    told = written.language
    monkeypatch.setattr(
        written, "language", lambda connection, contact_id: asked.append(contact_id) or told(connection, contact_id)
    )
    nudge = TemplateUse(name="news", parameters={})
    rules = replace(LEARNING, templates=book("news", "de", "en"), re_engagement=nudge)
    stage.dialogue.answer = lambda turn: [{"text": "free", "custom": {"template": {"name": "news"}}}]
    await stage.start(delivery=rules)
    await write(stage, ENGLISH)
    assert (stage.graph.texts, asked) == (["free"], [])
    stage.clock.advance(hours=25)
    await stage.say(stage.contact_id, "api:1", 1, {"custom": {"template": {"name": "news"}}}, proactive=True)
    await stage.idle()
    assert (stage.graph.texts, asked) == (["free", "template news"], [stage.contact_id])


async def test_it_is_off_without_languages(stage):
    """No templates, or an empty list: nothing is learned."""
    await stage.start()
    await stage.receive(stage.message(ENGLISH))
    assert known(stage) == []


async def test_an_older_message_that_comes_late_changes_nothing(stage):
    """English was written at ten; German, written at nine, is delivered afterwards, and then from half past ten."""
    await stage.start(delivery=LEARNING)
    await stage.receive(stage.message(ENGLISH))
    ten = stage.clock.now()
    stage.clock.advance(hours=1)
    await stage.receive(stage.message(GERMAN, timestamp=at(stage, hours=2)))
    assert known(stage) == [("en", ten)]
    await stage.receive(stage.message(GERMAN, timestamp=at(stage, minutes=30)))
    assert known(stage) == [("de", ten + timedelta(minutes=30))]


async def test_a_message_from_the_future_counts_as_now(stage):
    """What is written an hour later is newer, though its timestamp is not."""
    await stage.start(delivery=LEARNING)
    await stage.receive(stage.message(ENGLISH, timestamp=at(stage, days=-1)))
    stage.clock.advance(hours=1)
    await stage.receive(stage.message(GERMAN))
    assert known(stage) == [("de", stage.clock.now())]


async def test_the_same_language_again_is_newer(stage):
    """English at ten and at twelve; German from eleven comes after both."""
    await stage.start(delivery=LEARNING)
    await stage.receive(stage.message(ENGLISH))
    stage.clock.advance(hours=2)
    await stage.receive(stage.message(ENGLISH))
    await stage.receive(stage.message(GERMAN, timestamp=at(stage, hours=1)))
    assert known(stage) == [("en", stage.clock.now())]


async def test_a_turn_that_is_taken_again_teaches_the_same(stage):
    """A crash in the middle of the turn."""
    broken = True

    async def fail(turn):
        if broken:
            raise RuntimeError

    stage.dialogue.before = fail
    await stage.start(delivery=LEARNING)
    await stage.receive(stage.message(ENGLISH))
    first = known(stage)
    broken = False
    await stage.advance(minutes=2)
    assert (stage.dialogue.heard, known(stage)) == ([ENGLISH, ENGLISH], first)


async def test_what_shares_a_turn_is_read_together(stage):
    """None of them is enough; the time is the last one's."""
    await stage.start(delivery=LEARNING, join=timedelta(seconds=2))
    for text in ("Hello", "where is", "my order"):
        await stage.receive(stage.message(text))
        await stage.advance(seconds=1)
    latest = stage.clock.now() - timedelta(seconds=1)
    await stage.advance(seconds=2)
    assert (len(stage.dialogue.turns), known(stage)) == (1, [("en", latest)])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, ENGLISH),
        ({"context": {"id": "wamid.X"}}, ENGLISH),  # an answer that quotes
        ({"context": {"forwarded": True}}, None),
        ({"context": {"frequently_forwarded": True}}, None),
        ({"context": "odd"}, ENGLISH),
        ({"referral": {"source_type": "ad", "source_id": "1"}}, None),
        ({"type": "button", "text": None, "button": {"text": ENGLISH, "payload": ENGLISH}}, None),
        (
            {
                "type": "interactive",
                "text": None,
                "interactive": {"type": "list_reply", "list_reply": {"id": "1", "title": ENGLISH}},
            },
            None,
        ),
        ({"type": "image", "text": None, "image": {"id": "1", "mime_type": "image/jpeg", "caption": ENGLISH}}, None),
    ],
    ids=["typed", "quoting", "forwarded", "often forwarded", "odd", "ad", "quick reply", "list", "caption"],
)
@pytest.mark.on("sqlite")
async def test_own_words(stage, fields, words):
    """Typed by the customer, not tapped, not forwarded, not suggested by an advertisement, no caption."""
    read = read_message("1", {"message": stage.message(**{"text": ENGLISH} | fields), "contact": {}})
    assert isinstance(read, MessageReceived)
    assert own_words(read) == words


async def test_what_is_forwarded_teaches_nothing(stage):
    """On its whole way."""
    await stage.start(delivery=LEARNING)
    await stage.receive(stage.message(ENGLISH, context={"forwarded": True}))
    assert (stage.dialogue.heard, known(stage)) == ([ENGLISH], [])


@pytest.mark.parametrize("newer", ["the one by number", "the one by user id"])
async def test_of_two_that_are_one_the_newer_counts(stage, newer):
    """Each wrote in another language before it turned out that they are one person."""
    by_number, by_user_id = {"from_user_id": None}, {"from": None, "from_user_id": "DE.1"}
    order = [(GERMAN, by_user_id), (ENGLISH, by_number)]
    if newer == "the one by user id":
        order = [(ENGLISH, by_number), (GERMAN, by_user_id)]
    await stage.start(delivery=LEARNING)
    for text, fields in order:
        stage.clock.advance(minutes=1)
        await stage.receive(stage.message(text, **fields))
    assert len(known(stage)) == 2
    latest = (order[-1][0] == ENGLISH and "en") or "de", stage.clock.now()
    stage.clock.advance(minutes=1)
    await stage.receive(stage.message("Hi", from_user_id="DE.1"))
    assert known(stage) == [latest]
    (kept,) = [row["id"] for row in stage.rows("contacts") if row["merged_into"] is None]
    assert stage.rows("written")[0]["contact_id"] == kept


@pytest.mark.parametrize(("first", "second"), [(None, "en"), ("en", None), (None, None)])
async def test_moving_what_is_known_of_one_only(stage, first, second):
    """Whoever told it, it stays."""
    await stage.start()
    await stage.receive(stage.message("Hi"), stage.message("Hi", sender="4915100000002"))
    kept, gone = [row["id"] for row in stage.rows("contacts")]
    for contact_id, language in ((kept, first), (gone, second)):
        if language:
            await stage.database.run(written.learn, contact_id, language, stage.clock.now())
    await stage.database.run(written.move, gone, kept)
    told = first or second
    assert [(row["contact_id"], row["language"]) for row in stage.rows("written")] == ([(kept, told)] if told else [])


async def test_it_goes_with_its_contact(stage):
    """Who deletes a contact deletes what was learned of them."""
    await stage.start()
    await stage.database.run(lambda connection: connection.execute(schema.contacts.insert().values(
        id="c1", number_id="1", created_at=stage.clock.now()
    )))  # fmt: skip
    await stage.database.run(written.learn, "c1", "en", stage.clock.now())
    await stage.database.run(lambda connection: connection.execute(delete(schema.contacts)))
    assert stage.rows("written") == []


@pytest.mark.parametrize(
    ("text", "slot", "languages", "wanted", "chosen"),
    [
        (ENGLISH, None, ("de", "en"), (), "en"),
        ("Hi", None, ("de", "en"), (), "de"),  # the number's country
        (GERMAN, "en", ("de", "en"), (), "en"),  # the dialogue knows better
        (ENGLISH, None, ("de", "fr"), ("fr",), "de"),  # none in English is approved
        (ENGLISH, None, ("fr", "it"), ("fr",), "fr"),
        (ENGLISH, None, ("de", "en_US", "en_GB"), (), "en_GB"),  # as it is written in Germany
    ],
)
async def test_the_order_of_languages(stage, text, slot, languages, wanted, chosen):
    """The dialogue's, what they write, what is read in the country of the number, the configured ones."""
    rules = replace(LEARNING, templates=book("news", *languages), fallback_languages=wanted)
    await stage.start(delivery=rules)
    await stage.receive(stage.message(text))
    stage.clock.advance(days=2)
    response = {"text": "News", "custom": {"template": {"name": "news"}}}
    assert stage.gateway is not None
    await stage.gateway.say(stage.contact_id, "api:1", 1, response, language=slot)
    await stage.idle()
    assert stage.graph.sent[-1]["template"]["language"] == {"code": chosen}


async def test_what_was_learned_counts_no_more_when_it_is_switched_off(stage):
    """The number's country decides again."""
    rules = replace(LEARNING, templates=book("news", "de", "en"))
    await stage.start(delivery=rules)
    await stage.receive(stage.message(ENGLISH))
    await stage.kill()
    await stage.start(delivery=replace(rules, written_languages=()))
    stage.clock.advance(days=2)
    response = {"text": "News", "custom": {"template": {"name": "news"}}}
    await stage.say(stage.contact_id, "api:1", 1, response, proactive=True)
    await stage.idle()
    assert stage.graph.sent[-1]["template"]["language"] == {"code": "de"}


async def test_a_reminder_days_later_after_a_restart(stage):
    """A customer with a German number writes English; three days later the reminder goes out as the English template."""
    news = {"text": "News", "custom": {"template": {"name": "news"}}}
    stage.dialogue.answer = lambda turn: [news] if turn.is_external else []
    await stage.start(delivery=replace(LEARNING, templates=book("news", "de", "en")))
    await stage.receive(stage.message(ENGLISH))
    reminder = NewFollowUp(
        contact_id=stage.contact_id,
        name="news",
        intent="EXTERNAL_news",
        entities=[],
        due_at=stage.clock.now() + timedelta(days=3),
        kill_on_user_message=False,
        cause="wamid.IN1",
    )
    assert stage.gateway is not None
    await stage.gateway.schedule(reminder)
    await stage.restart()
    await stage.advance(days=3)
    assert [body["template"]["language"]["code"] for body in stage.graph.sent] == ["en"]


async def test_what_asks_the_customer_to_write_again(stage):
    """The template that stands for what is parked goes in the language that they write, too."""
    nudge = TemplateUse(name="come_back", parameters={})
    rules = replace(LEARNING, templates=book("come_back", "de", "en"), re_engagement=nudge)
    intake = replace(stage.rules.intake, parked=timedelta(days=7))
    await stage.start(delivery=rules, intake=intake)
    await stage.receive(stage.message(ENGLISH))
    stage.clock.advance(hours=25)
    await stage.say(stage.contact_id, "api:1", 1, {"text": "one"}, proactive=True)
    await stage.idle()
    assert [body["template"]["language"]["code"] for body in stage.graph.sent] == ["en"]
