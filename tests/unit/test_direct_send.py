"""Words outside the window go by Meta's Direct Send where it is switched on and carries them; what it does not take goes on, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from rasa_whatsapp.cloud import direct_send
from rasa_whatsapp.cloud.answers import Accepted, Refused, refusal
from rasa_whatsapp.cloud.graph_errors import Disposition
from rasa_whatsapp.cloud.templates import TemplateBook, TemplateUse, read_translation
from rasa_whatsapp.delivery import DeliveryRules
from rasa_whatsapp.storage import outbox

HI = {"type": "text", "text": {"body": "Hi"}}
LINK = {"type": "cta_url", "body": {"text": "Hi"}, "action": {"name": "cta_url", "parameters": {}}}
IMAGE_HEADER = {"type": "image", "image": {"link": "https://example.org/a.png"}}
ONLY = "only texts, reply buttons, a link button or a call button can go so"
LONG = "its text is over 1024 characters"


def interactive(kind, **more):
    """Return an interactive message of a type."""
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": "Hi"}, **more}}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (HI, None),
        ({"type": "text", "text": {"body": "x" * 1024}}, None),
        ({"type": "text", "text": {"body": "x" * 1025}}, LONG),
        ({"type": "text", "text": {"body": "😀" * 513}}, LONG),
        (interactive("button"), None),
        (interactive("cta_url"), None),
        (interactive("voice_call"), None),
        (interactive("button", header={"type": "text", "text": "News"}), None),
        (interactive("button", header=IMAGE_HEADER), "a header with media cannot go so"),
        (interactive("button", body={"text": "x" * 1025}), LONG),
        (interactive("list"), ONLY),
        (interactive("carousel"), ONLY),
        (interactive("flow"), ONLY),
        ({"type": "image", "image": {"link": "https://example.org/a.png"}}, ONLY),
        ({"type": "location", "location": {"latitude": 1, "longitude": 2}}, ONLY),
        ({"type": "reaction", "reaction": {"message_id": "wamid.A", "emoji": "x"}}, ONLY),
    ],
)
def test_what_it_carries(content, reason):
    """What Meta's page of supported features lists, without media."""
    assert direct_send.misfit(content) == reason


@pytest.mark.parametrize(
    ("content", "fitted"),
    [
        (HI, HI),
        ({"type": "text", "text": {"body": "Hi", "preview_url": True}}, HI),
        ({"context": {"message_id": "wamid.A"}, **HI}, HI),
        ({"type": "interactive", "interactive": LINK}, {"type": "interactive", "interactive": LINK}),
    ],
)
def test_how_it_looks(content, fitted):
    """No preview and no quote: Meta lists neither."""
    assert direct_send.fitted(content) == fitted


DETAILS = "The 'category' value requires Direct Send, which isn't enabled for this account."


@pytest.mark.parametrize(
    ("code", "explanation", "is_turned_down", "closes"),
    [
        (100, f"Meta's error 100: x ({DETAILS})", True, True),
        (100, "Meta's error 100: x (Invalid parameter)", True, False),
        (131009, "", True, False),
        (131047, "", True, False),
        (131062, "", True, False),
        (131064, "", True, True),
        (132015, "", True, False),
        (132021, "", True, False),
        (139200, "", True, True),
        (131026, "", False, False),  # the customer cannot be reached in any way
        (131049, "", False, False),
        (131050, "", False, False),
        (131056, "", False, False),
        (190, "", False, False),
        (2388330, "", False, False),  # is about deleting a template
    ],
)
def test_refusals(code, explanation, is_turned_down, closes):
    """Which of them leave another way, and which say that the account may not use it."""
    assert (direct_send.is_turned_down(code), direct_send.closes(code, explanation)) == (is_turned_down, closes)


def translation(name, status="APPROVED"):
    """Return a template without parameters."""
    body = {"type": "BODY", "text": "There is news for you."}
    return read_translation(
        {"name": name, "language": "en", "category": "UTILITY", "status": status, "components": [body]}
    )


RULES = DeliveryRules(
    templates=TemplateBook((translation("come_back"), translation("first"), translation("paused", "PAUSED"))),
    fallback_languages=("en",),
    direct_send=True,
    re_engagement=TemplateUse(name="come_back", parameters={}),
)
NUDGE = "template come_back"
NOT_ENABLED = refusal(400, {"code": 100, "error_data": {"details": DETAILS}})


