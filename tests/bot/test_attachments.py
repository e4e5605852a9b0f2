"""Files that customers send: the reference goes to the download, its result into slots. Nothing here leaves the process."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from actions.attachments import DEFAULT_FOLDER, ActionStoreAttachment, folder_from_environment, to_size
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from rasa_whatsapp import media
from rasa_whatsapp.errors import MediaRefused, MediaUnavailable

from .conftest import FakeDownload

PHOTO = {"id": "555000111", "kind": "image", "mime_type": "image/jpeg"}


def run(download: FakeDownload, shared: dict[str, Any] | None, language: str = "en") -> list[dict[str, Any]]:
    """Return the events of the action for a message that brought `shared`."""
    message = {"metadata": {"whatsapp": {"number_id": "100000000000001", "media": shared}}}
    tracker = Tracker("c", {"language": language}, message, [], False, None, {}, "action_listen")
    return asyncio.run(ActionStoreAttachment(download).run(CollectingDispatcher(), tracker, {}))


def slots_of(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the slots that the events set."""
    return {event["name"]: event["value"] for event in events if event["event"] == "slot"}


def test_a_file_is_stored_and_named(attachments_folder: Path) -> None:
    """It is in the folder that the environment names; the download learns which business number got it."""
    download = FakeDownload()
    assert slots_of(run(download, PHOTO)) == {
        "attachment_state": "stored",
        "attachment_name": "555000111.jpg",
        "attachment_size": "34 kB",
        "question_open": None,
    }
    assert (attachments_folder / "555000111.jpg").stat().st_size == 34_000
    assert download.references == [{"number_id": "100000000000001", **PHOTO}]


@pytest.mark.parametrize(
    ("problem", "state"),
    [
        pytest.param(MediaUnavailable("it is gone"), "asked", id="gone"),
        pytest.param(MediaRefused("it is too large"), "refused", id="refused"),
        pytest.param(PermissionError("received"), "asked", id="a folder that cannot be written"),
    ],
)
def test_a_file_that_cannot_be_had_does_not_break_the_turn(problem: Exception, state: str) -> None:
    """The state says what went wrong; no name of an earlier file is left."""
    download = FakeDownload()
    download.problem = problem
    facts = slots_of(run(download, PHOTO))
    assert (facts["attachment_state"], facts["attachment_name"], facts["attachment_size"]) == (state, None, None)


def test_a_message_without_a_file_downloads_nothing() -> None:
    """As when the intent is said by a test or another channel."""
    download = FakeDownload()
    assert slots_of(run(download, None))["attachment_state"] == "asked"
    assert download.references == []


def test_the_question_about_the_file_takes_the_place_of_an_open_one() -> None:
    """A yes now belongs to the file; the other question is not followed up."""
    events = run(FakeDownload(), PHOTO)
    assert [event["name"] for event in events if event["event"] == "cancel_reminder"] == ["open_question"]


def test_the_download_is_the_channels_own() -> None:
    """The action server builds the action without an argument."""
    assert ActionStoreAttachment()._download is media.download


@pytest.mark.parametrize(
    ("size", "german", "english"),
    [
        (0, "0 B", "0 B"),
        (999, "999 B", "999 B"),
        (1000, "1 kB", "1 kB"),
        (34_499, "34 kB", "34 kB"),
        (999_499, "999 kB", "999 kB"),
        (999_500, "1,0 MB", "1.0 MB"),
        (1_240_000, "1,2 MB", "1.2 MB"),
        (104_857_600, "104,9 MB", "104.9 MB"),
    ],
)
def test_a_size_is_said_as_people_say_it(size: int, german: str, english: str) -> None:
    """In steps of a thousand bytes, with the language's decimal sign."""
    assert (to_size(size, "de"), to_size(size, "en")) == (german, english)


def test_without_a_name_the_default_folder_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty ATTACHMENTS_FOLDER means the default."""
    monkeypatch.setenv("ATTACHMENTS_FOLDER", " ")
    assert folder_from_environment() == Path(DEFAULT_FOLDER)
