"""What may not go outside the window is parked: a template asks the customer to write, and then it goes, in its order and once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from rasa_whatsapp import delivery
from rasa_whatsapp.cloud.answers import Accepted, Refused, refusal
from rasa_whatsapp.cloud.graph_errors import Disposition
from rasa_whatsapp.cloud.templates import TemplateBook, TemplateUse, read_translation
from rasa_whatsapp.delivery import DeliveryRules
from rasa_whatsapp.intake.desk import Desk
from rasa_whatsapp.policy.consent import Choice, ConsentGiven, Scope
from rasa_whatsapp.policy.gate import decide
from rasa_whatsapp.storage import contacts, lanes, outbox, schema

pytestmark = pytest.mark.asyncio

RULES = DeliveryRules(
    templates=TemplateBook(
        tuple(
            read_translation(
                {
                    "name": "come_back",
                    "language": language,
                    "category": "UTILITY",
                    "components": [
                        {"type": "BODY", "text": "There is news for you."},
                        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Show me"}]},
                    ],
                }
            )
            for language in ("en", "de")
        )
    ),
    re_engagement=TemplateUse(name="come_back", parameters={}),
)
NUDGE = "template come_back"


async def begin(stage, *, parked=timedelta(days=7), delivery=RULES):
    """Let a customer write, be answered, and a day pass."""
    await stage.start(delivery=delivery, intake=replace(stage.rules.intake, parked=parked))
    await stage.receive(stage.message("Hi"))
    stage.clock.advance(hours=25)


async def say(stage, text, cause, kind=None, template=None):
    """Say a text that no customer's message caused, as this response of the domain, with this template."""
    response = {"text": text} | ({"utter_action": kind} if kind else {})
    response |= {"custom": {"template": template}} if template else {}
    await stage.say(stage.contact_id, cause, 1, response, proactive=True)
    await stage.idle()


def states(stage):
    """Return the states of the messages by their texts, without what asked for an answer."""
    return {row["free_form"]["text"]["body"]: row["state"] for row in stage.rows("outbox") if row["free_form"]}


async def test_it_goes_when_the_customer_writes(stage):
    """First what was parked, in its order, then the answer to what they wrote; one template asked for it."""
    stage.dialogue.answer = lambda turn: [{"text": "re: Yes?"}] if turn.text == "Yes?" else []
    await begin(stage)
    await say(stage, "one", "api:1")
    await say(stage, "two", "api:2")
    assert (stage.graph.texts, states(stage)) == ([NUDGE], {"one": "parked", "two": "parked"})
    await stage.receive(stage.message("Yes?"))
    assert stage.graph.texts == [NUDGE, "one", "two", "re: Yes?"]
    assert set(states(stage).values()) == {"accepted"}


@pytest.mark.parametrize(("known", "language"), [(None, "de"), ("en", "en"), ("e" * 51, "de")])
async def test_the_template_is_in_the_customers_language(stage, known, language):
    """The one that the dialogue knew; the number is German."""
    await begin(stage)
    await stage.gateway.say(stage.contact_id, "api:1", 1, {"text": "one"}, language=known)
    await stage.idle()
    assert stage.graph.sent[0]["template"]["language"] == {"code": language}


async def test_a_tap_on_the_button_is_an_answer(stage):
    """Whatever opens the window lets it go."""
    await begin(stage)
    await say(stage, "one", "api:1")
    tap = {"payload": "Show me", "text": "Show me"}
    await stage.receive(stage.message(type="button", context={"id": "wamid.OUT1"}, button=tap, text=None))
    assert stage.graph.texts == [NUDGE, "one"]


async def test_what_a_tap_on_the_button_means(stage):
    """What the setting says: a command, which a rule can answer."""
    await begin(stage, delivery=replace(RULES, re_engagement=replace(RULES.re_engagement, payloads=("/show_news",))))
    await say(stage, "one", "api:1")
    (button,) = stage.graph.sent[0]["template"]["components"]
    tap = {"payload": button["parameters"][0]["payload"], "text": "Show me"}
    await stage.receive(stage.message(type="button", context={"id": "wamid.OUT1"}, button=tap, text=None))
    assert stage.graph.texts == [NUDGE, "one"]
    assert (stage.dialogue.turns[-1].text, stage.dialogue.turns[-1].is_command) == ("/show_news", True)


