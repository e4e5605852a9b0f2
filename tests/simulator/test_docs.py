"""The page about the simulator names everything that it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from rasa_whatsapp.cli.simulator import command
from rasa_whatsapp.simulator.composing import COMPOSERS
from rasa_whatsapp.simulator.control_routes import ROUTES
from rasa_whatsapp.simulator.faults import DEFAULTS, FIELDS

PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("option", [option for parameter in command.params for option in parameter.opts])
def test_every_option_is_documented(option: str) -> None:
    """Each option has a row with its default, unless it has none."""
    row = next((line for line in PAGE.splitlines() if line.startswith(f"| `{option}`")), "")
    default = next(parameter.default for parameter in command.params if option in parameter.opts)
    assert row
    assert isinstance(default, bool) or not isinstance(default, (str, int, float)) or f"`{default}`" in row


@pytest.mark.parametrize("fault", sorted(FIELDS))
def test_every_fault_is_documented(fault: str) -> None:
    """Each fault has a row with its settings and their defaults."""
    row = next((line for line in PAGE.splitlines() if line.startswith(f"| `{fault}`")), "")
    assert row
    assert all(f"`{setting}`" in row for setting in FIELDS[fault])
    assert all(f"({default:g})" in row for default in DEFAULTS.get(fault, {}).values())


@pytest.mark.parametrize("kind", sorted({*COMPOSERS, "tap", "raw"}))
def test_everything_that_a_customer_can_send_is_documented(kind: str) -> None:
    """Each type has its place in the first column of the table."""
    table = PAGE.partition("### What a customer can send")[2].partition("\n## ")[0]
    assert any(f"`{kind}`" in line.split("|")[1] for line in table.splitlines() if line.startswith("|"))


@pytest.mark.parametrize("path", sorted({path for _, path, _ in ROUTES}))
def test_every_address_is_documented(path: str) -> None:
    """Each address of the control API is named."""
    assert path.removeprefix("/control/") in PAGE
