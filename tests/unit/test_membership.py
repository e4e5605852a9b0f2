"""Two servers on one store: who is taken for dead loses its work to the other, says nothing twice, and goes on anew."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio
from sqlalchemy import update

from rasa_whatsapp.cloud import answers
from rasa_whatsapp.cloud.answers import Refused
from rasa_whatsapp.cloud.graph_errors import Disposition
from rasa_whatsapp.errors import LaneLost
from rasa_whatsapp.membership import LEASE_SECONDS
from rasa_whatsapp.storage import lanes, schema, servers
from rasa_whatsapp.storage.database import Database
from rasa_whatsapp.storage.lanes import Kind

pytestmark = [pytest.mark.asyncio, pytest.mark.on("postgresql")]


@pytest_asyncio.fixture
async def second(stage):
    """Return the stage of another server on the same store, with connections of its own."""
    database = Database(stage.database._engine.url.render_as_string(hide_password=False))
    made = type(stage)(database, stage.clock)
    yield made
    await made.kill()
    database.close()


def end_lease(stage):
    """Let the lease of a stage's server be over."""
    mine = schema.servers.c.id == stage.gateway._membership.id
    stage.database.run_now(
        lambda connection: connection.execute(update(schema.servers).where(mine).values(alive_until=1))
    )


async def bury(stage):
    """Let a stage's server notice the dead, as it does every half second."""
    stage.gateway._membership._well_from -= LEASE_SECONDS + 1
    await stage.gateway._membership.look()
    stage.gateway.look()


def echo(turn):
    """Answer with what was heard."""
    return [{"text": f"re: {turn.text}"}]


async def hang_in_a_turn(stage, body):
    """Let a message come in, and its turn hang before it says anything; return what lets it go on."""
    go_on = asyncio.Event()
    stage.dialogue.before = lambda turn: go_on.wait()
    stage.dialogue.answer = echo
    await stage.gateway.receive(body(stage.message("Hi")))
    # it looks again, as its tick would, if the other server was taking in just then
    await stage.until(lambda: stage.gateway.look() or stage.dialogue.heard == ["Hi"])
    return go_on


async def test_a_dead_servers_turn_is_taken_by_another(stage, second, body, caplog):
    """The one that was cut off finds its lane lost when it wants to speak: the customer gets one answer."""
    caplog.set_level("INFO", logger="rasa_whatsapp")
    await stage.start()
    first = stage.gateway._membership.id[-6:]
    assert f"This is server {first}." in caplog.messages
    go_on = await hang_in_a_turn(stage, body)
    second.dialogue.answer = echo
    await second.start()
    end_lease(stage)
    await bury(second)
    await second.until(lambda: second.graph.texts == ["re: Hi"])
    await second.idle()
    go_on.set()
    await stage.until(lambda: not stage.gateway._turns._running)
    assert stage.graph.texts == []
    assert "is another server's now" in caplog.text
    assert f"Server {first} does not live any more; its work is free." in caplog.messages
    assert stage.states("inbox") == ["done"]
    assert second.dialogue.unlocked == [stage.contact_id]


async def test_who_was_taken_for_dead_goes_on_under_a_new_id(stage, second, body):
    """It finds out with its next beat, and takes turns again."""
    await stage.start()
    await second.start()
    old = stage.gateway._membership.id
    end_lease(stage)
    await bury(second)
    await asyncio.get_running_loop().run_in_executor(
        None, stage.gateway._membership._beat_once, asyncio.get_running_loop().time()
    )
    assert stage.gateway._membership.id != old
    await second.kill()
    stage.dialogue.answer = echo
    await stage.receive(stage.message("Hi"))
    assert stage.graph.texts == ["re: Hi"]
    assert len(stage.rows("servers")) == 1


async def test_a_turn_of_the_old_id_says_nothing(stage, second, body):
    """Also when its own server lives again: the lane is the other's."""
    await stage.start()
    go_on = await hang_in_a_turn(stage, body)
    (turn,) = stage.dialogue.turns
    await second.start()
    end_lease(stage)
    second.dialogue.before = lambda _: asyncio.Event().wait()
    await bury(second)
    await second.until(lambda: second.dialogue.turns)
    with pytest.raises(LaneLost):
        await stage.gateway.say(turn.contact_id, turn.cause, 1, {"text": "too late"}, turn)
    go_on.set()
    await stage.until(lambda: not stage.gateway._turns._running)
    assert stage.rows("outbox") == []
    assert stage.states("inbox") == ["running"]