async def test_a_reaction_opens_nothing(stage):
    """It is no message that lets a business write."""
    await begin(stage)
    await say(stage, "one", "api:1")
    await stage.receive(stage.message(type="reaction", reaction={"message_id": "wamid.OUT1", "emoji": "👍"}, text=None))
    assert (stage.graph.texts, states(stage)) == ([NUDGE], {"one": "parked"})


async def test_the_newest_of_a_kind_counts(stage):
    """A response that is said again replaces itself; another one stays."""
    await begin(stage)
    await say(stage, "it is packed", "api:1", kind="utter_state")
    await say(stage, "ask us anything", "api:2", kind="utter_help")
    await say(stage, "it is on its way", "api:3", kind="utter_state")
    assert states(stage) == {"it is packed": "replaced", "ask us anything": "parked", "it is on its way": "parked"}
    (old,) = [row for row in stage.rows("outbox") if row["state"] == "replaced"]
    assert old["reason"] == "a newer utter_state was parked in its place"
    await stage.receive(stage.message("Yes?"))
    assert stage.graph.texts == [NUDGE, "ask us anything", "it is on its way"]


async def test_all_parts_of_one_response_are_of_one_kind(stage):
    """They do not replace each other."""
    await begin(stage)
    response = {"text": "x" * 5000, "utter_action": "utter_long"}
    await stage.say(stage.contact_id, "api:1", 1, response, proactive=True)
    await stage.idle()
    assert list(states(stage).values()) == ["parked", "parked"]


@pytest.mark.parametrize(("days", "state"), [(6.9, "accepted"), (7.1, "refused")])
async def test_it_does_not_wait_for_ever(stage, days, state):
    """What is too old to be useful is recorded with its reason, and the dialogue knows."""
    await begin(stage)
    await say(stage, "one", "api:1")
    stage.clock.advance(days=days)
    await stage.receive(stage.message("Yes?"))
    assert states(stage) == {"one": state}
    (row,) = [row for row in stage.rows("outbox") if row["free_form"]]
    if state == "refused":
        assert row["reason"].startswith("it was parked, and the customer did not write in time: the care window closed")


@pytest.mark.parametrize(("days", "state"), [(6.9, "parked"), (7.1, "refused")])
async def test_it_is_given_up_without_the_customer(stage, days, state):
    """Each hour, as other rows that are too old; the server that does it may be another one."""
    await begin(stage)
    await say(stage, "one", "api:1")
    stage.clock.advance(days=days)
    await stage.restart()
    await stage.until(lambda: state == "parked" or states(stage) == {"one": state})
    await stage.kill()
    assert states(stage) == {"one": state}


async def test_nothing_is_parked_any_more(stage):
    """The setting was taken away: what is still parked would wait for ever, and is refused."""
    await begin(stage)
    await say(stage, "one", "api:1")
    await stage.kill()
    stage.clock.advance(seconds=1)
    await stage.start(intake=replace(stage.rules.intake, parked=None))
    await stage.until(lambda: states(stage) == {"one": "refused"})


async def test_who_is_asked_once_is_not_asked_again(stage):
    """Not before they have written, and the window has closed again."""
    await begin(stage)
    for number in range(3):
        await say(stage, f"news {number}", f"api:{number}")
        await stage.advance(days=1)
    assert stage.graph.texts == [NUDGE]
    await stage.receive(stage.message("Yes?"))
    assert stage.graph.texts == [NUDGE, "news 0", "news 1", "news 2"]
    await stage.advance(hours=25)
    await say(stage, "more", "api:9")
    assert stage.graph.texts[-1] == NUDGE


async def test_a_kill_loses_nothing_and_says_nothing_twice(stage):
    """It is parked in the store; the turn that said it may run again."""
    await begin(stage)
    await say(stage, "one", "api:1")
    await stage.restart()
    await say(stage, "one", "api:1")
    assert stage.graph.texts == [NUDGE]
    await stage.receive(stage.message("Yes?"))
    await stage.restart()
    await stage.nudge()
    assert stage.graph.texts == [NUDGE, "one"]


