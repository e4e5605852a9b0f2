"""Back-pressure: when too much waits, nothing more is taken in, and Meta is told so."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from rasa_whatsapp.errors import BacklogFull, DialogueUnavailable


@pytest.mark.asyncio
async def test_a_full_backlog_refuses_until_there_is_room(stage, body):
    """Three may wait; the dialogue is away; the fourth is refused, and taken when the three are done."""

    async def away(turn):
        raise DialogueUnavailable

    stage.dialogue.before = away
    await stage.start(backlog_limit=3, tick_seconds=0.01)
    for number in range(3):
        await stage.gateway.receive(body(stage.message(str(number), sender=f"49151{number}")))
    await stage.until(lambda: stage.gateway.reception._backlog == 3)
    late = stage.message("late", sender="491519")
    with pytest.raises(BacklogFull, match="messages wait"):  # one that is written down first counts twice for a tick
        await stage.gateway.receive(body(late))
    await stage.until(lambda: len(stage.rows("inbox")) == 3)
    stage.dialogue.before = None
    stage.clock.advance(minutes=1)
    await stage.nudge()
    await stage.until(lambda: stage.gateway.reception._backlog == 0)
    await stage.receive(late)
    assert sorted(stage.dialogue.heard[-4:]) == ["0", "1", "2", "late"]


@pytest.mark.asyncio
async def test_a_backlog_from_before_counts_from_the_start(stage, body):
    """The server was restarted with it."""

    async def away(turn):
        raise DialogueUnavailable

    stage.dialogue.before = away
    await stage.start()
    for number in range(3):
        await stage.gateway.receive(body(stage.message(str(number), sender=f"49151{number}")))
    await stage.kill()
    await stage.start(backlog_limit=3)
    with pytest.raises(BacklogFull):
        stage.gateway.reception.check()


@pytest.mark.asyncio
@pytest.mark.on("sqlite")
async def test_a_full_disk(stage, body):
    """Nothing is acknowledged and readiness says so, though everything can be read; it goes on when there is room again."""

    def allow(connection, pages):
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    await stage.start()
    reception = stage.gateway.reception
    assert reception.problem is None
    await stage.database.run(allow, 1)  # no more than there are
    long = body(*(stage.message("x" * 1000) for _ in range(100)))
    with pytest.raises(OperationalError, match="full"):
        await stage.gateway.receive(long)
    assert reception.problem == "the store takes nothing (OperationalError)"
    with pytest.raises(OperationalError, match="full"):
        await reception.count()
    assert reception.problem == "the store does not answer (OperationalError)"
    await stage.database.run(allow, 1_000_000)
    await reception.count()
    assert reception.problem is None
    await stage.hand_in(long)
    assert len(stage.rows("inbox")) == 100
