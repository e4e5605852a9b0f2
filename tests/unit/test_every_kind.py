"""Every kind of message through the gateway: what is a turn and what is not, what opens the window, who keeps the bot silent."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta, timezone

import pytest

from rasa_whatsapp.cloud.answers import Accepted
from rasa_whatsapp.intake import IntakeRules
from rasa_whatsapp.storage.follow_ups import NewFollowUp

NUMBER = "100000000000001"
MORNING = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
PHOTO = {"id": "901", "mime_type": "image/jpeg", "sha256": "aGFzaA=="}
NOT_UNDERSTOOD = "nlu_fallback"


def change(field, number_id=NUMBER, **value):
    """Return a webhook body with one change."""
    metadata = {"display_phone_number": "4930901820000", "phone_number_id": number_id} if number_id else {}
    changes = [{"field": field, "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}]
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "2", "changes": changes}]}).encode()


def unix(stage):
    """Return the present moment as webhooks carry it."""
    return str(int(stage.clock.moment.timestamp()))


def is_open(stage):
    """Tell whether the only contact's window is open."""
    (row,) = stage.rows("contacts")
    opened = row["window_opened_at"]
    return opened is not None and stage.clock.moment < opened + timedelta(hours=24)


class TestTurns:
    """What the dialogue gets."""

    @pytest.mark.parametrize(
        ("fields", "text", "intents", "entity"),
        [
            ({"type": "image", "image": PHOTO}, "[image]", "whatsapp_image", "whatsapp_media"),
            (
                {"type": "location", "location": {"latitude": 52.5, "longitude": 13.4}},
                "[location]",
                "whatsapp_location",
                "whatsapp_location",
            ),
            (
                {"type": "unsupported", "errors": [{"code": 131051}]},
                "[unsupported]",
                "whatsapp_unsupported",
                "whatsapp_unsupported",
            ),
            ({"type": "hologram", "hologram": {}}, "[hologram]", "whatsapp_unsupported", "whatsapp_unsupported"),
        ],
        ids=["photo", "location", "unsupported", "a kind of tomorrow"],
    )
    @pytest.mark.asyncio
    async def test_no_words(self, stage, fields, text, intents, entity):
        """The channel knows the intent; a domain without it gets whatsapp_unsupported, and at last Rasa's own fallback."""
        await stage.start()
        await stage.receive(stage.message(**fields))
        (turn,) = stage.dialogue.turns
        assert (turn.text, turn.is_command) == (text, False)
        assert (turn.intents[0], turn.intents[-1]) == (intents, NOT_UNDERSTOOD)
        assert turn.entities[entity] == turn.metadata["whatsapp"][entity.removeprefix("whatsapp_")]
        assert is_open(stage)

    @pytest.mark.asyncio
    async def test_a_caption_is_words(self, stage):
        """It goes through NLU like any text, and the photo comes along as an entity."""
        await stage.start()
        await stage.receive(stage.message(type="image", image={**PHOTO, "caption": "It is broken"}))
        (turn,) = stage.dialogue.turns
        assert (turn.text, turn.intents) == ("It is broken", ())
        assert turn.entities["whatsapp_media"]["id"] == "901"

    @pytest.mark.asyncio
    async def test_an_order_with_a_note_is_an_order(self, stage):
        """The note goes along, but what it means is the order."""
        item = {"product_retailer_id": "SKU-1", "quantity": 2, "item_price": 5, "currency": "EUR"}
        await stage.start()
        await stage.receive(
            stage.message(type="order", order={"catalog_id": "c1", "text": "as a gift", "product_items": [item]})
        )
        (turn,) = stage.dialogue.turns
        assert (turn.text, turn.intents[0]) == ("as a gift", "whatsapp_order")
        assert turn.entities["whatsapp_order"]["text"] == "as a gift"

    @pytest.mark.asyncio
    async def test_a_caption_is_no_keyword_and_no_command(self, stage):
        """STOP under a photo is not the whole message; a slash in a caption is typed text."""
        await stage.start()
        await stage.receive(stage.message(type="image", image={**PHOTO, "caption": "/restart"}))
        await stage.receive(stage.message(type="image", image={**PHOTO, "caption": "STOP"}))
        assert [turn.is_command for turn in stage.dialogue.turns] == [False, False]
        assert stage.rows("consent") == []

    @pytest.mark.parametrize(
        ("kind", "body"),
        [
            ("reaction", {"message_id": "wamid.OUT1", "emoji": "👍"}),
            ("edit", {"original_message_id": "wamid.IN1", "message": {"type": "text", "text": {"body": "new"}}}),
            ("revoke", {"original_message_id": "wamid.IN1"}),
            ("system", {"type": "customer_identity_changed", "body": "x"}),
        ],
    )
    @pytest.mark.asyncio
    async def test_no_turn_unless_configured(self, stage, kind, body):
        """A reaction, an edit, a deletion, a system notice: kept, but no turn, and the window stays as it is."""
        await stage.start()
        await stage.receive(stage.message(type=kind, **{kind: body}))
        assert (stage.dialogue.turns, stage.states("inbox"), is_open(stage)) == ([], ["ignored"], False)
        assert f"a {kind} is no turn" in stage.rows("inbox")[0]["reason"]
        await stage.kill()
        await stage.start(intake=IntakeRules(number_ids=(NUMBER,), turns_for=frozenset({kind})))
        await stage.receive(stage.message(type=kind, **{kind: body}))
        (turn,) = stage.dialogue.turns
        assert turn.intents[0] == f"whatsapp_{kind}"
        assert not is_open(stage)

    @pytest.mark.asyncio
    async def test_a_group_is_never_a_turn(self, stage):
        """Whatever is configured: it is nobody's conversation with the bot."""
        await stage.start(intake=IntakeRules(number_ids=(NUMBER,), turns_for=frozenset({"group", "reaction"})))
        await stage.receive(stage.message("Hi all", group_id="g1"))
        assert (stage.dialogue.turns, stage.states("inbox"), is_open(stage)) == ([], ["ignored"], False)

    @pytest.mark.asyncio
    async def test_what_surrounds_a_message(self, stage):
        """The message that was answered and the ad that led here are in the metadata."""
        await stage.start()
        context = {"from": "4930901820000", "id": "wamid.OUT1", "referred_product": {"product_retailer_id": "SKU-1"}}
        await stage.receive(stage.message(context=context, referral={"source_type": "ad", "source_id": "7"}))
        known = stage.dialogue.turns[0].metadata["whatsapp"]
        assert (known["context"], known["referral"]) == (context, {"source_type": "ad", "source_id": "7"})