@pytest.mark.parametrize("how", ["an answer", "a status"])
async def test_metas_refusal_inside_our_window(stage, how):
    """131047 although our book says open: the words are parked, and go when the customer writes."""
    await stage.start(delivery=RULES, intake=replace(stage.rules.intake, parked=timedelta(days=7)))
    await stage.receive(stage.message("Hi"))
    stage.clock.advance(minutes=5)
    if how == "an answer":
        stage.graph.answers = [refusal(400, {"code": 131047})]
    await say(stage, "one", "api:1")
    if how == "a status":
        await stage.receive(stage.status("wamid.OUT1", "failed", code=131047))
    assert (stage.graph.texts, states(stage)) == (["one", NUDGE], {"one": "parked"})
    stage.clock.advance(minutes=5)
    await stage.receive(stage.message("Yes?"))
    assert (stage.graph.texts, states(stage)) == (["one", NUDGE, "one"], {"one": "accepted"})


@pytest.mark.parametrize("how", ["an answer", "a status"])
@pytest.mark.parametrize(("name", "gone"), [("first", "template first"), ("lost", NUDGE)])
async def test_metas_refusal_of_a_response_with_a_template(stage, how, name, gone):
    """131047: its template goes, once for all parts; if it may not, each part is parked."""
    await begin(stage, delivery=with_templates("first"))
    await stage.receive(stage.message("Hi"))
    stage.clock.advance(minutes=5)
    if how == "an answer":
        stage.graph.answers = [refusal(400, {"code": 131047})]
    response = {"text": "long " * 1000, "custom": {"template": {"name": name, "language": "en"}}}
    await stage.say(stage.contact_id, "api:1", 1, response, proactive=True)
    await stage.idle()
    if how == "a status":
        for _ in range(2):
            for number in (1, 2):
                await stage.receive(stage.status(f"wamid.OUT{number}", "failed", code=131047))
    tried = 1 if how == "an answer" else 2
    assert stage.graph.texts[tried:] == [gone]
    stage.clock.advance(minutes=5)
    await stage.receive(stage.message("Yes?"))
    words = stage.graph.texts[tried + 1 :]
    assert "".join(words).replace(" ", "") == ("" if name == "first" else "long" * 1000)


def with_templates(*names, **more):
    """Return the rules with these templates of a response, too."""
    body = [{"type": "BODY", "text": "hello"}]
    plain = {"language": "en", "category": "UTILITY", "components": body}
    templates = tuple(read_translation(plain | {"name": name}) for name in names)
    return replace(RULES, templates=TemplateBook((*RULES.templates.translations, *templates)), **more)


TWO = {"template": [{"name": name, "language": "en"} for name in ("first", "second")]}


@pytest.mark.parametrize("how", ["an answer", "a status"])
@pytest.mark.parametrize("code", [132000, 132001, 132012, 132015, 132016, 132018])
async def test_after_the_last_template(stage, how, code):
    """Meta takes none of the response's templates, each tried once: all of its words are parked, and go in their order."""
    await begin(stage, delivery=with_templates("first", "second"))
    if how == "an answer":
        stage.graph.answers = [refusal(400, {"code": code})] * 2
    response = {"text": "long " * 1000, "custom": TWO}
    await stage.say(stage.contact_id, "api:1", 1, response, proactive=True)
    await stage.idle()
    if how == "a status":
        await stage.receive(stage.status("wamid.OUT1", "failed", code=code))
        await stage.receive(stage.status("wamid.OUT2", "failed", code=code))
    assert stage.graph.texts == ["template first", "template second", NUDGE]
    words = [row for row in stage.rows("outbox") if row["state"] == "parked"]
    assert [row["key"] for row in words] == ["api:1#1", "api:1#1.2"]
    assert words[0]["reason"].endswith("and Meta took none of the response's templates")
    assert stage.database.run_now(outbox.last_proactive, stage.contact_id).result == "parked"
    stage.clock.advance(minutes=1)
    await stage.receive(stage.message("Yes?"))
    assert "".join(stage.graph.texts[3:]).replace(" ", "") == "long" * 1000