async def test_nothing_is_posted_while_the_lease_is_uncertain(stage, monkeypatch):
    """The store has not answered for most of a lease, so another server may be sending this very message; then it goes on."""
    monkeypatch.setattr("rasa_whatsapp.lanes._PAUSE_AFTER_FAILURE_SECONDS", 0.01)
    await stage.start()
    await stage.receive(stage.message("Hi"))
    membership = stage.gateway._membership
    alive = asyncio.get_running_loop().time()
    membership._beaten_at = alive - LEASE_SECONDS * 0.8
    assert not membership.is_alive
    await stage.say(stage.contact_id, "api:1", 1, {"text": "one"}, proactive=False)
    await stage.until(lambda: stage.states("outbox") in (["sending"], ["unsettled"]))
    assert stage.graph.sent == []
    membership._beaten_at = alive
    await stage.idle()
    await stage.advance(minutes=5)
    assert stage.graph.texts == ["one"]
    assert stage.states("outbox") == ["accepted"]


async def test_after_the_store_was_away_nobody_is_buried_at_once(stage, second):
    """Who could not beat for that time lives all the same."""
    await stage.start()
    await second.start()
    end_lease(stage)
    await second.gateway._membership.look()
    assert len(stage.rows("servers")) == 2


async def test_leaving_in_order_frees_the_work_at_once(stage, second, body):
    """A server that is stopped in the middle of a turn leaves it to the others without a lease to wait for."""
    await stage.start()
    await second.start()
    second.dialogue.answer = echo
    await hang_in_a_turn(stage, body)
    await stage.gateway.close(grace_seconds=0)
    stage.gateway = None
    second.gateway.look()
    await second.until(lambda: second.graph.texts == ["re: Hi"])


async def test_work_of_one_is_noticed_by_the_other(stage, second):
    """A lane that nobody claimed wakes whoever listens: no tick is needed, as there is none here for an hour."""
    await second.start()
    await second.receive(second.message("Hi"))
    second.dialogue.turns.clear()
    contact_id = second.contact_id
    follow_up = {
        "number_id": "100000000000001", "message_id": "wamid.X", "contact_id": contact_id, "kind": "message",
        "body": {"message": second.message("over there"), "contact": {}}, "sent_at": second.clock.now(),
        "received_at": second.clock.now(), "state": "received",
    }  # fmt: skip

    def add(connection):
        connection.execute(schema.inbox.insert().values(**follow_up))
        lanes.wake(connection, Kind.TURNS, contact_id, second.clock.now())

    await stage.database.run(add)
    await second.until(lambda: second.dialogue.heard == ["over there"])


async def test_two_servers_share_a_burst(stage, second, body):
    """Forty customers write at once: each turn is taken once, whoever takes it."""
    for server in (stage, second):
        await server.start()
    await asyncio.gather(
        *(stage.gateway.receive(body(stage.message(str(number), sender=f"49{number}"))) for number in range(40))
    )
    await stage.idle()
    await second.idle()
    assert sorted(stage.dialogue.heard + second.dialogue.heard, key=int) == [str(number) for number in range(40)]
    assert set(stage.states("inbox")) == {"done"}


async def test_a_rebirth_that_nobody_knows_the_end_of(stage, second, monkeypatch):
    """The store took the new id and the answer was lost: the old one stays until an id is surely entered."""
    await stage.start()
    membership, now = stage.gateway._membership, asyncio.get_running_loop().time()
    old, entered = membership.id, []
    end_lease(stage)
    await second.start()
    await bury(second)

    def join(connection, server, lease_seconds):
        real_join(connection, server, lease_seconds)
        entered.append(server)

    def lose_the_answer(work, *args):
        done = run_now(work, *args)
        if work is join and len(entered) == 1:
            raise ConnectionError
        return done

    real_join, run_now = servers.join, stage.database.run_now
    monkeypatch.setattr(servers, "join", join)
    monkeypatch.setattr(stage.database, "run_now", lose_the_answer)
    in_a_thread = asyncio.get_running_loop().run_in_executor
    with pytest.raises(ConnectionError):
        await in_a_thread(None, membership._beat_once, now)
    assert membership.id == old
    await in_a_thread(None, membership._beat_once, now)
    assert membership.id == entered[1]