class TestCalls:
    """A call of the customer opens the window."""

    @pytest.mark.parametrize(
        ("event", "direction", "opens"),
        [
            ("connect", "USER_INITIATED", True),
            ("terminate", "USER_INITIATED", False),
            ("connect", "BUSINESS_INITIATED", False),
        ],
    )
    @pytest.mark.asyncio
    async def test_window(self, stage, event, direction, opens):
        """Answered or not; but not its end, and not a call of ours."""
        await stage.start()
        ends = (
            ("4915112345678", "4930901820000") if direction == "USER_INITIATED" else ("4930901820000", "4915112345678")
        )
        call = {"id": "wacid.1", "from": ends[0], "to": ends[1], "event": event, "direction": direction}
        await stage.hand_in(change("calls", calls=[{**call, "timestamp": unix(stage)}]))
        await stage.idle()
        assert stage.dialogue.turns == []
        assert any(row["window_opened_at"] is not None for row in stage.rows("contacts")) is opens

    @pytest.mark.asyncio
    async def test_as_a_turn(self, stage):
        """If the designer wants to say something to who called."""
        await stage.start(intake=IntakeRules(number_ids=(NUMBER,), turns_for=frozenset({"call"})))
        call = {"id": "wacid.1", "from": "4915112345678", "to": "4930901820000", "event": "connect"}
        await stage.hand_in(change("calls", calls=[{**call, "direction": "USER_INITIATED", "timestamp": unix(stage)}]))
        await stage.idle()
        (turn,) = stage.dialogue.turns
        assert (turn.text, turn.intents[0], turn.entities["care_window_open"]) == ("[call]", "whatsapp_call", True)


