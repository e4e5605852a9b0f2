"""From the outbox to Graph: what Meta answers and reports, what is tried again, and the template outside the window."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from rasa_whatsapp import delivery, gateway, receipts
from rasa_whatsapp.cloud.answers import Refused, refusal
from rasa_whatsapp.cloud.graph_errors import Disposition
from rasa_whatsapp.cloud.templates import TemplateBook, read_translation
from rasa_whatsapp.delivery import DeliveryRules
from rasa_whatsapp.errors import BacklogFull
from rasa_whatsapp.stops import Stopped
from rasa_whatsapp.storage import arrivals, lanes

pytestmark = pytest.mark.asyncio

BOOK = TemplateBook(
    (
        read_translation(
            {
                "name": "order_follow_up",
                "language": "en",
                "category": "UTILITY",
                "parameter_format": "NAMED",
                "components": [
                    {"type": "BODY", "text": "About {{order}}."},
                    {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Yes"}]},
                ],
            }
        ),
    )
)
RULES = DeliveryRules(templates=BOOK, settle=timedelta(seconds=30))
TEMPLATE = {
    "template": {
        "name": "order_follow_up",
        "language": "en",
        "parameters": {"order": "1002"},
        "payloads": ["/affirm"],
    }
}
AGAIN = Refused(Disposition.RETRY, 130429, "slow down")
AWAY = Refused(Disposition.RETRY, 131016, "away")
PERHAPS = Refused(Disposition.UNCERTAIN, 0, "the connection broke")
OUTSIDE = Refused(Disposition.NEEDS_TEMPLATE, 131047, "outside the window")
NEVER = Refused(Disposition.GIVE_UP, 131009, "Meta's error 131009: a field's value is not valid")
STOPPED = Refused(Disposition.STOP_CONTACTING, 131050, "stopped")


async def contact(stage, **changes):
    """Start the gateway, let a customer write, and return the contact."""
    await stage.start(**({"delivery": RULES} | changes))
    await stage.receive(stage.message("Hi"))
    return stage.contact_id


async def say(stage, *responses, cause="wamid.IN1", proactive=False, wait=True):
    """Say these responses as the answer to the message, and wait until no lane is at work."""
    for ordinal, response in enumerate(responses, start=1):
        content = {"text": response} if isinstance(response, str) else response
        await stage.say(stage.contact_id, cause, ordinal, content, proactive=proactive)
    if wait:
        await stage.idle()


async def say_and_hold(stage, *responses):
    """Say these responses, and return while the request of the first is under way."""
    stage.graph.held = asyncio.Event()
    before = len(stage.graph.sent)
    await say(stage, *responses, wait=False)
    await stage.until(lambda: len(stage.graph.sent) == before + 1)


async def let_go(stage):
    """Let the request that is held come to its answer, and everything after it happen."""
    held, stage.graph.held = stage.graph.held, None
    held.set()
    await stage.idle()


class TestOrderAndRetry:
    """What Meta does not take now is sent later, in order; what it never takes is recorded, and the rest goes on."""

    async def test_answers_go_in_their_order(self, stage):
        """Each request waits for the answer to the one before."""
        await contact(stage)
        await say_and_hold(stage, "one", "two", "three")
        assert stage.graph.texts == ["one"]
        await let_go(stage)
        assert stage.graph.texts == ["one", "two", "three"]

    async def test_growing_pauses_keep_the_order(self, stage):
        """Three refusals for now: pauses of about 1, 2 and 4 seconds, and nothing overtakes."""
        await contact(stage)
        stage.graph.answers = [AGAIN, AGAIN, AGAIN]
        await say(stage, "one", "two")
        tries = []
        for _ in range(40):
            tries.append(len(stage.graph.sent))
            await stage.advance(seconds=0.25)
        assert stage.graph.texts == ["one", "one", "one", "one", "two"]
        lasts = [tries.count(number) * 0.25 for number in (1, 2, 3)]
        assert 0.75 <= lasts[0] <= 1.5
        assert 1.5 <= lasts[1] <= 2.75
        assert 3 <= lasts[2] <= 5.25
        assert stage.states("outbox") == ["accepted", "accepted"]

    async def test_an_age_ends_it(self, stage, monkeypatch):
        """After the limit it is recorded as failed with its last reason, and the next message goes."""
        monkeypatch.setattr("random.random", lambda: 0.5)  # pauses of 1, 2, 4 and 8 seconds
        await contact(stage, delivery=DeliveryRules(age_limit=timedelta(seconds=15)))
        stage.graph.answers = [AWAY] * 5
        await say(stage, "one", "two")
        for pause in (1, 2, 4, 8):
            await stage.advance(seconds=pause)
        assert stage.graph.texts == ["one"] * 5 + ["two"]
        row = stage.rows("outbox")[0]
        assert (row["state"], row["error_code"]) == ("failed", 131016)
        assert row["reason"] == "it could not be sent within 0:00:15; last: away"

    @pytest.mark.parametrize("proactive", [True, False], ids=["by itself", "an answer"])
    async def test_what_waited_for_too_long(self, stage, proactive):
        """No server was there: an older message is refused as too late, without a request; a younger one goes."""
        await contact(stage, delivery=DeliveryRules(age_limit=timedelta(hours=1)))
        stage.graph.answers = [AGAIN]
        await say(stage, "one", "two", proactive=proactive)
        await stage.kill()
        stage.clock.advance(minutes=30)
        stage.graph.answers = [AGAIN]
        await stage.start()
        await say(stage, "three", cause="wamid.IN2", proactive=proactive)
        await stage.kill()
        stage.clock.advance(minutes=30, seconds=1)
        tried = len(stage.graph.sent)
        await stage.start()
        await stage.idle()
        assert [body["text"]["body"] for body in stage.graph.sent[tried:]] == ["three"]
        assert stage.states("outbox") == ["refused", "refused", "accepted"]
        reason = "it could not be sent within 1:00:00, which is too late to be useful"
        assert [row["reason"] for row in stage.rows("outbox")[:2]] == [reason, reason]

    async def test_exactly_as_old_as_allowed(self, stage):
        """The limit itself is not too late."""
        await contact(stage, delivery=DeliveryRules(age_limit=timedelta(hours=1)))
        stage.graph.answers = [AGAIN]
        await say(stage, "one")
        await stage.advance(hours=1)
        assert stage.states("outbox") == ["accepted"]

    async def test_a_permanent_refusal_does_not_hold_up_the_rest(self, stage):
        """It is recorded with Meta's code and what to do."""
        await contact(stage)
        stage.graph.answers = [NEVER]
        await say(stage, "one", "two")
        assert stage.graph.texts == ["one", "two"]
        first, second = stage.rows("outbox")
        assert (first["state"], first["error_code"], first["reason"]) == ("failed", 131009, NEVER.explanation)
        assert second["state"] == "accepted"

    async def test_what_waited_is_sent_after_a_restart(self, stage):
        """The pause is in the store too."""
        await contact(stage)
        stage.graph.answers = [AGAIN]
        await say(stage, "one", "two")
        await stage.restart()
        await stage.idle()
        assert stage.graph.texts == ["one"]
        await stage.advance(seconds=2)
        assert stage.graph.texts == ["one", "one", "two"]

    async def test_few_tries_for_131000(self, stage):
        """Each try may be one more copy: Meta says once or twice."""
        await contact(stage)
        stage.graph.answers = [Refused(Disposition.UNCERTAIN, 131000, "?")] * 50
        await say(stage, "one")
        for _ in range(60):
            await stage.advance(minutes=6)
        assert 2 <= len(stage.graph.sent) <= 4
        assert stage.states("outbox") == ["failed"]