async def test_a_store_that_is_away_does_not_make_a_server_look_hung(stage, monkeypatch):
    """Its loop comes to its turn; only what it asks of the store fails, for however long."""
    await stage.start(tick_seconds=0.001)

    async def away(*_):
        raise ConnectionError

    monkeypatch.setattr(stage.database, "run", away)
    membership = stage.gateway._membership
    membership._looped_at = 0.0
    await stage.until(lambda: membership._looped_at > 0)
    monkeypatch.undo()


class Rounds:
    """In place of the event that ends the thread: lets it go round so often."""

    def __init__(self, most):
        self.left = most

    def wait(self, seconds):
        """Tell whether to end."""
        self.left -= 1
        return self.left < 0

    def set(self):
        """End."""


@pytest.mark.parametrize(("hung_for", "beats"), [(0, 3), (119, 3), (121, 0)])
async def test_a_server_whose_loop_hangs_is_not_renewed(stage, monkeypatch, hung_for, beats):
    """Nobody else could tell: the thread that renews the lease lives on."""
    await stage.start()
    membership, beaten = stage.gateway._membership, []
    membership._ended.set()
    membership._thread.join()
    monkeypatch.setattr(membership, "_beat_once", beaten.append)
    monkeypatch.setattr(membership, "_ended", Rounds(3))
    membership._looped_at = asyncio.get_running_loop().time() - hung_for
    membership._beat()
    assert len(beaten) == beats


async def test_lanes_of_a_server_that_is_gone_are_looked_for(stage, second, monkeypatch):
    """By each server, every few seconds: a transaction of the dead one's may have claimed them at the last moment."""
    monkeypatch.setattr("rasa_whatsapp.gateway._TICKS_UNTIL_A_SEARCH", 1)
    await second.start()
    await second.receive(second.message("Hi"))
    await second.kill()
    stage.database.run_now(lanes.wake, Kind.TURNS, stage.contact_id, stage.clock.now(), claimant="server-gone")
    await stage.start(tick_seconds=0.001)
    await stage.until(lambda: stage.rows("lanes") == [])


@pytest.mark.parametrize("code", [190, 131031, 131048])
async def test_what_one_server_meets_the_others_hear_of(stage, second, code):
    """A locked account is one for all; and a server that was not there learns it when it starts."""
    await stage.start()
    await second.start()
    await stage.receive(stage.message("Hi"))
    stage.graph.answers = [answers.refusal(400, {"code": code})]
    await stage.say(stage.contact_id, "wamid.IN1", 1, {"text": "one"}, proactive=False)
    await stage.until(lambda: stage.rows("troubles") or second.gateway.look())
    await second.gateway._hear_troubles()
    (alarm,) = second.gateway.alarms
    assert alarm.startswith("number …0001: ")
    await second.restart()
    await second.until(lambda: second.gateway.alarms == [alarm])


async def test_that_one_server_is_too_fast_is_its_own_affair(stage, second):
    """The others find out when it concerns them."""
    await stage.start()
    await stage.receive(stage.message("Hi"))
    stage.graph.answers = [answers.refusal(400, {"code": 130429})]
    await stage.say(stage.contact_id, "wamid.IN1", 1, {"text": "one"}, proactive=False)
    await stage.idle()
    assert (stage.states("outbox"), stage.rows("troubles")) == (["pending"], [])


async def test_a_store_that_was_away_begins_the_silence_anew(stage, monkeypatch):
    """A status may have been sent back meanwhile: what may have been sent is not sent again before one could have come since."""
    await stage.start()
    await stage.receive(stage.message("Hi"))
    stage.graph.answers = [Refused(Disposition.UNCERTAIN, 0, "no answer")]
    await stage.say(stage.contact_id, "wamid.IN1", 1, {"text": "one"}, proactive=False)
    await stage.idle()
    membership = stage.gateway._membership
    membership._ended.set()
    membership._thread.join()
    stage.clock.advance(seconds=25)

    def away(now):
        raise ConnectionError

    monkeypatch.setattr(membership, "_beat_once", away)
    monkeypatch.setattr(membership, "_ended", Rounds(1))
    membership._beat()
    await stage.advance(seconds=25)
    assert (stage.states("outbox"), stage.graph.texts) == (["unsettled"], ["one"])
    await stage.advance(seconds=6)
    assert (stage.states("outbox"), stage.graph.texts) == (["accepted"], ["one", "one"])