class TestHumans:
    """Coexistence: a human answers from the app, and the bot is silent in that chat for a while."""

    async def echo(self, stage, ident="wamid.ECHO1", to="4915112345678"):
        """Let a human answer."""
        said = {"from": "4930901820000", "to": to, "id": ident, "timestamp": unix(stage), "type": "text"}
        await stage.hand_in(change("smb_message_echoes", message_echoes=[{**said, "text": {"body": "I take over"}}]))
        await stage.idle()

    @pytest.mark.asyncio
    async def test_the_bot_is_silent_and_comes_back(self, stage):
        """What the customer writes meanwhile is the human's to answer; after the pause the bot answers again."""
        stage.dialogue.answer = lambda turn: [{"text": f"bot: {turn.text}"}]
        await stage.start()
        await stage.receive(stage.message("one"))
        await self.echo(stage)
        await stage.advance(minutes=59)
        await stage.receive(stage.message("two"))
        await stage.advance(minutes=2)
        await stage.receive(stage.message("three"))
        assert stage.graph.texts == ["bot: one", "bot: three"]
        assert [row["state"] for row in stage.rows("inbox") if row["kind"] == "message"] == ["done", "ignored", "done"]

    @pytest.mark.asyncio
    async def test_only_in_that_chat(self, stage):
        """Another customer's conversation goes on."""
        stage.dialogue.answer = lambda turn: [{"text": f"bot: {turn.text}"}]
        await stage.start()
        await self.echo(stage)
        await stage.receive(stage.message("two", sender="4915199999999"))
        assert stage.graph.texts == ["bot: two"]

    @pytest.mark.asyncio
    async def test_what_the_bot_had_ready_is_refused(self, stage):
        """The human has answered by then."""
        await stage.start()
        await stage.receive(stage.message("one"))
        await self.echo(stage)
        await stage.say(stage.contact_id, "wamid.IN1", 1, {"text": "late"}, proactive=False)
        await stage.idle()
        assert stage.states("outbox") == ["refused"]
        assert "a human answers in this chat" in stage.rows("outbox")[0]["reason"]

    @pytest.mark.asyncio
    async def test_a_follow_up_waits(self, stage):
        """It falls due during the pause and is said after it, and holds up nobody meanwhile."""
        stage.dialogue.answer = lambda turn: [{"text": f"bot: {turn.text}"}]
        await stage.start()
        await stage.receive(stage.message("one"))
        follow_up = NewFollowUp(
            contact_id=stage.contact_id,
            name="n",
            intent="EXTERNAL_n",
            entities=(),
            due_at=stage.clock.moment + timedelta(minutes=10),
            kill_on_user_message=False,
            cause="wamid.IN1",
        )
        await stage.gateway.schedule(follow_up)
        await self.echo(stage)
        await stage.advance(minutes=15)
        await stage.receive(stage.message("to the human"))
        assert stage.graph.texts == ["bot: one"]
        await stage.advance(minutes=46)
        assert stage.graph.texts == ["bot: one", "bot: EXTERNAL: EXTERNAL_n"]

    @pytest.mark.asyncio
    async def test_switched_off(self, stage):
        """pause_after_human_seconds: 0."""
        stage.dialogue.answer = lambda turn: [{"text": f"bot: {turn.text}"}]
        await stage.start(intake=IntakeRules(number_ids=(NUMBER,), pause_after_human=timedelta()))
        await self.echo(stage)
        await stage.receive(stage.message("two"))
        assert stage.graph.texts == ["bot: two"]

    @pytest.mark.asyncio
    async def test_history_is_never_answered(self, stage):
        """Old messages, shared when a number joins."""
        await stage.start()
        old = {
            "from": "4915112345678",
            "id": "wamid.OLD",
            "timestamp": unix(stage),
            "type": "text",
            "text": {"body": "x"},
        }
        threads = [{"id": "4915112345678", "messages": [{**old, "history_context": {"status": "READ"}}]}]
        await stage.hand_in(change("history", history=[{"metadata": {"phase": 0}, "threads": threads}]))
        await stage.idle()
        assert (stage.dialogue.turns, stage.graph.sent) == ([], [])


