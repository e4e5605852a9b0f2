"""`rasa-whatsapp templates` against a simulator that really runs: the account's templates are its own, not the catalogue's."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner

from rasa_whatsapp.cli import main

START = [sys.executable, "-c", "from rasa_whatsapp.cli import main; main()", "simulator", "--port", "0"]
TOKEN = "demo-access-token"
CREDENTIALS = """
rasa_whatsapp.WhatsAppInput:
  phone_number_id: 100000000000001
  business_account_id: 200000000000001
  access_token: ${{WHATSAPP_ACCESS_TOKEN}}
  app_secret: ${{NOT_NEEDED_HERE}}
  graph_url: {url}
"""
NEWS = '- {name: news, language: en, category: UTILITY, components: [{type: BODY, text: "It is here."}]}\n'
NEWS_DE = '- {name: news, language: de, category: UTILITY, components: [{type: BODY, text: "Sie ist da."}]}\n'
OFFER = '- {name: offer, language: en, category: MARKETING, components: [{type: BODY, text: "Half price."}]}\n'


@contextmanager
def simulator(templates: Path | None = None) -> Iterator[str]:
    """Start a simulator whose account has these templates; yield its address."""
    options = ["--templates", str(templates)] if templates else []
    process = subprocess.Popen([*START, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.match(r"Phone page: +(http://127\.0\.0\.1:\d+)/", line)
        assert found, line
        yield found[1]
    finally:
        process.kill()
        process.communicate()


class Bot:
    """A bot's folder, whose credentials name a simulator."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.catalogue = folder / "data" / "whatsapp_templates.yml"

    def declare(self, *entries: str) -> None:
        """Write the catalogue."""
        self.catalogue.write_text("whatsapp_templates:\n" + "".join(entries), "utf-8")

    def run(self, *arguments: str, status: int = 0, **more: Any) -> str:
        """Run a command of `templates`; return what it says."""
        result = CliRunner().invoke(main, ["templates", *arguments], **more)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert result.exit_code == status, result.output
        assert TOKEN not in result.output
        return result.output

    def json(self, *arguments: str, status: int = 0) -> Any:
        """Run a command of `templates`; return what it says as JSON."""
        return json.loads(self.run(*arguments, "--format", "json", status=status))

    def set_status(self, name: str, language: str, status: str) -> None:
        """Let Meta give a template another status."""
        answer = requests.put(f"{self.url}/control/templates/{name}/{language}", json={"status": status}, timeout=5)
        assert answer.ok, answer.text


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in the folder of a bot; its token comes from the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WHATSAPP_ACCESS_TOKEN", TOKEN)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (tmp_path / "data").mkdir()
    return tmp_path


@pytest.fixture
def bot(folder: Path) -> Iterator[Bot]:
    """Return a bot whose account has three templates."""
    (folder / "account.yml").write_text("whatsapp_templates:\n" + NEWS + NEWS_DE + OFFER, "utf-8")
    with simulator(folder / "account.yml") as url:
        (folder / "credentials.yml").write_text(CREDENTIALS.format(url=url))
        yield Bot(folder, url)


def test_the_status_of_each_declared_template(bot: Bot) -> None:
    """What Meta has not, or not approved, is exit status 1; what nobody declared is told."""
    bot.declare(NEWS, NEWS_DE.replace("UTILITY", "MARKETING"), NEWS.replace("en", "fr"))
    bot.set_status("news", "de", "PAUSED")
    assert bot.run("status", status=1).splitlines() == [
        "TEMPLATE  LANGUAGE  STATUS    CATEGORY  QUALITY  REMARKS",
        "news      en        APPROVED  UTILITY   UNKNOWN",
        "news      de        PAUSED    UTILITY   UNKNOWN  declared as MARKETING; the catalogue says APPROVED: pull",
        "news      fr        -         -         -        Meta does not have it: push",
        "3 declared templates, 2 not approved",
        "Not declared here: offer (en)",
    ]


def test_the_status_as_json(bot: Bot) -> None:
    """For scripts; all approved is exit status 0."""
    bot.declare(NEWS)
    assert bot.json("status") == {
        "ok": True,
        "templates": [
            {
                "name": "news",
                "language": "en",
                "file": "data/whatsapp_templates.yml",
                "line": 2,
                "declared_category": "UTILITY",
                "status": "APPROVED",
                "category": "UTILITY",
                "quality": "UNKNOWN",
                "rejected_reason": None,
            }
        ],
        "not_declared": [
            {"name": "news", "language": "de", "status": "APPROVED"},
            {"name": "offer", "language": "en", "status": "APPROVED"},
        ],
    }


def test_no_difference(bot: Bot) -> None:
    """Exit status 0."""
    bot.declare(OFFER.replace("MARKETING", "marketing").replace("BODY", "body"), NEWS_DE, NEWS)
    assert bot.run("diff") == "3 declared templates, 0 differences\n"


