"""An expired token, a locked account: messages wait, the operator hears of it, and everything goes on when it is mended."""

from __future__ import annotations

import pytest

from rasa_whatsapp.cloud.answers import Refused
from rasa_whatsapp.cloud.graph_errors import CODES, Disposition

EXPIRED = Refused(
    Disposition.STOP_SENDING, 190, "Meta's error 190: the access token has expired: set a new access_token"
)


def test_what_stops_a_number():
    """Errors that every message of the number would meet (fact sheet 8.2)."""
    stopping = {code for code, (disposition, _) in CODES.items() if disposition is Disposition.STOP_SENDING}
    assert stopping == {0, 3, 10, 33, 190, 368, 131005, 131031, 131037, 131042, 131044, 131045, 133010}


@pytest.mark.asyncio
async def test_a_number_that_is_reported_as_spam_only_replies(stage, caplog):
    """131048: for an hour nothing goes that nobody asked for; what met the refusal failed; an operator hears of it."""
    stage.dialogue.answer = lambda turn: [{"text": f"re: {turn.text}"}]
    await stage.start()
    await stage.receive(stage.message("Hi"))
    lea = stage.contact_id
    stage.graph.answers = [Refused(Disposition.GIVE_UP, 131048, "Meta's error 131048: reported")]
    await stage.say(lea, "api:1", 1, {"text": "news"}, proactive=True)
    await stage.idle()
    await stage.say(lea, "api:2", 1, {"text": "more news"}, proactive=True)
    await stage.idle()
    assert (stage.states("outbox")[-2:], stage.graph.texts[-1]) == (["failed", "pending"], "news")
    assert stage.gateway.alarms == ["number …0001: only replies go until 2026-11-22 11:00 UTC, it was reported as spam"]
    assert caplog.text.count("Only replies go from number …0001 for an hour") == 1
    await stage.receive(stage.message("Hello?", sender="4915199999999"))
    assert stage.graph.texts[-1] == "re: Hello?"
    await stage.receive(stage.message("And I?"))  # whose news wait: the answer goes before them
    assert stage.graph.texts[-1] == "re: And I?"
    await stage.advance(minutes=61)
    assert (stage.graph.texts[-1], stage.gateway.alarms) == ("more news", [])


@pytest.mark.asyncio
async def test_messages_wait_and_nothing_is_lost(stage, caplog):
    """A try each minute, and an alarm; when the token is right again, all is said, in order."""
    await stage.start()
    await stage.receive(stage.message("Hi"))
    lea = stage.contact_id
    await stage.receive(stage.message("Hi", sender="4915199999999"))
    other = next(row["id"] for row in stage.rows("contacts") if row["id"] != lea)
    stage.graph.answers = [EXPIRED] * 3
    await stage.say(lea, "api:1", 1, {"text": "one"}, proactive=False)
    await stage.idle()
    await stage.say(lea, "api:1", 2, {"text": "two"}, proactive=False)
    await stage.say(other, "api:2", 1, {"text": "to the other"}, proactive=False)
    await stage.idle()
    assert len(stage.graph.sent) == 1
    assert stage.gateway.alarms == [
        "number …0001: Meta's error 190: the access token has expired: set a new access_token"
    ]
    assert "Nothing can be sent from number …0001" in caplog.text
    await stage.advance(seconds=50)
    assert len(stage.graph.sent) == 1
    await stage.advance(seconds=11)
    assert len(stage.graph.sent) == 3
    assert len(stage.gateway.alarms) == 1
    for _ in range(3):
        await stage.advance(minutes=2)
    assert [text for text in stage.graph.texts if text != "to the other"][-2:] == ["one", "two"]
    assert "to the other" in stage.graph.texts
    assert (set(stage.states("outbox")), stage.gateway.alarms) == ({"accepted"}, [])