class TestUncertain:
    """Between request and answer anything may happen: a status settles it, or a silence does; never twice."""

    @pytest.mark.parametrize("how", ["no answer", "a crash", "an exception", "a store that fails"])
    async def test_it_waits_and_is_then_sent_again(self, stage, how, monkeypatch):
        """Nothing is sent before the time in which a status would have come."""
        await contact(stage)
        await self._lose_the_answer(stage, how, monkeypatch)
        await stage.nudge()
        await stage.advance(seconds=28)
        assert stage.graph.texts == ["one"]
        await stage.advance(seconds=10)
        assert stage.graph.texts == ["one", "one", "two"]

    async def test_a_status_that_is_only_written_down_counts_as_not_heard(self, stage):
        """What came before the silence was over may be the status: it is taken in first, and only then is it sent again."""
        await contact(stage)
        stage.graph.answers = [PERHAPS]
        await say(stage, "one")
        await stage.kill()
        came_at = stage.clock.now() + timedelta(seconds=20)
        stage.clock.advance(seconds=40)

        def look(connection, now):
            (lane,) = lanes.claim(connection, lanes.Kind.SENDS, "server-1", now, 1)
            (step,) = delivery.begin_next(connection, [lane], RULES, now, Stopped(), now - timedelta(days=1))
            return step

        await stage.database.run(arrivals.write_down, [b"{}"], came_at)
        assert await stage.database.run(look, stage.clock.now()) is False
        await stage.database.run(lambda connection: arrivals.remove(connection, arrivals.waiting(connection, 1)))
        step = await stage.database.run(look, stage.clock.now() + timedelta(seconds=2))
        assert isinstance(step, delivery.Send)

    @pytest.mark.parametrize("how", ["no answer", "a crash", "an exception", "a store that fails"])
    @pytest.mark.parametrize("status", ["sent", "delivered", "read"])
    async def test_a_status_with_its_key_settles_it(self, stage, how, status, monkeypatch):
        """The status comes: it was sent, so it is not sent again, and the next one goes at once."""
        await contact(stage)
        await self._lose_the_answer(stage, how, monkeypatch)
        await stage.nudge()
        await stage.receive(stage.status("wamid.LOST", status, key="wamid.IN1#1"))
        assert stage.graph.texts == ["one", "two"]
        await stage.advance(hours=1)
        assert stage.graph.texts == ["one", "two"]
        row = stage.rows("outbox")[0]
        assert (row["state"], row["message_id"]) == (status, "wamid.LOST")

    @staticmethod
    async def _lose_the_answer(stage, how, monkeypatch):
        if how == "no answer":
            stage.graph.answers = [PERHAPS]
        elif how == "an exception":
            stage.graph.answers = [RuntimeError("a defect")]
        elif how == "a store that fails":
            real = receipts.record

            def fail_once(connection, answered, *args):
                first = answered[0].sent.message
                if (first.key, first.attempts) == ("wamid.IN1#1", 1):
                    raise OSError("full for a moment")
                return real(connection, answered, *args)

            monkeypatch.setattr(receipts, "record", fail_once)
        if how != "a crash":
            await say(stage, "one", "two")
            return
        await say_and_hold(stage, "one", "two")
        await stage.kill()
        stage.graph.held = None
        await stage.start()
        await stage.idle()

    async def test_a_status_during_the_second_request(self, stage, body):
        """The first copy turns out delivered while the second is under way and fails at last: it stays delivered."""
        await contact(stage)
        stage.graph.answers = [PERHAPS]
        await say(stage, "one")
        stage.graph.held = asyncio.Event()
        stage.graph.answers = [NEVER]
        stage.clock.advance(seconds=40)
        stage.gateway._sends.look()
        await stage.until(lambda: len(stage.graph.sent) == 2)
        await stage.hand_in(body(stage.status("wamid.FIRST", "delivered", key="wamid.IN1#1")))
        await let_go(stage)
        assert stage.states("outbox") == ["delivered"]