def test_differences(bot: Bot) -> None:
    """What would be created, what changed and in which part, and what only Meta has."""
    bot.declare(NEWS.replace("here", "there"), NEWS.replace("en", "fr"), NEWS_DE)
    assert bot.run("diff", status=1).splitlines() == [
        "~ data/whatsapp_templates.yml:2: news (en)",
        "    body.text",
        "      declared: It is there.",
        "      at Meta:  It is here.",
        "+ data/whatsapp_templates.yml:3: news (fr): Meta does not have it",
        "- offer (en): only Meta has it (APPROVED)",
        "3 declared templates, 3 differences",
    ]
    found = bot.json("diff", "--declared-only", status=1)["differences"]
    assert [(each["kind"], each["name"], each["language"]) for each in found] == [
        ("changed", "news", "en"),
        ("created", "news", "fr"),
    ]
    assert found[0]["parts"] == [{"part": "body.text", "declared": "It is there.", "at_meta": "It is here."}]


def test_many_pages(folder: Path) -> None:
    """An account with more templates than a page has."""
    many = [NEWS.replace("news", f"news_{number}").replace("here", f"here, {number}") for number in range(230)]
    (folder / "account.yml").write_text("whatsapp_templates:\n" + "".join(many), "utf-8")
    with simulator(folder / "account.yml") as url:
        (folder / "credentials.yml").write_text(CREDENTIALS.format(url=url))
        bot = Bot(folder, url)
        bot.declare(*many)
        assert bot.run("diff") == "230 declared templates, 0 differences\n"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("  business_account_id: 200000000000001\n", ""), "business_account_id: missing; it names the account that owns"),
        (("business_account_id: 200000000000001", "business_account_id: 7"), "check business_account_id"),
        (("${WHATSAPP_ACCESS_TOKEN}", "another"), "set a new access_token"),
        (("${WHATSAPP_ACCESS_TOKEN}", "${NO_SUCH_TOKEN}"), "access_token: the environment variable NO_SUCH_TOKEN is not set"),
        (("  phone_number_id", "  provider: 360dialog\n  phone_number_id"), "provider: these commands speak Meta's own API"),
    ],
    ids=["no account", "another account", "another token", "no token", "360dialog"],
)  # fmt: skip
def test_credentials_that_do_not_do(bot: Bot, change: tuple[str, str], told: str) -> None:
    """What is wrong, and what to do."""
    bot.declare(NEWS)
    path = bot.folder / "credentials.yml"
    path.write_text(path.read_text().replace(*change))
    for command in ("status", "diff"):
        output = bot.run(command, status=1)
        assert output.startswith("Error: ")
        assert told in output


def test_pull_shows_what_changes_and_asks(bot: Bot) -> None:
    """Whoever says no keeps the file."""
    bot.declare("# ours\n", NEWS.replace("here", "there"), NEWS.replace("en", "fr"))
    bot.set_status("news", "de", "PAUSED")
    before = bot.catalogue.read_text()
    output = bot.run("pull", input="n\n", status=1)
    assert output.splitlines() == [
        "~ data/whatsapp_templates.yml:3: news (en)",
        "    body.text",
        "      declared: It is there.",
        "      at Meta:  It is here.",
        "+ data/whatsapp_templates.yml: news (de) is added",
        "+ data/whatsapp_templates.yml: offer (en) is added",
        "Meta does not have, so they stay as they are: news (fr)",
        "Change data/whatsapp_templates.yml? [y/N]: n",
        "Aborted!",
    ]
    assert bot.catalogue.read_text() == before
    assert bot.run("pull", "--yes").endswith(
        "data/whatsapp_templates.yml is written: 4 templates, each language apart.\n"
    )
    text = bot.catalogue.read_text()
    assert text.startswith(f"whatsapp_templates:\n# ours\n{NEWS}{NEWS.replace('en', 'fr')}\n- name: news\n")
    assert "status: PAUSED" in text
    assert bot.run("diff", status=1).splitlines()[-1] == "4 declared templates, 1 difference"
    assert bot.run("pull").splitlines()[-1] == "Nothing to change."


def test_pull_into_another_file(bot: Bot) -> None:
    """The catalogue stays; a file that is new needs no question."""
    bot.declare(NEWS.replace("here", "there"))
    before = bot.catalogue.read_text()
    assert bot.run("pull", "--into", "fetched/all.yml").splitlines()[-1] == (
        "fetched/all.yml is written: 3 templates, each language apart."
    )
    assert bot.catalogue.read_text() == before
    assert bot.run("diff", "fetched") == "3 declared templates, 0 differences\n"


def test_pull_into_what_is_no_catalogue(bot: Bot) -> None:
    """It is left alone."""
    bot.catalogue.write_text("a: 1\n")
    assert "has no list under the key whatsapp_templates" in bot.run("pull", "--yes", status=1)
    assert bot.catalogue.read_text() == "a: 1\n"