async def test_when_the_next_template_may_not_go(stage):
    """All of the response's words are parked in its place, not only those of its first message."""
    await begin(stage, delivery=with_templates("first"))
    stage.graph.answers = [refusal(400, {"code": 132015})]
    await stage.say(stage.contact_id, "api:1", 1, {"text": "long " * 1000, "custom": TWO}, proactive=True)
    await stage.idle()
    parked = [row["key"] for row in stage.rows("outbox") if row["state"] == "parked"]
    assert (stage.graph.texts, parked) == (["template first", NUDGE], ["api:1#1", "api:1#1.2"])
    await stage.receive(stage.message("Yes?"))
    assert "".join(stage.graph.texts[2:]).replace(" ", "") == "long" * 1000


async def test_words_keep_their_place(stage):
    """What is said after a response whose templates fail is parked, too, and comes after it."""
    await begin(stage, delivery=with_templates("first", "second"))
    stage.graph.answers = [refusal(400, {"code": 132015})] * 2
    await stage.say(stage.contact_id, "api:1", 1, {"text": "one", "custom": TWO}, proactive=True)
    await stage.say(stage.contact_id, "api:1", 2, {"text": "two"}, proactive=True)
    await stage.idle()
    await stage.receive(stage.message("Yes?"))
    assert stage.graph.texts[-2:] == ["one", "two"]


async def test_after_the_last_template_in_an_open_window(stage):
    """A template went since the window was about to close: the words may still go."""
    rules = with_templates("first", margin=timedelta(minutes=1), re_engagement=None)
    await stage.start(delivery=rules)
    await stage.receive(stage.message("Hi"))
    stage.clock.advance(hours=23, minutes=59, seconds=30)
    stage.graph.answers = [refusal(400, {"code": 132015})]
    await say(stage, "free", "api:1", template={"name": "first", "language": "en"})
    assert stage.graph.texts == ["template first", "free"]


async def test_after_the_last_template_without_parking(stage):
    """Nothing is left to try: the failure stays as it is."""
    await begin(stage, delivery=with_templates("first", re_engagement=None), parked=None)
    stage.graph.answers = [refusal(400, {"code": 132015})]
    await say(stage, "free", "api:1", template={"name": "first", "language": "en"})
    assert (stage.graph.texts, states(stage)) == (["template first"], {"free": "failed"})


async def test_what_asks_for_an_answer_is_paused(stage):
    """Meta does not take it: there is no other, and what is parked waits for the customer all the same."""
    await begin(stage)
    stage.graph.answers = [refusal(400, {"code": 132015})]
    await say(stage, "one", "api:1")
    await stage.advance(hours=1)
    assert (stage.graph.texts, states(stage)) == ([NUDGE], {"one": "parked"})
    await stage.receive(stage.message("Yes?"))
    assert stage.graph.texts == [NUDGE, "one"]


async def test_what_failed_did_not_ask(stage):
    """The next message that is parked asks again, once; only a template that went is enough."""
    await begin(stage)
    stage.graph.answers = [refusal(400, {"code": 132015})]
    for number in range(3):
        await say(stage, f"news {number}", f"api:{number}")
    assert stage.graph.texts == [NUDGE, NUDGE]
    await stage.receive(stage.message("Yes?"))
    assert stage.graph.texts == [NUDGE, NUDGE, "news 0", "news 1", "news 2"]


# Meta's code -> how often the customer is asked by messages that are parked at once, 23 and 25 hours after the first one
HOW_OFTEN = {
    132012: [2, 3, 4],  # nothing about this customer: each message that is parked tries
    131009: [2, 3, 4],
    131026: [1, 1, 2],
    131049: [1, 1, 2],
    131062: [1, 1, 2],
    130472: [1, 1, 2],
}


@pytest.mark.parametrize("how", ["an answer", "a status"])
@pytest.mark.parametrize(("code", "times"), HOW_OFTEN.items())
async def test_what_meta_says_of_the_customer_rests(stage, how, code, times):
    """It would fail again: nobody is asked more than once in 24 hours then, however much is parked meanwhile."""
    await begin(stage)
    asked = []
    for number, hours in enumerate((0, 0, 23, 2)):
        stage.clock.advance(hours=hours)
        if how == "an answer":
            stage.graph.answers = [refusal(400, {"code": code})]
        before = len(stage.graph.sent)
        await say(stage, f"news {number}", f"api:{number}")
        if how == "a status" and len(stage.graph.sent) > before:
            await stage.receive(stage.status(f"wamid.OUT{len(stage.graph.sent)}", "failed", code=code))
        asked.append(len(stage.graph.sent))
    assert asked[1:] == times
    await stage.receive(stage.message("Yes?"))
    assert stage.graph.texts[-4:] == ["news 0", "news 1", "news 2", "news 3"]