async def begin(stage, *, delivery=RULES):
    """Let a customer write, be answered, and a day pass."""
    parks = timedelta(days=7) if delivery.re_engagement else None
    intake = replace(stage.rules.intake, parked=parks, direct_send=delivery.direct_send)
    await stage.start(delivery=delivery, intake=intake)
    await stage.receive(stage.message("Hi"))
    stage.clock.advance(hours=25)


async def say(stage, text, cause="api:1", ordinal=1, **more):
    """Say something that no customer's message caused."""
    await stage.say(stage.contact_id, cause, ordinal, {"text": text, **more}, proactive=True)
    await stage.idle()


def with_template(name):
    """Return what a response carries that names a template."""
    return {"custom": {"template": {"name": name, "language": "en"}}}


def kept(stage):
    """Return state and rung of the messages that are words."""
    return [(row["state"], (row["decision"] or {}).get("rung")) for row in stage.rows("outbox") if row["free_form"]]


def categories(stage):
    """Return what was sent, and as which category."""
    return [(text, body.get("category")) for text, body in zip(stage.graph.texts, stage.graph.sent, strict=True)]


@pytest.mark.asyncio
class TestGoing:
    """What goes by it, and in whose place."""

    async def test_words_go(self, stage):
        """As a utility message; the decision is kept, and the dialogue may know."""
        await begin(stage)
        await say(stage, "one")
        assert (categories(stage), kept(stage)) == ([("one", "utility")], [("accepted", "direct_send")])
        assert stage.database.run_now(outbox.last_proactive, stage.contact_id).result == "sent_directly"
        await stage.receive(stage.status("wamid.OUT1", "delivered", template_id="2157766311750751"))
        assert kept(stage) == [("delivered", "direct_send")]

    async def test_not_in_the_window(self, stage):
        """There the words go as ever."""
        await begin(stage)
        await stage.receive(stage.message("Still there?"))
        await say(stage, "one")
        assert (categories(stage), kept(stage)) == ([("one", None)], [("accepted", "free_form")])

    async def test_not_where_a_template_may_go(self, stage):
        """The response's own one comes first, and one that may not does not hold it up."""
        await begin(stage)
        await say(stage, "one", **with_template("first"))
        await say(stage, "two", "api:2", **with_template("paused"))
        assert categories(stage) == [("template first", None), ("two", "utility")]

    async def test_not_unless_it_is_switched_on(self, stage):
        """It is Meta's beta, and off."""
        await begin(stage, delivery=replace(RULES, direct_send=False))
        await say(stage, "one")
        assert (categories(stage), kept(stage)) == ([(NUDGE, None)], [("parked", "park")])

    async def test_buttons_keep_their_meaning(self, stage):
        """A tap means what the button was given."""
        await begin(stage)
        await say(stage, "Which?", buttons=[{"title": "A", "payload": "/choose_a"}, {"title": "B", "payload": "/b"}])
        ((text, category),) = categories(stage)
        button = stage.graph.sent[0]["interactive"]["action"]["buttons"][0]["reply"]
        reply = {"type": "button_reply", "button_reply": button}
        await stage.receive(
            stage.message(type="interactive", context={"id": "wamid.OUT1"}, interactive=reply, text=None)
        )
        assert (text, category, stage.dialogue.turns[-1].text) == ("Which?", "utility", "/choose_a")

    async def test_what_it_cannot_carry_is_parked_with_what_follows(self, stage):
        """Their order is kept; what another cause leads to does not wait."""
        await begin(stage)
        await say(stage, "first")
        await say(stage, "a list", ordinal=2, buttons=[{"title": f"{n}", "payload": f"/{n}"} for n in range(5)])
        await say(stage, "last", ordinal=3)
        await say(stage, "other", "api:2")
        assert categories(stage) == [("first", "utility"), (NUDGE, None), ("other", "utility")]
        assert [state for state, _ in kept(stage)] == ["accepted", "parked", "parked", "accepted"]
        await stage.receive(stage.message("Yes?"))
        assert stage.graph.texts[3:] == ["a list", "last"]

    async def test_what_it_cannot_carry_is_refused_where_nothing_is_parked(self, stage):
        """Each reason is told."""
        await begin(stage, delivery=replace(RULES, re_engagement=None))
        await say(stage, "x" * 1025)
        (row,) = [row for row in stage.rows("outbox") if row["free_form"]]
        assert (row["state"], row["decision"]["rung"], stage.graph.texts) == ("refused", "refuse", [])
        assert row["reason"].endswith("; Direct Send: its text is over 1024 characters")

    async def test_after_the_last_template(self, stage):
        """Meta takes none of the response's templates: all its words go, in their order, and nothing is parked."""
        await begin(stage, delivery=replace(RULES, re_engagement=None))
        stage.graph.answers = [refusal(400, {"code": 132015})]
        await say(stage, "one", **with_template("first"))
        assert categories(stage) == [("template first", None), ("one", "utility")]
        assert kept(stage) == [("accepted", "direct_send")]

    async def test_the_reason_after_templates_and_a_refusal(self, stage):
        """It is remembered that the response had templates, and that Meta took none of them."""
        await begin(stage, delivery=replace(RULES, re_engagement=None))
        stage.graph.answers = [refusal(400, {"code": 132015}), refusal(400, {"code": 139200})]
        await say(stage, "one", **with_template("first"))
        (row,) = [row for row in stage.rows("outbox") if row["free_form"]]
        assert row["state"] == "refused"
        assert row["reason"].endswith(
            "and Meta took none of the response's templates; Direct Send: Meta did not take it so (error 139200)"
        )

    async def test_a_late_failure_of_an_earlier_copy(self, stage):
        """The words went freely since: that Meta's own template behind the first copy failed changes nothing."""
        await begin(stage)
        stage.graph.answers = [Refused(Disposition.UNCERTAIN, 0, "the connection broke")]
        await say(stage, "one")
        await stage.receive(stage.message("Yes?"))
        await stage.advance(minutes=2)
        assert categories(stage) == [("one", "utility"), ("one", None)]
        await stage.receive(stage.status("wamid.OTHER", "failed", code=132015, key="api:1#1"))
        assert (categories(stage)[2:], kept(stage)) == ([], [("accepted", "free_form")])

    async def test_a_closed_window_that_our_book_has_open(self, stage):
        """131047 as an answer or as a status leads to it, at once."""
        await begin(stage, delivery=replace(RULES, re_engagement=None))
        await stage.receive(stage.message("Still there?"))
        stage.graph.answers = [refusal(400, {"code": 131047})]
        await say(stage, "one")
        assert categories(stage) == [("one", None), ("one", "utility")]
        await stage.receive(stage.message("And now?"))
        await say(stage, "two", "api:2")
        await stage.receive(stage.status("wamid.OUT3", "failed", code=131047))
        assert categories(stage)[2:] == [("two", None), ("two", "utility")]
        assert kept(stage) == [("accepted", "direct_send")] * 2


