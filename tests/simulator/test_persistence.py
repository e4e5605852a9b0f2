"""What outlives a restart: clock, chats, windows, template changes, undelivered webhooks, statuses half-way."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from rasa_whatsapp.simulator.settings import Number
from rasa_whatsapp.simulator.storage import Storage, StorageUnusable

from .conftest import AUTHORISED, LEA, Bot, Start, eventually

pytestmark = pytest.mark.asyncio


async def test_restart_forgets_nothing(start: Start, bot: Bot, tmp_path: Path) -> None:
    """Clock, customers, chat, window, journals and template changes are there again."""
    database = tmp_path / "simulator.db"
    before = await start(database_path=database)
    await before.post("customers", {"wa_id": LEA, "name": "Lea", "user_id": "DE.Lea1"})
    await before.write("Hi")
    wamid = await before.send_text("Hello")
    await eventually(lambda: len(bot.statuses(wamid)) == 2, "both statuses")
    await before.put("templates/paused/en", {"status": "APPROVED"})
    await before.post("clock", {"advance_seconds": 3600})
    chat = await before.get(f"customers/{LEA}/chat")
    requests = await before.get("requests")
    await before.stop()

    after = await start(database_path=database)
    again = await after.get(f"customers/{LEA}/chat")
    assert again["messages"] == chat["messages"]
    assert again["window"]["expires_at"] == chat["window"]["expires_at"]
    assert (again["customer"]["user_id"], again["window"]["open"]) == ("DE.Lea1", True)
    assert (await after.get("clock"))["offset_seconds"] == 3600
    assert await after.get("requests") == requests
    templates = {entry["name"]: entry["status"] for entry in (await after.get("templates"))["templates"]}
    assert templates["paused"] == "APPROVED"


async def test_undelivered_webhook_comes_after_the_restart(start: Start, bot: Bot, tmp_path: Path) -> None:
    """A webhook that nobody took before the restart is delivered after it."""
    database = tmp_path / "simulator.db"
    before = await start(database_path=database, webhook_url="http://127.0.0.1:9/webhook")
    wamid = await before.write("Is anybody there?")
    await before.stop()
    await start(database_path=database)
    (message,) = await eventually(bot.messages, "the message")
    assert message["id"] == wamid


async def test_statuses_go_on_after_the_restart(start: Start, bot: Bot, tmp_path: Path) -> None:
    """A message that was only accepted is sent and delivered after it."""
    database = tmp_path / "simulator.db"
    before = await start(database_path=database, status_pause_seconds=3600)
    await before.write()
    wamid = await before.send_text()
    await before.stop()
    await start(database_path=database)
    await eventually(lambda: len(bot.statuses(wamid)) == 2, "both statuses")


async def test_failure_to_come_still_comes(start: Start, bot: Bot, tmp_path: Path) -> None:
    """A message that was accepted outside the window fails after the restart, also when the window has opened."""
    database = tmp_path / "simulator.db"
    before = await start(database_path=database, status_pause_seconds=3600)
    wamid = await before.send_text()
    await before.write()
    await before.stop()
    await start(database_path=database)
    (failed,) = await eventually(lambda: bot.statuses(wamid), "the status")
    assert (failed["status"], failed["errors"][0]["code"]) == ("failed", 131047)


async def test_number_that_is_no_longer_played(start: Start, bot: Bot, tmp_path: Path) -> None:
    """Its messages stay in the file; they go no further, and tapping them is refused with a sentence."""
    database = tmp_path / "simulator.db"
    number = Number(id="222", display="4930901820001", token="demo-access-token")
    before = await start(database_path=database, more_numbers=(number,), status_pause_seconds=3600)
    await before.write(number_id="222")
    body = {"messaging_product": "whatsapp", "to": f"+{LEA}", "type": "text", "text": {"body": "Hello"}}
    async with before.http.post(before.url("/v26.0/222/messages"), json=body, headers=AUTHORISED) as answer:
        wamid = (await answer.json())["messages"][0]["id"]
    await before.stop()
    after = await start(database_path=database)
    tap = {"type": "tap", "message_id": wamid, "button": "0"}
    refused = await after.post(f"customers/{LEA}/messages", tap, 400)
    assert refused["error"] == "the message is from a business number that is no longer played"
    # What is told of one customer comes in order: a status of the old message would have come first.
    own = await after.write("Hi, one")
    await eventually(lambda: own in [message["id"] for message in bot.messages()], "the message")
    assert bot.statuses(wamid) == []


async def test_database_of_the_first_release(start: Start, bot: Bot, tmp_path: Path) -> None:
    """Its chats, windows and statuses half-way belong to the first number now; nothing is lost, and it goes on."""
    database = tmp_path / "simulator.db"
    with sqlite3.connect(database) as old:
        old.executescript((Path(__file__).parent / "first_release.sql").read_text(encoding="utf-8"))
    simulator = await start(database_path=database)
    await eventually(lambda: len(bot.statuses("wamid.under-way")) == 2, "both statuses")
    chat = await simulator.get(f"customers/{LEA}/chat")
    assert [(message["id"], message["number_id"]) for message in chat["messages"]] == [
        ("wamid.hi", "100000000000001"),
        ("wamid.under-way", "100000000000001"),
    ]
    assert chat["window"]["expires_at"] == "2026-11-23T10:00:00.000000+00:00"
    assert (chat["customer"]["name"], chat["customer"]["last_message_at"]) == ("Lea", 1_795_341_600)
    assert [known["window"]["expires_at"] for known in (await simulator.get("customers"))["customers"]][1] is None
    await simulator.write("Again")
    await simulator.stop()
    again = await start(database_path=database)
    assert [message["text"] for message in await again.chat()] == ["Hi \ud83d", "Hello", "Again"]


async def test_template_statuses_of_an_earlier_release(start: Start, tmp_path: Path) -> None:
    """A status that was changed when only statuses were kept is still there."""
    database = tmp_path / "simulator.db"
    with sqlite3.connect(database) as old:
        old.executescript((Path(__file__).parent / "first_release.sql").read_text(encoding="utf-8"))
        paused = {"3756021576184336": "APPROVED"}
        old.execute("insert into keep values ('template_statuses', ?)", (json.dumps(paused),))
    simulator = await start(database_path=database)
    templates = {entry["name"]: entry for entry in (await simulator.get("templates"))["templates"]}
    assert (templates["paused"]["id"], templates["paused"]["status"]) == ("3756021576184336", "APPROVED")


async def test_failed_step_changes_nothing(tmp_path: Path) -> None:
    """A file that cannot be brought up to date stays as it was."""
    database = tmp_path / "simulator.db"
    with sqlite3.connect(database) as old:
        old.executescript((Path(__file__).parent / "first_release.sql").read_text(encoding="utf-8"))
        old.execute("create table media (id integer)")
    with pytest.raises(StorageUnusable, match=r"simulator\.db: table media already exists"):
        Storage(database, "1")
    with sqlite3.connect(database) as old:
        columns = [row[1] for row in old.execute("pragma table_info(messages)")]
        version = old.execute("pragma user_version").fetchone()
    assert (columns, version) == (["seq", "id", "wa_id", "direction", "status", "value"], (0,))


async def test_file_that_is_no_database(tmp_path: Path) -> None:
    """A file of another kind is named with a remedy."""
    path = tmp_path / "notes.txt"
    path.write_text("not a database" * 100)
    with pytest.raises(StorageUnusable, match=r"notes\.txt: file is not a database"):
        Storage(path)


async def test_database_of_another_program(tmp_path: Path) -> None:
    """A database with other tables is named, not filled."""
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("create table messages (id integer)")
    with pytest.raises(StorageUnusable, match=r"other\.db"):
        Storage(path)
