"""Logs on the terminal: whole lines, once, with the name of who wrote them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rasa_whatsapp.demo.console import LogFollower, readable, without_noise


def test_follows_whole_lines_of_all_logs(tmp_path: Path) -> None:
    """A line is printed once, when it is complete; a log may come later."""
    printed: list[str] = []
    follower = LogFollower(printed.append, coloured=False)
    follower.follow({"rasa": tmp_path / "rasa.log", "actions": tmp_path / "actions.log"})
    (tmp_path / "rasa.log").write_text("one\nhal")
    follower.pump()
    follower.pump()
    assert printed == ["rasa    | one\n"]
    (tmp_path / "rasa.log").write_text("one\nhalf\n")
    (tmp_path / "actions.log").write_text("first\n")
    follower.pump()
    assert printed == ["rasa    | one\n", "rasa    | half\n", "actions | first\n"]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain words", "plain words"),
        ("\x1b[32mgreen\x1b[0m words", "green words"),
        (
            '{"event": "server.start", "event_info": "Started.", "level": "info", "port": 5005}',
            "INFO Started. port=5005",
        ),
        ('{"event": "server.start", "level": "warning"}', "WARNING server.start"),
        ('{"no": "log line"}', '{"no": "log line"}'),
        ("{broken", "{broken"),
        ("Epochs:  50%\rEpochs: 100%\r", "Epochs: 100%"),
    ],
)
def test_readable(line: str, shown: str) -> None:
    """Rasa's JSON log lines read as text, and colours go where they would not show."""
    assert readable(line, coloured=False) == shown


def test_colours_stay_on_a_terminal() -> None:
    """What a server coloured stays coloured."""
    assert readable("\x1b[32mgreen\x1b[0m", coloured=True) == "\x1b[32mgreen\x1b[0m"


def test_running_progress_bar_shows_on_a_terminal(tmp_path: Path) -> None:
    """A bar without a line end is shown in its newest state, and overwritten by the next line."""
    printed: list[str] = []
    follower = LogFollower(printed.append, coloured=True)
    follower.follow({"train": tmp_path / "train.log"})
    (tmp_path / "train.log").write_text("Epochs:   0%\rEpochs:  50%")
    follower.pump()
    assert printed == ["\x1b[2K\rEpochs:  50%\r"]
    (tmp_path / "train.log").write_text("Epochs:   0%\rEpochs:  50%\rEpochs: 100%\n")
    follower.pump()
    assert printed[1].startswith("\x1b[2K\r")
    assert printed[1].endswith("Epochs: 100%\n")


WARNING = "/x/site-packages/y.py:7: {}DeprecationWarning: old"


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ([WARNING.format(""), "  import old", "next"], ["next"]),
        ([WARNING.format("SA"), "told in", "three lines", "  import old", "next"], ["next"]),
        ([WARNING.format(""), WARNING.format(""), "  import old", "next"], ["next"]),
        ([WARNING.format(""), "a", "b", "c", "next"], ["next"]),
        (["/bot/actions/orders.py:7: DeprecationWarning: old", "  mine"],) * 2,
        (["/x/site-packages/rasa/io.py:100: UserWarning: no such intent", "  More info"],) * 2,
    ],
    ids=["one", "long", "two", "without source", "of the bot itself", "for the designer"],
)
def test_deprecations_of_libraries_are_left_out(lines: list[str], shown: list[str]) -> None:
    """What only a library's author can mend is in the log file, not on the terminal."""
    assert list(without_noise(lines)) == shown