class TestFreeEntryPoint:
    """72 hours from the first answer to who came from an ad; the window is not lengthened."""

    @pytest.mark.parametrize(("hours", "free"), [(1, True), (25, False)], ids=["in time", "too late"])
    @pytest.mark.asyncio
    async def test_it_counts_from_the_answer(self, stage, hours, free):
        """If the answer comes within 24 hours of the ad's message."""
        await stage.start()
        await stage.receive(stage.message(referral={"source_type": "ad", "source_id": "7"}))
        opened = stage.rows("contacts")[0]["window_opened_at"]
        stage.clock.advance(hours=hours)
        if hours > 24:
            await stage.receive(stage.message("still there?"))
            opened = stage.clock.moment
        await stage.say(stage.contact_id, "wamid.IN1", 1, {"text": "Hello"}, proactive=False)
        await stage.idle()
        answered = stage.clock.moment
        stage.clock.advance(hours=1)
        await stage.receive(stage.message("Hi"))
        told = stage.dialogue.turns[-1].metadata["whatsapp"].get("free_entry_expires_at")
        assert told == ((answered + timedelta(hours=72)).isoformat() if free else None)
        assert stage.dialogue.turns[-1].entities["care_window_expires_at"] == (
            (stage.clock.moment + timedelta(hours=24)).isoformat()
        )
        assert opened < stage.clock.moment


TWENTY_FOUR = [{"title": f"Item {number}", "payload": f'/item{{"n": {number}}}'} for number in range(1, 25)]
LONG_TITLES = [
    {"title": f"A title that is longer than a row may be, number {number}", "payload": f'/item{{"n": {number}}}'}
    for number in range(1, 4)
]