async def test_who_asked_and_was_spared_is_asked_in_the_next_window(stage):
    """They have written since, so Meta's word about them is old."""
    await begin(stage)
    stage.graph.answers = [refusal(400, {"code": 131026})]
    await say(stage, "one", "api:1")
    await stage.receive(stage.message("Yes?"))
    await stage.advance(hours=24, minutes=1)
    await say(stage, "two", "api:2")
    assert stage.graph.texts == [NUDGE, "one", NUDGE]


def warnings_of(caplog):
    """Return what was warned of because a customer could not be asked to write."""
    return [record for record in caplog.records if getattr(record, "action", "") == "not_asked_to_write"]


@pytest.mark.parametrize("how", ["an answer", "a status", "a status without a code"])
async def test_an_operator_hears_that_it_did_not_go(stage, caplog, how):
    """Which template, why, and how much waits for that customer without it."""
    await begin(stage)
    if how == "an answer":
        stage.graph.answers = [refusal(400, {"code": 131026})]
    await say(stage, "one", "api:1")
    if how != "an answer":
        await say(stage, "two", "api:2")
        failed = stage.status("wamid.OUT1", "failed", **({} if "without" in how else {"code": 131026}))
        await stage.receive(failed)
    (told,) = warnings_of(caplog)
    why, rest = (" after 24 hours", "131026") if "without" not in how else ("", "Meta gave no error code")
    assert f"{stage.contact_id} could not be asked to write by the template come_back: " in told.getMessage()
    assert rest in told.getMessage()
    waiting = 1 if how == "an answer" else 2
    assert f"what is parked for them ({waiting}) waits until" in told.getMessage()
    assert told.getMessage().endswith(f"the next message that is parked{why} asks again.")


async def test_an_operator_hears_that_the_gate_refused_it(stage, caplog):
    """The customer opted out between the moment when it was parked and the one when the template could go."""
    await begin(stage)
    stage.graph.answers = [refusal(503, {"code": 131016})]
    await say(stage, "one", "api:1")
    opted_out = ConsentGiven(
        scope=Scope.ALL, choice=Choice.OPT_OUT, at=stage.clock.now(), source="test", evidence="test"
    )
    stage.database.run_now(contacts.record_consent, stage.contact_id, opted_out)
    await stage.advance(minutes=10)
    (told,) = warnings_of(caplog)
    assert "the customer opted out" in told.getMessage()
    assert (stage.graph.texts, states(stage)) == ([NUDGE], {"one": "parked"})


async def test_an_operator_hears_that_it_was_given_up(stage, caplog):
    """Meta was away for longer than a message is worth sending."""
    await begin(stage)
    stage.graph.answers = [refusal(503, {"code": 131016})] * 60
    await say(stage, "one", "api:1")
    for _ in range(30):
        await stage.advance(hours=1)
    (told,) = warnings_of(caplog)
    assert "131016" in told.getMessage() or "too late" in told.getMessage()
    assert states(stage) == {"one": "parked"}


async def test_nobody_hears_of_what_nobody_waits_for(stage, caplog):
    """The customer has written before Meta says that the template failed."""
    await begin(stage)
    await say(stage, "one", "api:1")
    await stage.receive(stage.message("Yes?"))
    await stage.receive(stage.status("wamid.OUT1", "failed", code=131026))
    assert warnings_of(caplog) == []


async def test_who_has_written_is_not_asked_to_write(stage):
    """The template could not go for a while; by then the customer has written."""
    await begin(stage)
    stage.graph.answers = [refusal(503, {"code": 131016})]
    await say(stage, "one", "api:1")
    await stage.receive(stage.message("Yes?"))
    await stage.advance(minutes=10)
    assert stage.graph.texts == [NUDGE, "one"]
    assert stage.states("outbox") == ["accepted", "replaced"]