class TestTheStoreIsAway:
    """What was surely not sent does not count as sent; what was answered is not forgotten; silence counts anew."""

    async def test_a_request_that_was_not_made_is_no_copy(self, stage):
        """The lease may be over by the time it is its turn: it waits, and may be tried as often as it takes."""
        await contact(stage)
        stage.gateway._membership = Dead()
        await say(stage, "one")
        for _ in range(12):
            await stage.advance(minutes=6)
        (row,) = stage.rows("outbox")
        assert (row["state"], row["copies"], stage.graph.sent) == ("pending", 0, [])
        stage.gateway._membership.is_alive = True
        await stage.advance(minutes=6)
        assert (stage.states("outbox"), stage.graph.texts) == (["accepted"], ["one"])

    async def test_an_answer_is_noted_when_the_store_is_back(self, stage, monkeypatch):
        """Graph accepted it while the store was away: nobody need wait for a status."""
        monkeypatch.setattr(gateway, "_UNTIL_THE_STORE_IS_BACK_SECONDS", 0.001)
        real, failures = receipts.record, iter(range(3))

        def record(*arguments):
            if next(failures, None) is not None:
                raise OperationalError("UPDATE", {}, Exception("the store is away"))
            return real(*arguments)

        monkeypatch.setattr(receipts, "record", record)
        await contact(stage)
        await say(stage, "one")
        (row,) = stage.rows("outbox")
        assert (row["state"], row["message_id"], len(stage.graph.sent)) == ("accepted", "wamid.OUT1", 1)

    async def test_a_silence_in_which_statuses_were_sent_back_does_not_count(self, stage, body, refusing):
        """The store took nothing for a while: the status that was sent back comes again, and settles it."""
        await contact(stage)
        stage.graph.answers = [PERHAPS]
        await say(stage, "one")
        status = body(stage.status("wamid.X", "delivered", key="wamid.IN1#1"))
        stage.clock.advance(seconds=29)
        with refusing("statuses"), refusing("arrivals"), pytest.raises(SQLAlchemyError):
            await stage.gateway.receive(status)
        await stage.advance(seconds=29)
        assert (stage.states("outbox"), len(stage.graph.sent)) == (["unsettled"], 1)
        await stage.hand_in(status)
        await stage.advance(minutes=5)
        assert (stage.states("outbox"), len(stage.graph.sent)) == (["delivered"], 1)

    async def test_a_full_backlog_does_not_send_statuses_back(self, stage, body):
        """They settle what may have been sent."""
        await contact(stage)
        stage.graph.answers = [PERHAPS]
        await say(stage, "one")
        stage.gateway.reception._backlog = stage.rules.backlog_limit
        with pytest.raises(BacklogFull):
            await stage.gateway.receive(body(stage.message("more")))
        await stage.hand_in(body(stage.status("wamid.X", "delivered", key="wamid.IN1#1")))
        assert stage.states("outbox") == ["delivered"]


class Dead:
    """The membership of a server that may be taken for dead."""

    is_alive = False
    well_since = datetime(2026, 11, 22, tzinfo=timezone.utc)

    async def close(self):
        """Leave nothing behind."""


class TestStatuses:
    """Meta's statuses come in any order; a message never moves backwards."""

    @pytest.mark.parametrize(
        ("statuses", "state"),
        [
            (["sent"], "sent"),
            (["sent", "delivered", "read"], "read"),
            (["read"], "read"),
            (["read", "delivered", "sent"], "read"),
            (["delivered", "sent"], "delivered"),
            (["read", "played", "read"], "played"),
            (["delivered", "failed"], "delivered"),
            (["read", "failed"], "read"),
            (["sent", "failed"], "failed"),
            (["failed"], "failed"),
            (["failed", "sent"], "failed"),
            (["failed", "delivered"], "delivered"),
            (["warning", "deleted", "teleported"], "accepted"),
            (["sent", "sent", "sent"], "sent"),
        ],
    )
    async def test_ranks(self, stage, statuses, state):
        """Forward only; delivered beats failed, in whatever order they come."""
        await contact(stage)
        await say(stage, "one")
        for status in statuses:
            error = {"code": 131026} if status == "failed" else {}
            await stage.receive(stage.status("wamid.OUT1", status, **error))
        assert stage.states("outbox") == [state]

    @pytest.mark.parametrize(
        ("statuses", "state", "code"),
        [
            (["sent", "failed"], "failed", 131026),
            (["failed", "sent"], "failed", 131026),
            (["failed", "delivered"], "delivered", None),
            (["delivered", "failed"], "delivered", None),
        ],
    )
    async def test_ranks_in_one_batch(self, stage, statuses, state, code):
        """The same, when Meta posts them together; why it failed is not forgotten."""
        await contact(stage)
        await say(stage, "one")
        await stage.receive(
            *(stage.status("wamid.OUT1", each, **({"code": 131026} if each == "failed" else {})) for each in statuses)
        )
        (row,) = stage.rows("outbox")
        assert (row["state"], row["error_code"]) == (state, code)

    async def test_all_of_one_batch(self, stage):
        """Several statuses of several messages in one body."""
        await contact(stage)
        await say(stage, "one", "two")
        await stage.receive(
            stage.status("wamid.OUT2", "sent"),
            stage.status("wamid.OUT1", "sent"),
            stage.status("wamid.OUT1", "delivered"),
        )
        assert stage.states("outbox") == ["delivered", "sent"]

    async def test_before_the_answer(self, stage, body):
        """A status that overtakes the answer to the request is not undone by it."""
        await contact(stage)
        await say_and_hold(stage, "one")
        await stage.hand_in(body(stage.status("wamid.OUT1", "delivered", key="wamid.IN1#1")))
        await let_go(stage)
        assert stage.states("outbox") == ["delivered"]
        assert len(stage.graph.sent) == 1

    async def test_of_another_tool(self, stage):
        """A status of a message that we did not send is kept and changes nothing."""
        await contact(stage)
        await stage.receive(stage.status("wamid.THEIRS", "read", key="their key"))
        assert stage.rows("outbox") == []
        assert [row["message_id"] for row in stage.rows("statuses")] == ["wamid.THEIRS"]

    async def test_prices_are_kept(self, stage):
        """What it cost is stored once."""
        await contact(stage)
        await say(stage, "one")
        price = {"billable": True, "type": "regular", "category": "utility"}
        for _ in range(2):
            await stage.receive(stage.status("wamid.OUT1", "sent", pricing=price))
        assert [row["pricing"] for row in stage.rows("statuses")] == [price]

    @pytest.mark.parametrize(
        "errors", [None, [], [None], [{}], [{"code": 10**30}], [{"code": "131026"}], [{"code": True}]]
    )
    async def test_failed_without_a_usable_code(self, stage, errors):
        """It has failed all the same, and no token is blamed for it."""
        await contact(stage)
        await say(stage, "one")
        await stage.receive(stage.status("wamid.OUT1", "failed", errors=errors))
        (row,) = stage.rows("outbox")
        assert row["state"] == "failed"
        assert "token" not in row["reason"]

    async def test_failed_tells_what_to_do(self, stage):
        """The operator reads Meta's code and the remedy."""
        await contact(stage)
        await say(stage, "one")
        await stage.receive(stage.status("wamid.OUT1", "failed", code=131026))
        (row,) = stage.rows("outbox")
        assert row["error_code"] == 131026
        assert (
            row["reason"] == "Meta's error 131026: the customer cannot be reached on WhatsApp: use another channel (y)"
        )