class TestMenus:
    """Long choices, and choices by number."""

    async def tap(self, stage, message_id, row_id):
        """Tap a row."""
        reply = {"type": "list_reply", "list_reply": {"id": row_id, "title": "x"}}
        await stage.receive(stage.message(type="interactive", context={"id": message_id}, interactive=reply))

    @pytest.mark.asyncio
    async def test_pages(self, stage):
        """Nine rows and one for more; the next page needs no dialogue, and its rows are ours to tap."""
        stage.dialogue.answer = lambda turn: [{"text": "Which?", "buttons": TWENTY_FOUR}] if turn.text == "Hi" else []
        await stage.start()
        await stage.receive(stage.message("Hi"))
        pages = []
        for page in (1, 2, 3):
            action = stage.graph.sent[-1]["interactive"]["action"]
            pages.append([row["title"] for section in action["sections"] for row in section["rows"]])
            if page < 3:
                await self.tap(stage, f"wamid.OUT{page}", "rasa-whatsapp/more")
        assert pages[0] == [*(f"Item {number}" for number in range(1, 10)), "More"]
        assert pages[1] == [*(f"Item {number}" for number in range(10, 19)), "More"]
        assert pages[2] == [f"Item {number}" for number in range(19, 25)]
        assert stage.dialogue.heard == ["Hi"]
        await self.tap(stage, "wamid.OUT3", '/item{"n": 24}')
        assert (stage.dialogue.turns[-1].text, stage.dialogue.turns[-1].is_command) == ('/item{"n": 24}', True)
        assert set(stage.states("inbox")) == {"done"}

    @pytest.mark.asyncio
    async def test_the_next_page_again_after_a_crash(self, stage):
        """The same tap delivered again shows the page once; a second tap shows it again."""
        stage.dialogue.answer = lambda turn: [{"text": "Which?", "buttons": TWENTY_FOUR}] if turn.text == "Hi" else []
        await stage.start()
        await stage.receive(stage.message("Hi"))
        reply = {"type": "list_reply", "list_reply": {"id": "rasa-whatsapp/more", "title": "More"}}
        tap = stage.message(type="interactive", context={"id": "wamid.OUT1"}, interactive=reply)
        await stage.receive(tap)
        await stage.restart()
        await stage.receive(tap)
        assert len(stage.graph.sent) == 2
        await self.tap(stage, "wamid.OUT1", "rasa-whatsapp/more")
        assert len(stage.graph.sent) == 3

    @pytest.mark.asyncio
    async def test_more_before_the_answer_of_graph(self, stage, body):
        """The tap overtakes the answer to the request that sent the menu: its id is not known yet."""
        stage.dialogue.answer = lambda turn: [{"text": "Which?", "buttons": TWENTY_FOUR}] if turn.text == "Hi" else []
        stage.graph.held = asyncio.Event()
        await stage.start()
        await stage.hand_in(body(stage.message("Hi")))
        await stage.until(lambda: stage.graph.sent)
        reply = {"type": "list_reply", "list_reply": {"id": "rasa-whatsapp/more", "title": "More"}}
        await stage.hand_in(body(stage.message(type="interactive", context={"id": "wamid.OUT1"}, interactive=reply)))
        await stage.until(lambda: stage.states("inbox") == ["done", "done"])
        stage.graph.held.set()
        await stage.idle()
        assert len(stage.graph.sent) == 2
        assert stage.dialogue.heard == ["Hi"]

    @pytest.mark.asyncio
    async def test_more_of_nothing(self, stage):
        """A tap that names a message which is not ours is words, and no crash."""
        await stage.start()
        await self.tap(stage, "wamid.SOMEBODY", "rasa-whatsapp/more")
        (turn,) = stage.dialogue.turns
        assert (turn.text, turn.is_command) == ("x", False)

    @pytest.mark.parametrize(
        ("typed", "text", "is_command"),
        [
            ("2", '/item{"n": 2}', True),
            (" 3. ", '/item{"n": 3}', True),
            ("4", "4", False),
            ("0", "0", False),
            ("2 please", "2 please", False),
            ("٢", "٢", False),
        ],
    )
    @pytest.mark.asyncio
    async def test_a_number_typed_back_is_the_tap(self, stage, typed, text, is_command):
        """Titles too long for a row are numbered lines."""
        stage.dialogue.answer = lambda turn: [{"text": "Which?", "buttons": LONG_TITLES}] if turn.text == "Hi" else []
        await stage.start()
        await stage.receive(stage.message("Hi"))
        await stage.receive(stage.message(typed))
        assert (stage.dialogue.turns[1].text, stage.dialogue.turns[1].is_command) == (text, is_command)

    @pytest.mark.asyncio
    async def test_a_number_after_something_else_was_said(self, stage):
        """'How many?' was asked since: then 2 is two, and no tap on an older menu."""
        answers = {"Hi": [{"text": "Which?", "buttons": LONG_TITLES}], "first": [{"text": "How many?"}]}
        stage.dialogue.answer = lambda turn: answers.get(turn.text, [])
        await stage.start()
        for words in ("Hi", "first", "2"):
            await stage.receive(stage.message(words))
        assert (stage.dialogue.turns[2].text, stage.dialogue.turns[2].is_command) == ("2", False)

    @pytest.mark.asyncio
    async def test_a_number_that_quotes_the_menu(self, stage):
        """An answer to the older menu itself is about that menu."""
        answers = {"Hi": [{"text": "Which?", "buttons": LONG_TITLES}], "first": [{"text": "How many?"}]}
        stage.dialogue.answer = lambda turn: answers.get(turn.text, [])
        await stage.start()
        for words in ("Hi", "first"):
            await stage.receive(stage.message(words))
        await stage.receive(stage.message("2", context={"id": "wamid.OUT1"}))
        assert stage.dialogue.turns[2].text == '/item{"n": 2}'