async def test_an_answer_does_not_overtake_what_was_parked(stage):
    """The customer asked for it: also when its request was lost, what follows waits until it is known to have gone."""
    await begin(stage)
    await say(stage, "one", "api:1")
    stage.graph.answers = [Refused(Disposition.UNCERTAIN, 0, "the connection broke")]
    stage.dialogue.answer = lambda turn: [{"text": "the answer"}]
    await stage.receive(stage.message("Yes?"))
    assert stage.graph.texts == [NUDGE, "one"]
    await stage.advance(minutes=2)
    assert stage.graph.texts == [NUDGE, "one", "one", "the answer"]


@pytest.mark.on("postgresql")  # an SQLite file has one writer at a time
@pytest.mark.parametrize("is_done", [True, False], ids=["just before", "at the same moment"])
async def test_a_customer_who_writes_while_it_is_parked(stage, monkeypatch, is_done):
    """It is not parked when nobody would let it go any more: the window is looked at again, by one who can change it."""
    await begin(stage)
    written, held = [], []

    def decide_late(proposal, given):
        if not written:
            written.append(stage.database._engine.connect())
            held.append(written[0].begin())
            desk = Desk(written[0], stage.rules.intake, stage.clock.now())
            desk.open_window(contact_id, stage.clock.now())
            if is_done:
                held[0].commit()
        return decide(proposal, given)

    contact_id = stage.contact_id
    monkeypatch.setattr(delivery, "decide", decide_late)
    await say(stage, "one", "api:1")
    if not is_done:
        assert states(stage) == {"one": "pending"}
        held[0].commit()
        await stage.advance(seconds=1)
    written[0].close()
    assert (stage.graph.texts, states(stage)) == (["one"], {"one": "accepted"})


async def test_an_old_message_that_comes_late_lets_nothing_go(stage):
    """Meta delivers again for a week: it does not open the window."""
    await begin(stage)
    old = stage.message("from yesterday", timestamp=str(int(stage.clock.moment.timestamp()) - 24 * 3600 - 60))
    await say(stage, "one", "api:1")
    await stage.receive(old)
    assert (stage.graph.texts, states(stage)) == ([NUDGE], {"one": "parked"})


async def test_two_contacts_who_are_one_person(stage):
    """What was parked for the one goes to the person."""
    await begin(stage)
    await say(stage, "one", "api:1")
    await stage.receive(stage.message("Hi", **{"from": None, "from_user_id": "DE.1"}))
    assert states(stage) == {"one": "parked"}
    await stage.receive(stage.message("It is me", from_user_id="DE.1"))
    assert states(stage) == {"one": "accepted"}


async def test_two_contacts_who_become_one_later(stage, body):
    """The one is in the middle of a turn when both names come together: what was parked for the other goes when they are one."""
    under_way, go_on = stage.hold_turn("slow")
    await begin(stage)
    await say(stage, "one", "api:1")
    await stage.hand_in(body(stage.message("slow", **{"from": None, "from_user_id": "DE.1"})))
    await under_way.wait()
    await stage.hand_in(body(stage.message("It is me", from_user_id="DE.1")))
    go_on.set()
    await stage.idle()
    assert (len(stage.rows("merges")), states(stage)) == (1, {"one": "parked"})
    await stage.nudge()
    assert (stage.rows("merges"), states(stage), stage.graph.texts) == ([], {"one": "accepted"}, [NUDGE, "one"])


async def test_two_contacts_who_become_one_without_a_message(stage):
    """A reaction opens nothing, but tells that the person's window is open: they wrote under their other name."""
    await begin(stage)
    await say(stage, "one", "api:1")
    await stage.receive(stage.message("Hi", **{"from": None, "from_user_id": "DE.1"}))
    liked = {"message_id": "wamid.OUT1", "emoji": "👍"}
    await stage.receive(stage.message(type="reaction", reaction=liked, text=None, from_user_id="DE.1"))
    assert (states(stage), stage.graph.texts) == ({"one": "accepted"}, [NUDGE, "one"])