class TestFailedLater:
    """Meta accepted it, and says in a status that it did not arrive: what an answer would have it sent again for, it is."""

    async def test_a_reply_goes_before_bulk_that_waits_to_be_tried_again(self, stage):
        """A follow-up met 131016, or may have been sent: the customer, who writes now, has the answer at once."""
        await contact(stage)
        for number, trouble in enumerate((AWAY, PERHAPS), start=1):
            stage.graph.answers = [trouble]
            await say(stage, "news", cause=f"api:{number}", proactive=True)
            await say(stage, "re: Hi", cause=f"wamid.IN{number}")
            assert stage.graph.texts[-2:] == ["news", "re: Hi"]
            await stage.advance(minutes=1)
            assert stage.graph.texts[-1] == "news"

    @pytest.mark.parametrize("code", [130429, 131000, 131016, 131056, 131057, 133004, 368, 131031, 131042, 190])
    async def test_it_is_sent_again(self, stage, code):
        """After a pause; what follows it is not held up for ever, and no second copy goes after it arrived."""
        await contact(stage)
        await say(stage, "one")
        await stage.receive(stage.status("wamid.OUT1", "failed", code=code))
        assert (stage.states("outbox"), len(stage.graph.sent)) == (["pending"], 1)
        await stage.advance(minutes=2)
        assert (stage.states("outbox"), stage.graph.texts) == (["accepted"], ["one", "one"])
        await stage.receive(stage.status("wamid.OUT2", "delivered"))
        await stage.advance(hours=1)
        assert (stage.states("outbox"), len(stage.graph.sent)) == (["delivered"], 2)

    @pytest.mark.parametrize(
        ("code", "alarm"),
        [
            (131042, "Meta's error 131042: there is a problem with the payment method: see WhatsApp Manager"),
            (131031, "Meta's error 131031: the account is locked: see WhatsApp Manager"),
            (131048, "only replies go until 2026-11-22 11:00 UTC, it was reported as spam"),
            (131016, None),
            (131026, None),
        ],
    )
    async def test_the_operator_hears_of_it(self, stage, code, alarm):
        """What every message of the number would meet is an alarm, whoever took the status in."""
        await contact(stage)
        await say(stage, "one")
        await stage.receive(stage.status("wamid.OUT1", "failed", code=code))
        await stage.nudge()
        assert stage.gateway.alarms == ([f"number …0001: {alarm}"] if alarm else [])

    async def test_nothing_goes_from_a_locked_number(self, stage):
        """Not until a minute has passed; then it is tried, and goes on."""
        await contact(stage)
        await say(stage, "one")
        await stage.receive(stage.status("wamid.OUT1", "failed", code=131031))
        await stage.nudge()
        await say(stage, "two", cause="wamid.IN2")
        assert len(stage.graph.sent) == 1
        await stage.advance(seconds=61)
        assert (stage.graph.texts, stage.gateway.alarms) == (["one", "one", "two"], [])

    async def test_a_restart_does_not_forget_it(self, stage):
        """131048 counts for an hour."""
        await contact(stage)
        await say(stage, "one")
        await stage.receive(stage.status("wamid.OUT1", "failed", code=131048))
        stage.clock.advance(minutes=50)
        await stage.restart()
        await stage.nudge()
        await say(stage, "news", cause="api:1", proactive=True)
        assert len(stage.graph.sent) == 1
        await stage.advance(minutes=11)
        assert stage.graph.texts == ["one", "news"]

    @pytest.mark.parametrize("tries", [1, 2, 3])
    async def test_an_error_of_metas_own_a_few_times(self, stage, tries):
        """131000: once or twice, as Meta advises."""
        await contact(stage)
        await say(stage, "one")
        for number in range(1, tries + 1):
            await stage.receive(stage.status(f"wamid.OUT{number}", "failed", code=131000))
            await stage.advance(minutes=6)
        assert len(stage.graph.sent) == min(tries + 1, 3)
        assert stage.states("outbox") == (["accepted"] if tries < 3 else ["failed"])

    async def test_not_when_it_is_too_late_to_be_useful(self, stage):
        """It is recorded with its reason."""
        await contact(stage)
        await say(stage, "one")
        stage.clock.advance(hours=23)
        await stage.receive(stage.status("wamid.OUT1", "failed", code=131016))
        (row,) = stage.rows("outbox")
        assert (row["state"], row["error_code"]) == ("failed", 131016)

    async def test_the_failure_comes_before_the_answer(self, stage, body):
        """The answer that is noted afterwards is about the copy that failed."""
        await contact(stage)
        await say_and_hold(stage, "one")
        await stage.hand_in(body(stage.status("wamid.OUT1", "failed", code=131016, key="wamid.IN1#1")))
        await let_go(stage)
        assert stage.states("outbox") == ["pending"]
        await stage.advance(minutes=1)
        assert (stage.states("outbox"), len(stage.graph.sent)) == (["accepted"], 2)

    @pytest.mark.parametrize(
        ("status", "state", "copies"), [("sent", "accepted", 2), ("delivered", "delivered", 1), ("read", "read", 1)]
    )
    async def test_an_older_status_of_the_copy_that_failed(self, stage, status, state, copies):
        """`sent` came late and is no news; `delivered` tells that it arrived all the same."""
        await contact(stage)
        await say(stage, "one")
        await stage.receive(stage.status("wamid.OUT1", "failed", code=131016))
        await stage.receive(stage.status("wamid.OUT1", status))
        await stage.advance(minutes=1)
        assert (stage.states("outbox"), len(stage.graph.sent)) == ([state], copies)

    async def test_statuses_of_the_second_copy_count(self, stage, body):
        """Also if they come before the answer to its request."""
        await contact(stage)
        await say(stage, "one")
        await stage.receive(stage.status("wamid.OUT1", "failed", code=131016))
        stage.graph.held = asyncio.Event()
        stage.clock.advance(minutes=1)
        stage.gateway.look()
        await stage.until(lambda: len(stage.graph.sent) == 2)
        await stage.hand_in(body(stage.status("wamid.OUT2", "sent", key="wamid.IN1#1")))
        await let_go(stage)
        (row,) = stage.rows("outbox")
        assert (row["state"], row["message_id"]) == ("sent", "wamid.OUT2")