class TestReplies:
    """Answers that quote."""

    @pytest.mark.parametrize(
        ("reply_to", "quoted"), [("last", "wamid.IN1"), ("wamid.OLDER", "wamid.OLDER")], ids=["last", "by id"]
    )
    @pytest.mark.asyncio
    async def test_quoting(self, stage, reply_to, quoted):
        """The first message of the response quotes: `last` is the message that caused it."""
        stage.dialogue.answer = lambda turn: [{"text": "this", "custom": {"whatsapp": {"reply_to": reply_to}}}]
        await stage.start()
        await stage.receive(stage.message("Hi"))
        assert stage.graph.sent[0]["context"] == {"message_id": quoted}

    @pytest.mark.asyncio
    async def test_a_reaction_to_the_last_message(self, stage):
        """message_id: last."""
        reaction = {"type": "reaction", "reaction": {"message_id": "last", "emoji": "👍"}}
        stage.dialogue.answer = lambda turn: [{"custom": {"whatsapp": reaction}}]
        await stage.start()
        await stage.receive(stage.message("Hi"))
        assert stage.graph.sent[0]["reaction"] == {"message_id": "wamid.IN1", "emoji": "👍"}

    @pytest.mark.asyncio
    async def test_a_reaction_to_nothing(self, stage):
        """Nobody has written: it is recorded as refused, and the next response is said."""
        await stage.start()
        call = {"id": "wacid.1", "from": "4915112345678", "to": "4930901820000", "event": "connect"}
        await stage.hand_in(change("calls", calls=[{**call, "direction": "USER_INITIATED", "timestamp": unix(stage)}]))
        reaction = {"type": "reaction", "reaction": {"message_id": "last", "emoji": "👍"}}
        await stage.say(stage.contact_id, "api:1", 1, {"custom": {"whatsapp": reaction}}, proactive=True)
        await stage.say(stage.contact_id, "api:1", 2, {"text": "Hello"}, proactive=True)
        await stage.idle()
        assert (stage.states("outbox"), stage.graph.texts) == (["refused", "accepted"], ["Hello"])

    @pytest.mark.asyncio
    async def test_a_follow_up_quotes_the_latest_message(self, stage):
        """No message caused it."""
        await stage.start()
        await stage.receive(stage.message("Hi"))
        response = {"text": "this", "custom": {"whatsapp": {"reply_to": "last"}}}
        await stage.say(stage.contact_id, "follow-up:1", 1, response, proactive=True)
        await stage.idle()
        assert stage.graph.sent[0]["context"] == {"message_id": "wamid.IN1"}


class TestNumbers:
    """Several business numbers in one bot."""

    @pytest.mark.asyncio
    async def test_each_answers_for_itself(self, stage):
        """The same customer writes to both: two contacts, two windows, the right sender."""
        stage.dialogue.answer = lambda turn: [{"text": turn.text}]
        await stage.start(intake=IntakeRules(number_ids=(NUMBER, "100000000000002")))
        await stage.receive(stage.message("to the first"))
        at = {"from": "4915112345678", "id": "wamid.X", "timestamp": unix(stage), "type": "text"}
        await stage.hand_in(change("messages", "100000000000002", messages=[{**at, "text": {"body": "to the second"}}]))
        await stage.idle()
        answered = [(request.number_id, request.body["text"]["body"]) for request in stage.graph.requests]
        assert sorted(answered) == [(NUMBER, "to the first"), ("100000000000002", "to the second")]
        assert len({turn.contact_id for turn in stage.dialogue.turns}) == 2

    @pytest.mark.asyncio
    async def test_the_number_that_meta_corrects(self, stage):
        """Brazil: the answer names another wa_id, and the customer's next message comes from it."""
        stage.dialogue.answer = lambda turn: [{"text": turn.text}]
        await stage.start()
        stage.graph.answers = [Accepted("wamid.OUT1", "551187654321")]
        await stage.receive(stage.message("one", sender="5511987654321"))
        stage.clock.advance(seconds=1)
        await stage.receive(stage.message("two", sender="551187654321"))
        assert len({turn.contact_id for turn in stage.dialogue.turns}) == 1
        assert [body["to"] for body in stage.graph.sent] == ["+5511987654321", "+551187654321"]