async def test_two_contacts_who_become_one_out_of_the_window(stage):
    """Nothing goes, and what is parked for either stays."""
    await begin(stage)
    await say(stage, "one", "api:1")
    await stage.receive(stage.message("Hi", **{"from": None, "from_user_id": "DE.1"}))
    await stage.advance(hours=25)
    liked = {"message_id": "wamid.OUT1", "emoji": "👍"}
    await stage.receive(stage.message(type="reaction", reaction=liked, text=None, from_user_id="DE.1"))
    assert (states(stage), stage.graph.texts) == ({"one": "parked"}, [NUDGE])
    await stage.receive(stage.message("Yes?"))
    assert stage.graph.texts == [NUDGE, "one"]


async def test_a_copy_that_arrived_all_the_same(stage):
    """Its answer was lost, and the next try met 131047: a status with our key settles it, and the words do not come twice."""
    await stage.start(delivery=RULES, intake=replace(stage.rules.intake, parked=timedelta(days=7)))
    await stage.receive(stage.message("Hi"))
    stage.clock.advance(minutes=5)
    stage.graph.answers = [refusal(400, {"code": 131000}), refusal(400, {"code": 131047})]
    await say(stage, "one", "api:1")
    await stage.advance(minutes=1)
    assert (stage.graph.texts, states(stage)) == (["one", "one", NUDGE], {"one": "parked"})
    await stage.receive(stage.status("wamid.LOST", "delivered", key="api:1#1"))
    await stage.receive(stage.message("Yes?"))
    assert (stage.graph.texts, states(stage)) == (["one", "one", NUDGE], {"one": "delivered"})


async def test_what_is_said_while_two_contacts_become_one(stage):
    """It was kept under the name that is no more: it is that person's, and goes when they write."""
    await begin(stage)
    now = stage.clock.now()
    gone = {"id": "wa-gone", "number_id": "1", "created_at": now, "merged_into": stage.contact_id, "joined_at": now}
    words = {"type": "text", "text": {"body": "one"}}
    said = outbox.NewMessage(
        key="api:1#1", utterance="api:1#1", contact_id="wa-gone", proactive=True, free_form=words, template=None, choices={}
    )  # fmt: skip
    await stage.database.run(lambda connection: connection.execute(schema.contacts.insert().values(**gone)))
    await stage.database.run(outbox.add, said, now)
    await stage.database.run(lanes.wake, lanes.Kind.SENDS, "wa-gone", now)
    await stage.nudge()
    assert (states(stage), stage.graph.texts) == ({"one": "parked"}, [NUDGE])
    await stage.receive(stage.message("Yes?"))
    assert stage.graph.texts == [NUDGE, "one"]


async def test_a_contact_whose_number_meta_corrects(stage):
    """What is parked for somebody under an old number goes if Meta's answer tells that they wrote under the new one."""
    await begin(stage)
    await say(stage, "one", "api:1")
    lea = stage.contact_id
    await stage.receive(stage.message("Hi", sender="5511912345678"))
    (other,) = [row["id"] for row in stage.rows("contacts") if row["id"] != lea]
    stage.graph.answers = [Accepted("wamid.X", wa_id="4915112345678")]
    await stage.say(other, "api:2", 1, {"text": "two"}, proactive=True)
    await stage.until(lambda: states(stage)["two"] == "accepted")
    await stage.nudge()
    assert (states(stage), stage.graph.texts) == ({"one": "accepted", "two": "accepted"}, [NUDGE, "two", "one"])


async def test_the_dialogue_knows_that_it_is_parked(stage):
    """And why; what asked for the answer is no message of the bot's own."""
    await begin(stage)
    await say(stage, "one", "api:1")
    outcome = stage.database.run_now(outbox.last_proactive, stage.contact_id)
    assert outcome.result == "parked"
    assert outcome.reason.startswith("the care window closed at")


async def test_each_decision_is_kept(stage):
    """With the message: from what it was made, the rung, the reason."""
    await begin(stage)
    await say(stage, "one", "api:1")
    parked, nudge = (row["decision"] for row in stage.rows("outbox"))
    assert (parked["rung"], nudge["rung"], nudge["template"]) == ("park", "template", "come_back")
    await stage.receive(stage.message("Yes?"))
    assert stage.rows("outbox")[0]["decision"]["rung"] == "free_form"
