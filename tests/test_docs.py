"""The docs say what is there: every setting, every slot, every command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rasa_whatsapp import slots, yaml_files
from rasa_whatsapp.cli import COMMANDS
from rasa_whatsapp.config import SETTINGS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def test_readme_lists_exactly_the_settings():
    """The table of settings and the code name the same keys, in the same order, and the same ones as required."""
    table = README.split("## Settings")[1].split("## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", table, flags=re.MULTILINE)
    assert [name for name, _ in rows] == [setting.name for setting in SETTINGS]
    assert [name for name, default in rows if default == "required"] == [s.name for s in SETTINGS if s.required]


@pytest.mark.parametrize("name", slots.NAMES)
def test_slots_are_documented_and_declared(name):
    """Each slot stands in the README, in the designers' page, and in the example bot's domain with its entity."""
    domain = yaml_files.load(ROOT / "domain.yml")
    entities = [next(iter(entity)) if isinstance(entity, dict) else entity for entity in domain["entities"]]
    assert name in README
    assert f"`{name}`" in (ROOT / "docs" / "designing.md").read_text("utf-8")
    assert {"type": "from_entity", "entity": name} in domain["slots"][name]["mappings"]
    assert name in entities


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_commands_are_mentioned(command):
    """Each command stands where a reader looks."""
    pages = README + "".join(path.read_text("utf-8") for path in (ROOT / "docs").glob("*.md"))
    assert f"rasa-whatsapp {command}" in pages


def test_links_lead_somewhere():
    """Relative links of the docs exist."""
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"