class TestOnePerson:
    """Names that change, through the webhook."""

    @pytest.mark.asyncio
    async def test_a_changed_number_keeps_the_conversation(self, stage):
        """The follow-up is sent to the new number, from the same conversation."""
        await stage.start()
        await stage.receive(stage.message("Hi"))
        lea = stage.contact_id
        notice = {"type": "user_changed_number", "wa_id": "4915199999999", "body": "x"}
        await stage.receive(stage.message(type="system", system=notice))
        await stage.say(lea, "api:1", 1, {"text": "Hello"}, proactive=False)
        await stage.idle()
        assert stage.graph.sent[-1]["to"] == "+4915199999999"
        stage.clock.advance(seconds=1)
        await stage.receive(stage.message("me again", sender="4915199999999"))
        assert {turn.contact_id for turn in stage.dialogue.turns} == {lea}

    @pytest.mark.parametrize("number_id", [NUMBER, None], ids=["with the number", "without"])
    @pytest.mark.asyncio
    async def test_a_changed_user_id(self, stage, number_id):
        """The field user_id_update; user ids are the same for all numbers of a business."""
        stage.dialogue.answer = lambda turn: [{"text": turn.text}]
        await stage.start()
        await stage.receive(stage.message("one", **{"from": None, "from_user_id": "DE.old"}))
        update = {"detail": "x", "user_id": {"previous": "DE.old", "current": "DE.new"}, "timestamp": unix(stage)}
        await stage.hand_in(change("user_id_update", number_id, user_id_update=[update]))
        await stage.idle()
        await stage.receive(stage.message("two", **{"from": None, "from_user_id": "DE.new"}))
        assert len({turn.contact_id for turn in stage.dialogue.turns}) == 1
        assert stage.graph.sent[-1]["recipient"] == "DE.new"

    @pytest.mark.asyncio
    async def test_the_news_come_in_the_middle_of_a_turn(self, stage, body):
        """The new number wrote first and its turn is under way: it is answered, and then the two are one."""
        under_way, go_on = stage.hold_turn("from the new number")
        stage.dialogue.answer = lambda turn: [{"text": f"re: {turn.text}"}]
        await stage.start()
        await stage.receive(stage.message("Hi"))
        stage.clock.advance(minutes=1)
        await stage.hand_in(body(stage.message("from the new number", sender="4915199999999")))
        await under_way.wait()
        notice = {"type": "user_changed_number", "wa_id": "4915199999999", "body": "x"}
        await stage.hand_in(body(stage.message(type="system", system=notice)))
        first = next(row["id"] for row in stage.rows("contacts") if row["window_opened_at"] == MORNING)
        await stage.say(first, "api:1", 1, {"text": "for the old number?"}, proactive=False)
        await asyncio.sleep(0)
        assert len(stage.graph.sent) == 1  # it waits for the merge, which brings the new number
        go_on.set()
        await stage.idle()
        await stage.advance(seconds=1)
        assert [(sent["to"], sent["text"]["body"]) for sent in stage.graph.sent] == [
            ("+4915112345678", "re: Hi"),
            ("+4915199999999", "re: from the new number"),
            ("+4915199999999", "for the old number?"),
        ]
        assert [row["merged_into"] is None for row in stage.rows("contacts")].count(True) == 1
        assert stage.rows("merges") == []

    @pytest.mark.asyncio
    async def test_both_conversations_go_on_as_one(self, stage):
        """Before the next turn, the dialogue is asked to join them, once."""
        await stage.start()
        await stage.receive(stage.message("one"))
        first = stage.contact_id
        await stage.receive(stage.message("two", **{"from": None, "from_user_id": "DE.1"}))
        second = next(row["id"] for row in stage.rows("contacts") if row["id"] != first)
        for words in ("three", "four"):
            await stage.receive(stage.message(words, from_user_id="DE.1"))
        assert len(stage.dialogue.joined) == 1
        assert set(stage.dialogue.joined[0]) == {first, second}