class TestOutsideTheWindow:
    """The template goes once instead of the free form; without one the refusal is recorded. Never a loop."""

    async def test_after_24_hours(self, stage):
        """The gate knows it: nothing but the template is tried."""
        await contact(stage)
        stage.clock.advance(hours=24)
        await say(stage, {"text": "free"} | {"custom": TEMPLATE})
        (body,) = stage.graph.sent
        assert body["template"] == {
            "name": "order_follow_up",
            "language": {"code": "en"},
            "components": [
                {"type": "body", "parameters": [{"type": "text", "parameter_name": "order", "text": "1002"}]},
                {
                    "type": "button",
                    "sub_type": "quick_reply",
                    "index": "0",
                    "parameters": [{"type": "payload", "payload": "/affirm"}],
                },
            ],
        }

    async def test_without_template_after_24_hours(self, stage):
        """Nothing is sent, the reason is kept, and the next message is judged for itself."""
        await contact(stage)
        stage.clock.advance(hours=24)
        await say(stage, "free", {"text": "free", "custom": TEMPLATE})
        assert stage.graph.texts == ["template order_follow_up"]
        first, _ = stage.rows("outbox")
        assert first["state"] == "refused"
        assert first["reason"].startswith("the care window closed at 2026-11-23 10:00 UTC and the response carries no")

    @pytest.mark.parametrize(
        ("written", "known", "gone"),
        [
            ({}, None, "de_DE"),  # the number is German
            ({}, "pt", "pt_BR"),
            ({"language": "en"}, "pt", "en"),
            ({"language": "sv"}, "nonsense", "de_DE"),
        ],
    )
    async def test_the_language(self, stage, written, known, gone):
        """The response's, what the dialogue knows of the customer, the number's country: the first that there is."""
        text = [{"type": "BODY", "text": "Hello"}]
        plain = {"name": "t", "category": "UTILITY", "components": text}
        book = TemplateBook(tuple(read_translation(plain | {"language": code}) for code in ("en", "de_DE", "pt_BR")))
        await contact(stage, delivery=DeliveryRules(templates=book, fallback_languages=["en"]))
        stage.clock.advance(hours=24)
        response = {"custom": {"template": {"name": "t", **written}}}
        await stage.gateway.say(stage.contact_id, "api:1", 1, response, language=known)
        await stage.idle()
        assert [body["template"]["language"] for body in stage.graph.sent] == [{"code": gone}]

    async def test_the_second_template(self, stage):
        """What the store keeps of a response holds all of its templates, and what is in them."""
        image = [{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Hello"}]
        plain = {"language": "en", "category": "UTILITY", "components": image}
        lost = read_translation(plain | {"name": "a", "status": "PAUSED"})
        book = TemplateBook((lost, read_translation(plain | {"name": "b"})))
        await contact(stage, delivery=DeliveryRules(templates=book, fallback_languages=["en"]))
        stage.clock.advance(hours=24)
        templates = [{"name": name, "header": {"image": {"id": 5}}} for name in ("a", "b")]
        await say(stage, {"text": "free", "custom": {"template": templates}})
        (body,) = stage.graph.sent
        assert body["template"] == {
            "name": "b",
            "language": {"code": "en"},
            "components": [{"type": "header", "parameters": [{"type": "image", "image": {"id": "5"}}]}],
        }

    async def test_a_message_that_waited_too_long(self, stage):
        """The gate judges when it is sent: a retry after the window's end goes as the template."""
        await contact(stage, delivery=DeliveryRules(templates=BOOK, age_limit=timedelta(days=3)))
        stage.graph.answers = [AGAIN]
        await say(stage, {"text": "free", "custom": TEMPLATE})
        await stage.advance(hours=24)
        assert stage.graph.texts == ["free", "template order_follow_up"]

    @pytest.mark.parametrize("how", ["HTTP error", "failed status"])
    async def test_131047_leads_to_the_template_once(self, stage, how):
        """Our book said open, Meta says closed: the template goes, the window counts as closed, and that is all."""
        await contact(stage)
        stage.graph.answers = [OUTSIDE] if how == "HTTP error" else []
        await say(stage, {"text": "free", "custom": TEMPLATE})
        if how == "failed status":
            for _ in range(3):
                await stage.receive(stage.status("wamid.OUT1", "failed", code=131047))
        assert stage.graph.texts == ["free", "template order_follow_up"]
        await stage.nudge()
        await say(stage, "more", cause="api:1")
        assert stage.graph.texts == ["free", "template order_follow_up"]
        assert stage.rows("outbox")[-1]["state"] == "refused"

    @pytest.mark.parametrize("how", ["HTTP error", "failed status", "failed status before the answer"])
    async def test_131047_for_a_response_in_several_parts(self, stage, body, how):
        """Three parts, one template."""
        await contact(stage)
        long = {"text": "word " * 2000, "custom": TEMPLATE}
        if how == "HTTP error":
            stage.graph.answers = [OUTSIDE]
            await say(stage, long)
        elif how == "failed status":
            await say(stage, long)
            for number in (1, 2, 3):
                await stage.receive(stage.status(f"wamid.OUT{number}", "failed", code=131047))
        else:
            await say_and_hold(stage, long)
            await stage.hand_in(body(stage.status("wamid.OUT1", "failed", code=131047, key="wamid.IN1#1")))
            await let_go(stage)
        await stage.idle()
        await stage.nudge()
        assert stage.graph.texts.count("template order_follow_up") == 1
        assert "pending" not in stage.states("outbox")

    @pytest.mark.parametrize("how", ["HTTP error", "failed status"])
    async def test_131047_without_template(self, stage, how):
        """It is recorded; nothing else is tried."""
        await contact(stage)
        stage.graph.answers = [OUTSIDE] if how == "HTTP error" else []
        await say(stage, "free")
        if how == "failed status":
            await stage.receive(stage.status("wamid.OUT1", "failed", code=131047))
        await stage.nudge()
        assert stage.graph.texts == ["free"]
        (row,) = stage.rows("outbox")
        assert row["state"] == ("refused" if how == "HTTP error" else "failed")
        assert "131047" in row["reason"]

    @pytest.mark.parametrize("how", ["HTTP error", "failed status"])
    async def test_131047_for_the_template_itself(self, stage, how):
        """Meta cannot mean that; it is recorded, and there is no loop."""
        await contact(stage)
        stage.clock.advance(hours=24)
        stage.graph.answers = [OUTSIDE] * 5 if how == "HTTP error" else []
        await say(stage, {"text": "free", "custom": TEMPLATE})
        if how == "failed status":
            await stage.receive(stage.status("wamid.OUT1", "failed", code=131047))
        await stage.nudge()
        assert stage.graph.texts == ["template order_follow_up"]
        assert stage.states("outbox") == ["failed"]

    async def test_the_window_opens_again_when_the_customer_writes(self, stage):
        """After a refusal by Meta the next message of the customer makes free form possible."""
        await contact(stage)
        await say(stage, "free")
        await stage.receive(stage.status("wamid.OUT1", "failed", code=131047))
        await stage.receive(stage.message("still there?"))
        await say(stage, "yes", cause="wamid.IN2")
        assert stage.graph.texts == ["free", "yes"]

    @pytest.mark.parametrize("together", [True, False], ids=["in one body", "one after the other"])
    async def test_a_late_131047_does_not_close_what_was_opened_since(self, stage, together):
        """The failed status of an old message comes after the customer's new one: the window stays open."""
        await contact(stage)
        await say(stage, "free")
        failed = stage.status("wamid.OUT1", "failed", code=131047)
        stage.clock.advance(minutes=5)
        if together:
            await stage.receive(failed, stage.message("two"))
        else:
            await stage.receive(stage.message("two"))
            await stage.receive(failed)
        await say(stage, "re: two", cause="wamid.IN2")
        assert stage.graph.texts == ["free", "re: two"]

    async def test_an_http_131047_that_crosses_a_new_message(self, stage, body):
        """The customer writes while the request is under way: the window stays open."""
        await contact(stage)
        stage.graph.answers = [OUTSIDE]
        await say_and_hold(stage, "free")
        stage.clock.advance(seconds=5)
        await stage.hand_in(body(stage.message("two")))
        await let_go(stage)
        await say(stage, "re: two", cause="wamid.IN2")
        assert stage.graph.texts[-1] == "re: two"
        assert len(stage.graph.texts) <= 3

    async def test_a_template_button(self, stage):
        """A tap on the template's quick reply is the payload that we gave it, and opens the window."""
        await contact(stage)
        stage.clock.advance(hours=25)
        await say(stage, {"text": "free", "custom": TEMPLATE}, proactive=True)
        tap = {"payload": "/affirm", "text": "Yes"}
        await stage.receive(stage.message(type="button", button=tap, context={"id": "wamid.OUT1"}))
        turn = stage.dialogue.turns[-1]
        assert (turn.text, turn.is_command, turn.entities["care_window_open"]) == ("/affirm", True, True)

    async def test_a_template_that_failed_before(self, stage):
        """An older copy of the same key that failed says nothing about the template that was accepted since."""
        await contact(stage, delivery=DeliveryRules(templates=BOOK, age_limit=timedelta(days=3)))
        stage.graph.answers = [PERHAPS]
        await say(stage, {"text": "free", "custom": TEMPLATE})
        await stage.advance(hours=25)
        assert stage.graph.texts == ["free", "template order_follow_up"]
        await stage.receive(stage.status("wamid.COPY", "failed", code=131047, key="wamid.IN1#1"))
        await stage.nudge()
        assert stage.states("outbox") == ["accepted"]


THREE_TEMPLATES = {"custom": {"template": [{"name": name, "language": "en"} for name in ("first", "second", "third")]}}


def declared(name, language="en", status="APPROVED"):
    """Return a template that says its name."""
    entry = {"name": name, "language": language, "status": status, "components": [{"type": "BODY", "text": name}]}
    return read_translation(entry | {"category": "UTILITY"})


THREE = DeliveryRules(
    templates=TemplateBook((declared("first"), declared("second", status="PAUSED"), declared("third")))
)


class TestNextTemplate:
    """Meta does not take a template: the next one of the response's list goes, each once; then the failure stays."""

    async def later(self, stage, response):
        """Say a response a day after the customer wrote."""
        await contact(stage, delivery=THREE)
        stage.clock.advance(hours=25)
        await say(stage, response, cause="api:1", proactive=True)

    @pytest.mark.parametrize("code", [132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016, 132018])
    @pytest.mark.parametrize("how", ["an answer", "a status"])
    async def test_the_next_one_goes(self, stage, code, how):
        """The paused one between them is passed over."""
        if how == "an answer":
            stage.graph.answers = [refusal(400, {"code": code})]
        await self.later(stage, THREE_TEMPLATES)
        if how == "a status":
            await stage.receive(stage.status("wamid.OUT1", "failed", code=code))
        assert stage.graph.texts == ["template first", "template third"]
        assert stage.states("outbox") == ["failed", "accepted"]
        assert stage.rows("outbox")[0]["error_code"] == code

    @pytest.mark.parametrize("code", [131026, 131049, 131009])
    async def test_not_for_what_is_no_fault_of_the_template(self, stage, code):
        """The customer cannot be reached: another template would not, either."""
        stage.graph.answers = [refusal(400, {"code": code})]
        await self.later(stage, THREE_TEMPLATES)
        assert (stage.graph.texts, stage.states("outbox")) == (["template first"], ["failed"])

    async def test_never_a_loop(self, stage):
        """Each is tried once, and what was passed over is judged anew; a status that comes again changes nothing."""
        stage.graph.answers = [refusal(400, {"code": 132015})]
        await self.later(stage, THREE_TEMPLATES)
        for _ in range(2):
            await stage.receive(stage.status("wamid.OUT2", "failed", code=132016))
        await stage.advance(hours=1)
        assert stage.graph.texts == ["template first", "template third"]
        assert stage.states("outbox") == ["failed", "failed", "refused"]
        assert stage.rows("outbox")[2]["reason"] == "template 'second' is not approved (it is PAUSED)"

    async def test_a_lost_translation_is_made_good(self, stage):
        """The other template goes in the customer's language; not taken, either, the first one goes in another."""
        catalogue = (declared("first"), declared("first", "de", "PAUSED"), declared("third", "de"))
        await contact(stage, delivery=DeliveryRules(templates=TemplateBook(catalogue), fallback_languages=("en",)))
        stage.graph.answers = [refusal(400, {"code": 132015})]
        stage.clock.advance(hours=25)
        wish = {"custom": {"template": [{"name": "first"}, {"name": "third"}]}}
        await say(stage, wish, cause="api:1", proactive=True)
        sent = [(body["template"]["name"], body["template"]["language"]["code"]) for body in stage.graph.sent]
        assert sent == [("third", "de"), ("first", "en")]

    async def test_words_if_the_window_is_open_by_then(self, stage):
        """The customer has written between the template and its failure."""
        await self.later(stage, {"text": "free"} | THREE_TEMPLATES)
        await stage.receive(stage.message("Hi"))
        await stage.receive(stage.status("wamid.OUT1", "failed", code=132015))
        assert stage.graph.texts == ["template first", "free"]

    async def test_a_response_of_two_messages_goes_as_one_template(self, stage):
        """Its second message does not bring the next template once more."""
        stage.graph.answers = [refusal(400, {"code": 132015})]
        await self.later(stage, {"text": "one", "image": "https://shop.example/1.png"} | THREE_TEMPLATES)
        assert stage.graph.texts == ["template first", "template third"]


class TestTheDialogueKnows:
    """The next turn tells how the last message went that the bot sent by itself."""

    async def told(self, stage, *receive):
        """Let the customer write, and return what the turn knows."""
        await stage.receive(*receive, stage.message("Well?"))
        entities = stage.dialogue.turns[-1].entities
        return entities.get("whatsapp_last_proactive"), entities.get("whatsapp_last_proactive_reason")

    async def test_each_way_that_it_may_go(self, stage):
        """Answers do not count, whatever becomes of them; parts that went with others do not, either."""
        await contact(stage)
        assert await self.told(stage) == (None, None)
        await say(stage, "an answer")
        assert await self.told(stage) == (None, None)
        await say(stage, "news", cause="api:1", proactive=True)
        assert await self.told(stage) == ("sent_free", "")
        stage.graph.answers = [NEVER]
        await say(stage, "more news", cause="api:2", proactive=True)
        assert await self.told(stage) == ("failed", "Meta's error 131009: a field's value is not valid")
        stage.clock.advance(hours=25)
        await say(
            stage,
            {"text": "free", "image": "https://shop.example/1.png", "custom": TEMPLATE},
            cause="api:3",
            proactive=True,
        )
        assert await self.told(stage) == ("sent_as_template", "")
        stage.clock.advance(hours=25)
        await say(stage, "free", cause="api:4", proactive=True)
        result, reason = await self.told(stage)
        assert result == "refused"
        assert reason.endswith("and the response carries no template (custom.template)")
        stage.graph.answers = [PERHAPS]
        await say(stage, "perhaps", cause="api:5", proactive=True)
        assert await self.told(stage) == ("waiting", "")

    async def test_a_status_that_comes_later(self, stage):
        """It was accepted and then failed: the next turn knows."""
        await contact(stage)
        await say(stage, "news", cause="api:1", proactive=True)
        failed = stage.status("wamid.OUT1", "failed", code=131026)
        assert await self.told(stage, failed) == (
            "failed",
            "Meta's error 131026: the customer cannot be reached on WhatsApp: use another channel (y)",
        )


class TestConsent:
    """Refusals by consent are recorded, and Meta's word is consent too."""

    @pytest.mark.parametrize("how", ["HTTP error", "failed status"])
    async def test_131050_is_an_opt_out_of_marketing(self, stage, how):
        """The customer stopped marketing: it is in the ledger, and follow-ups still go."""
        await contact(stage)
        stage.graph.answers = [STOPPED] if how == "HTTP error" else []
        await say(stage, "free")
        if how == "failed status":
            await stage.receive(stage.status("wamid.OUT1", "failed", code=131050))
        (row,) = stage.rows("consent")
        assert (row["scope"], row["choice"], row["source"]) == ("marketing", "opt_out", "Meta's error 131050")
        await say(stage, "a reminder", cause="api:1", proactive=True)
        assert stage.graph.texts == ["free", "a reminder"]

    async def test_stop_refuses_what_is_proactive(self, stage):
        """A follow-up after STOP is refused with its reason; an answer goes."""
        await contact(stage)
        await stage.receive(stage.message("STOP"))
        await say(stage, "a reminder", cause="follow-up:1", proactive=True)
        await say(stage, "You will not hear from us.", cause="wamid.IN2")
        assert stage.graph.texts == ["You will not hear from us."]
        assert stage.rows("outbox")[0]["reason"] == "the customer opted out of proactive messages"


class TestKeys:
    """Every message has a key of what caused it; a key is said once."""

    async def test_a_key_is_sent_once(self, stage):
        """A turn that runs again says nothing twice."""
        await contact(stage)
        await say(stage, "one", "two")
        await say(stage, "one", "two")
        assert stage.graph.texts == ["one", "two"]
        assert [row["key"] for row in stage.rows("outbox")] == ["wamid.IN1#1", "wamid.IN1#2"]

    async def test_a_second_run_with_a_shorter_first_answer(self, stage):
        """The first run said three parts and died; the second says a short variation and something more: that is not lost."""
        await contact(stage)
        await say(stage, "long " * 2000)
        await say(stage, "short", "second")
        assert stage.graph.texts[-1] == "second"
        assert "short" not in stage.graph.texts

    async def test_parts_have_keys_of_their_own(self, stage):
        """Each part of a long answer can be told apart in the statuses."""
        await contact(stage)
        await say(stage, "long " * 2000, "more")
        keys = [body["biz_opaque_callback_data"] for body in stage.graph.sent]
        assert len(keys) == 4
        assert len(set(keys)) == 4

    async def test_a_long_message_id(self, stage):
        """Callback data stays within Meta's 512 characters, whatever the id."""
        stage.dialogue.answer = lambda turn: [{"text": "long " * 2000}, {"text": "more"}]
        await stage.start()
        await stage.receive(stage.message("Hi", id="wamid." + "x" * 900))
        keys = [body["biz_opaque_callback_data"] for body in stage.graph.sent]
        assert len(set(keys)) == 4
        assert max(map(len, keys)) <= 512

    async def test_an_impossible_response(self, stage):
        """It is recorded as refused under its key, and the next one is said."""
        await contact(stage)
        await say(stage, {"buttons": [{"title": "Yes"}]}, "two")
        assert stage.graph.texts == ["two"]
        first = stage.rows("outbox")[0]
        assert (first["key"], first["state"]) == ("wamid.IN1#1", "refused")
        assert first["reason"] == "buttons stand without text: WhatsApp needs a text above them"


async def test_status_failed_for_a_refused_row_changes_nothing(stage):
    """A status under the key of a message that was never sent (forged by another tool) leaves it."""
    await stage.start()
    await stage.receive(stage.message("Hi"))
    stage.clock.advance(hours=25)
    await stage.say(stage.contact_id, "wamid.IN1", 1, {"text": "late"}, proactive=False)
    await stage.idle()
    await stage.receive(stage.status("wamid.X", "failed", code=131047, key="wamid.IN1#1"))
    await stage.receive(stage.status("wamid.X", "delivered", key="wamid.IN1#1"))
    assert stage.states("outbox") == ["refused"]
