"""What outlives a restart: clock, chats, windows, template changes, undelivered webhooks, statuses half-way."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from rasa_whatsapp.simulator.storage import Storage, StorageUnusable

from .conftest import LEA, Bot, Start, eventually

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