HOWS = pytest.mark.parametrize("how", ["answer", "status"])


async def meta_refuses(stage, code, how, text="one"):
    """Say something that Meta does not take by Direct Send, in its answer or in a status that comes twice."""
    stage.graph.answers = [refusal(400, {"code": code}) if how == "answer" else Accepted("wamid.DIRECT")]
    await say(stage, text)
    if how == "status":
        failed = stage.status("wamid.DIRECT", "failed", code=code)
        await stage.receive(failed)
        await stage.receive(failed)


@pytest.mark.asyncio
class TestTurnedDown:
    """What Meta does not take so leads to the next rung, once."""

    @HOWS
    @pytest.mark.parametrize("code", [100, 131047, 131064, 132015, 139200])
    async def test_it_is_parked(self, stage, how, code):
        """And goes when the customer writes, once, in its own words."""
        await begin(stage)
        await meta_refuses(stage, code, how)
        assert (categories(stage), kept(stage)) == ([("one", "utility"), (NUDGE, None)], [("parked", "park")])
        (row,) = [row for row in stage.rows("outbox") if row["free_form"]]
        assert row["reason"].endswith(f"; Direct Send: Meta did not take it so (error {code})")
        await stage.receive(stage.message("Yes?"))
        assert categories(stage)[2:] == [("one", None)]
        assert kept(stage) == [("accepted", "free_form")]

    @HOWS
    async def test_it_is_refused_where_nothing_is_parked(self, stage, how):
        """With Meta's code; it is not tried again."""
        await begin(stage, delivery=replace(RULES, re_engagement=None))
        await meta_refuses(stage, 139200, how)
        await stage.advance(hours=2)
        assert (categories(stage), kept(stage)) == ([("one", "utility")], [("refused", "refuse")])

    async def test_what_fails_in_any_way_fails(self, stage):
        """The customer cannot be reached: nobody is asked to write."""
        await begin(stage)
        await meta_refuses(stage, 131026, "status")
        assert (categories(stage), kept(stage)) == ([("one", "utility")], [("failed", "direct_send")])

    async def test_what_waits_goes_so_again(self, stage):
        """The pair rate is no word on Direct Send."""
        await begin(stage)
        stage.graph.answers = [refusal(400, {"code": 131056})]
        await say(stage, "one")
        await stage.advance(minutes=1)
        assert categories(stage) == [("one", "utility")] * 2

    async def test_it_was_delivered_after_it_had_failed(self, stage):
        """What was parked for that reason goes no more."""
        await begin(stage)
        await meta_refuses(stage, 132015, "status")
        await stage.receive(stage.status("wamid.DIRECT", "delivered"))
        await stage.receive(stage.message("Yes?"))
        assert categories(stage) == [("one", "utility"), (NUDGE, None)]
        assert [state for state, _ in kept(stage)] == ["delivered"]

    async def test_it_was_delivered_all_the_same(self, stage):
        """A late word that the copy arrived counts, and nothing is said twice."""
        await begin(stage)
        await say(stage, "one")
        await stage.receive(stage.status("wamid.OUT1", "delivered"))
        await stage.receive(stage.status("wamid.OUT1", "failed", code=132015))
        assert (categories(stage), kept(stage)) == ([("one", "utility")], [("delivered", "direct_send")])

    @pytest.mark.parametrize("answer", [NOT_ENABLED, refusal(400, {"code": 139200})], ids=["not enabled", "blocked"])
    async def test_an_account_that_may_not_use_it(self, stage, caplog, answer):
        """It is not tried for an hour, with one alarm; then one message tries it again."""
        await begin(stage)
        stage.graph.answers = [answer]
        for number in range(3):
            await say(stage, f"news {number}", f"api:{number}")
        assert categories(stage) == [("news 0", "utility"), (NUDGE, None)]
        assert [state for state, _ in kept(stage)] == ["parked"] * 3
        (alarm,) = stage.gateway.alarms
        assert alarm.startswith(f"Direct Send is not tried until 2026-11-23 12:00 UTC: Meta's error {answer.code}")
        assert caplog.text.count("Direct Send is not tried for an hour") == 1
        await stage.advance(minutes=61)
        await say(stage, "news 3", "api:3")
        assert (categories(stage)[2:], stage.gateway.alarms) == ([("news 3", "utility")], [])

    async def test_other_messages_errors_close_nothing(self, stage):
        """An error 100 about a field is about this message."""
        await begin(stage)
        await meta_refuses(stage, 100, "answer")
        await say(stage, "two", "api:2")
        assert categories(stage)[-1] == ("two", "utility")
        assert stage.gateway.alarms == []

    async def test_no_alarm_where_it_is_switched_off(self, stage):
        """Meta limits utility templates with the same code: an operator who does not use it has nothing to hear of it."""
        await begin(stage, delivery=replace(RULES, direct_send=False))
        stage.graph.answers = [refusal(400, {"code": 131064})]
        await say(stage, "one", **with_template("first"))
        await stage.nudge()
        assert (kept(stage), stage.gateway.alarms) == ([("failed", "template")], [])

    async def test_a_status_closes_it_for_all_servers(self, stage):
        """The one that takes it in is not the one that sends."""
        await begin(stage)
        await meta_refuses(stage, 139200, "status")
        await stage.nudge()
        await say(stage, "two", "api:2")
        assert categories(stage) == [("one", "utility"), (NUDGE, None)]
        assert len(stage.gateway.alarms) == 1

    async def test_a_customer_who_writes_before_the_failure_is_known(self, stage):
        """The words go freely then."""
        await begin(stage)
        stage.graph.answers = [Accepted("wamid.DIRECT")]
        await say(stage, "one")
        await stage.receive(stage.message("Hello?"))
        await stage.receive(stage.status("wamid.DIRECT", "failed", code=132015))
        assert categories(stage) == [("one", "utility"), ("one", None)]
