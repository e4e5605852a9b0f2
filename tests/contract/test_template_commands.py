"""`rasa-whatsapp templates` against a simulator that really runs: the account's templates are its own, not the catalogue's."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner

from rasa_whatsapp.cli import main
from rasa_whatsapp.cloud.templates.states import Aspect, News, Source, Word
from rasa_whatsapp.storage import template_states
from rasa_whatsapp.storage.database import Database
from rasa_whatsapp.templates.account import TemplateAccount

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


def template(name: str, language: str, text: str, category: str = "UTILITY") -> str:
    """Return an entry of a catalogue, on one line."""
    body = f'components: [{{type: BODY, text: "{text}"}}]'
    return f"- {{name: {name}, language: {language}, category: {category}, {body}}}\n"


NEWS = template("news", "en", "It is here.")
NEWS_DE = template("news", "de", "Sie ist da.")
NEWS_FR = template("news", "fr", "Elle est là.")
OFFER = template("offer", "en", "Half price.", "MARKETING")
LETTER = template("letter", "en", "There is a letter for you.")
LETTER_DE = template("letter", "de", "Du hast einen Brief.")
LETTER_FR = template("letter", "fr", "Une lettre pour toi.")


@contextmanager
def simulator(templates: Path, *options: str) -> Iterator[str]:
    """Start a simulator whose account has these templates; yield its address."""
    process = subprocess.Popen(
        [*START, "--templates", str(templates), *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
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

    def set_status(self, name: str, language: str, status: str, **more: str) -> None:
        """Let Meta give a template another status."""
        url = f"{self.url}/control/templates/{name}/{language}"
        answer = requests.put(url, json={"status": status, **more}, timeout=5)
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
    with simulator(folder / "account.yml", "--manual-review") as url:
        (folder / "credentials.yml").write_text(CREDENTIALS.format(url=url))
        yield Bot(folder, url)


@pytest.fixture
def quick(folder: Path) -> Iterator[Bot]:
    """Return a bot whose account has one template, and whose templates are reviewed in a moment."""
    (folder / "account.yml").write_text("whatsapp_templates:\n" + NEWS, "utf-8")
    with simulator(folder / "account.yml", "--review-seconds", "0.2") as url:
        (folder / "credentials.yml").write_text(CREDENTIALS.format(url=url))
        yield Bot(folder, url)


def test_the_status_of_each_declared_template(bot: Bot) -> None:
    """What Meta has not, or not approved, is exit status 1; what nobody declared is told."""
    bot.declare(NEWS, NEWS_DE.replace("UTILITY", "MARKETING"), NEWS_FR)
    bot.set_status("news", "de", "PAUSED")
    assert bot.run("status", status=1).splitlines() == [
        "TEMPLATE  LANGUAGE  STATUS    CATEGORY  QUALITY  REMARKS",
        "news      en        APPROVED  UTILITY   UNKNOWN",
        "news      de        PAUSED    UTILITY   UNKNOWN  declared as MARKETING; the catalogue says APPROVED: pull",
        "news      fr        -         -         -        Meta does not have it: push",
        "3 declared templates, 2 not approved",
        "Not declared here: offer (en)",
    ]


@pytest.fixture
def served(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> Bot:
    """Return a bot with a store, whose catalogue declares three templates, one of which Meta does not have."""
    monkeypatch.setenv("NOT_NEEDED_HERE", "secret")
    more = "  verify_token: word\n  database_url: sqlite:///store.sqlite\n"
    (bot.folder / "credentials.yml").write_text(CREDENTIALS.format(url=bot.url) + more)
    bot.declare(NEWS, NEWS_DE, NEWS_FR)
    store = Database(f"sqlite:///{bot.folder / 'store.sqlite'}")
    store.upgrade()
    store.close()
    return bot


def test_running_servers_are_told(served: Bot) -> None:
    """What Meta has goes into the store, where servers go by it; a dry run writes nothing; what is known is not told again."""
    served.set_status("news", "de", "PAUSED")
    new = [
        "news (en): status was not known, is APPROVED",
        "news (en): category was not known, is UTILITY",
        "news (en): quality was not known, is UNKNOWN",
        "news (de): status was not known, is PAUSED",
        "news (de): category was not known, is UTILITY",
        "news (de): quality was not known, is UNKNOWN",
        "news (fr): status was not known, is NOT_FOUND",
    ]
    assert served.run("sync", "--dry-run").splitlines() == [*new, "3 declared templates, 7 changes to write"]
    assert served.run("sync").splitlines() == [*new, "3 declared templates, 7 changes written"]
    assert served.run("sync") == "3 declared templates, 0 changes written\n"
    served.set_status("news", "de", "APPROVED")
    assert served.run("sync").splitlines()[0] == "news (de): status was PAUSED (pull), is APPROVED"


def test_a_newer_word_stays(served: Bot) -> None:
    """The store has one of a later moment than this machine's clock tells: nothing is written over it, and that is told."""
    paused = News(aspect=Aspect.STATUS, value="PAUSED")
    later = Word(key=("news", "en"), news=paused, at=datetime(2100, 1, 1, tzinfo=timezone.utc), source=Source.WEBHOOK)
    store = Database(f"sqlite:///{served.folder / 'store.sqlite'}")
    store.run_now(template_states.note, [later])
    stays = "news (en): status stays PAUSED (webhook), as the store's word is newer than this machine's clock"
    for changes in (6, 0):
        written = f"3 declared templates, {changes} changes written, 1 kept as they were"
        assert served.run("sync").splitlines()[-2:] == [stays, written]
    assert store.run_now(template_states.read).words[("news", "en"), Aspect.STATUS] == later
    store.close()


def test_where_servers_go_by_another_status(served: Bot) -> None:
    """Only if it is asked for, since it needs the store; without a word of Meta's, servers go by the catalogue."""
    served.set_status("news", "de", "PAUSED")
    remarks = [line[48:].strip() for line in served.run("status", "--store", status=1).splitlines()[1:4]]
    assert remarks == [
        "",
        "running servers go by APPROVED: sync; the catalogue says APPROVED: pull",
        "running servers go by APPROVED: sync; Meta does not have it: push",
    ]
    served.run("sync")
    remarks = [line[48:].strip() for line in served.run("status", "--store", status=1).splitlines()[1:4]]
    assert remarks == ["", "the catalogue says APPROVED: pull", "Meta does not have it: push"]
    told = served.json("status", "--store", status=1)["templates"]
    assert [each["served_status"] for each in told] == ["APPROVED", "PAUSED", "NOT_FOUND"]


def test_a_store_that_is_not_there(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not made by looking for it."""
    monkeypatch.setenv("NOT_NEEDED_HERE", "secret")
    more = "  verify_token: word\n  database_url: sqlite:///store.sqlite\n"
    (bot.folder / "credentials.yml").write_text(CREDENTIALS.format(url=bot.url) + more)
    bot.declare(NEWS)
    for command in (["sync"], ["status", "--store"]):
        assert "Error: database_url sqlite:///store.sqlite" in bot.run(*command, status=1)
    assert not (bot.folder / "store.sqlite").exists()


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
    bot.declare(NEWS.replace("here", "there"), NEWS_FR, NEWS_DE)
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
    bot.declare("# ours\n", NEWS.replace("here", "there"), NEWS_FR)
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
    assert text.startswith(f"whatsapp_templates:\n# ours\n{NEWS}{NEWS_FR}\n- name: news\n")
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
    (bot.folder / "empty").mkdir()
    assert "empty/whatsapp_templates.yml is written: 3 templates" in bot.run("pull", "empty")


def test_a_folder_is_read_where_no_file_is(bot: Bot) -> None:
    """Every command takes the usual folder; a change goes to the file that declares the template, what is new to one of its own."""
    folder = bot.folder / "data/whatsapp_templates"
    folder.mkdir()
    (folder / "news.yml").write_text("whatsapp_templates:\n" + NEWS.replace("here", "there") + NEWS_DE, "utf-8")
    (folder / "letters.yaml").write_text("whatsapp_templates:\n" + LETTER, "utf-8")
    assert bot.run("lint", status=1).splitlines() == [
        "data/whatsapp_templates/letters.yaml:2: letter (en): it has no translation into de, which other templates have",
        "3 templates checked, each language apart; 1 finding",
    ]
    assert bot.run("preview", "letter").startswith("letter (en), UTILITY")
    assert bot.run("status", status=1).splitlines()[-2] == "3 declared templates, 1 not approved"
    assert "~ data/whatsapp_templates/news.yml:2: news (en)" in bot.run("diff", status=1)
    assert "Declared: data/whatsapp_templates/news.yml:2: " in bot.run("delete", "news", input="n\n", status=1)
    (folder / "letters.yaml").write_text("whatsapp_templates:\n" + LETTER + LETTER_DE, "utf-8")
    assert bot.run("push", "--yes").splitlines()[-1] == "3 of 3 templates handed in."
    bot.set_status("news", "en", "PAUSED")
    assert [line for line in bot.run("pull", "--yes").splitlines() if "is written" in line] == [
        "data/whatsapp_templates/letters.yaml is written: 2 templates, each language apart.",
        "data/whatsapp_templates/news.yml is written: 2 templates, each language apart.",
        "data/whatsapp_templates/whatsapp_templates.yml is written: 1 template, each language apart.",
    ]
    assert "name: offer" in (folder / "whatsapp_templates.yml").read_text()
    (folder / "more.yml").write_text("whatsapp_templates:\n" + NEWS, "utf-8")
    twice = "data/whatsapp_templates/news.yml:2: news (en) is there twice: see data/whatsapp_templates/more.yml:2"
    assert twice in bot.run("status", status=1)


def test_pull_into_what_is_no_catalogue(bot: Bot) -> None:
    """It is left alone."""
    bot.catalogue.write_text("a: 1\n")
    assert "has no list under the key whatsapp_templates" in bot.run("pull", "--yes", status=1)
    assert bot.catalogue.read_text() == "a: 1\n"


def test_push_shows_a_plan_and_asks(bot: Bot) -> None:
    """Nothing is done before; a dry run does not ask."""
    half = template("offer", "de", "Alles um die Hälfte, 20 % Rabatt.")
    bot.declare(NEWS.replace("here", "there"), NEWS_DE, OFFER.replace("MARKETING", "UTILITY"), half)
    bot.set_status("news", "de", "DISABLED")
    plan = [
        "~ news (en): edit body.text; it is reviewed again, and cannot be sent until then",
        "! news (de): Meta has disabled it for good: make a new one under another name",
        "! offer (en): Meta has it as MARKETING, which is fixed once it was approved: declare that, or ask for a review in "
        "WhatsApp Manager",
        "+ offer (de): create as UTILITY",
        "An approved template can be edited once in 24 hours, ten times in 30 days.",
    ]
    assert bot.run("push", "--dry-run").splitlines() == plan
    assert bot.run("push", input="n\n", status=1).splitlines() == [*plan, "Hand in 2 templates? [y/N]: n", "Aborted!"]
    assert bot.run("push", "--yes", status=1).splitlines() == [
        *plan,
        "news (en): edited",
        "offer (de): created, PENDING",
        "offer (de): Meta made it MARKETING, not UTILITY: that costs and asks for consent as such",
        "2 of 2 templates handed in.",
    ]
    again = bot.run("push", status=1).splitlines()
    assert again[0] == "= news (en): as declared, PENDING"
    assert again[-1] == "Nothing to push."


def test_push_tells_what_meta_does_not_mind(bot: Bot) -> None:
    """A template that lacks a language is handed in all the same."""
    bot.declare(NEWS, NEWS_DE, LETTER)
    lines = bot.run("push", "--dry-run").splitlines()
    (told,) = [line for line in lines if "letter (en): it has no translation into de" in line]
    assert told.endswith(", which other templates have (no hindrance)")
    assert "+ letter (en): create as UTILITY" in lines


def test_push_refuses_what_lint_finds(bot: Bot) -> None:
    """Meta is not even asked."""
    bot.declare(NEWS.replace("UTILITY", "NEWS"))
    output = bot.run("push", "--yes", status=1)
    assert output.splitlines()[-1] == "Error: nothing is pushed: mend 1 finding first"
    assert "data/whatsapp_templates.yml:2: news (en): category 'NEWS'" in output


def test_a_refused_template_does_not_hold_up_the_others(bot: Bot) -> None:
    """It is told with Meta's code and words; the exit status tells, too."""
    bot.run("delete", "news", "--language", "de", "--yes")
    bot.declare(NEWS, NEWS_DE, NEWS_FR)
    output = bot.run("push", "--yes", status=1).splitlines()
    assert output[3].startswith(
        "news (de): Meta's error 100 (2388023): this name and language are being deleted: Meta locks"
    )
    assert output[4:] == ["news (fr): created, PENDING", "1 of 2 templates handed in."]


def test_the_hundredth_creation(bot: Bot) -> None:
    """What is beyond waits for an hour; a second run meets Meta's refusal and says what is left."""
    many = [NEWS.replace("news", f"news_{number:03}").replace("here", f"here, {number}") for number in range(102)]
    bot.declare(*many)
    output = bot.run("push", "--yes", status=1).splitlines()
    assert "Meta allows 100 creations an hour: 2 templates more to create. Push again in an hour." in output
    assert output[-1] == "100 of 100 templates handed in."
    output = bot.run("push", "--yes", status=1).splitlines()
    assert output[-3].startswith("news_100 (en): Meta's error 80007: the account's call rate is reached: wait an hour")
    assert output[-2:] == ["0 of 2 templates handed in.", "Left: news_101 (en). Push again: it goes on with these."]


def test_push_waits_for_the_review(quick: Bot) -> None:
    """And tells how it ended; what is approved is exit status 0."""
    quick.declare(NEWS, NEWS_DE)
    output = quick.run("push", "--yes", "--wait").splitlines()
    assert output[-1] == "news (de): APPROVED"
    assert quick.run("status").splitlines()[-1] == "2 declared templates, 0 not approved"


def test_a_review_that_ends_badly(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was interrupted while it waited can be taken up again: what is in review is waited for."""
    bot.declare(LETTER, LETTER_DE)
    bot.run("push", "--yes")
    looks: list[float] = []

    def reject(seconds: float) -> None:
        looks.append(seconds)
        bot.set_status("letter", "en", "APPROVED")
        bot.set_status("letter", "de", "REJECTED", reason="PROMOTIONAL")

    monkeypatch.setattr("rasa_whatsapp.cli.templates.push.sleep", reject)
    output = bot.run("push", "--wait", status=1).splitlines()
    assert output[-2:] == ["letter (de): REJECTED, reason: PROMOTIONAL", "letter (en): APPROVED"]
    assert looks == [1.0]


def test_a_review_without_end(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time-out is told."""
    bot.declare(LETTER)
    monkeypatch.setattr("rasa_whatsapp.cli.templates.push.sleep", lambda seconds: None)
    output = bot.run("push", "--yes", "--wait", "--wait-minutes", "1", status=1).splitlines()
    assert output[-2:] == [
        "letter (en): PENDING",
        "Not all are reviewed after 1 minute: `templates status` tells later.",
    ]


def test_an_interrupted_push(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done and what is left is told; the next run goes on."""
    create = TemplateAccount.create

    def interrupted(account: TemplateAccount, declared: dict[str, Any]) -> Any:
        if declared["language"] == "fr":
            raise KeyboardInterrupt
        return create(account, declared)

    monkeypatch.setattr(TemplateAccount, "create", interrupted)
    bot.declare(LETTER, LETTER_FR, LETTER_DE)
    assert bot.run("push", "--yes", status=1).splitlines()[3:] == [
        "letter (en): created, PENDING",
        "",
        "Interrupted. Whether the step under way was done is not known: push again, it looks first.",
        "1 of 3 templates handed in.",
        "Left: letter (fr), letter (de). Push again: it goes on with these.",
        "Aborted!",
    ]
    monkeypatch.setattr(TemplateAccount, "create", create)
    assert bot.run("push", "--yes").splitlines()[-1] == "2 of 2 templates handed in."


PNG = b"\x89PNG\r\n\x1a\n" + b"\xff" * 1992
PICTURE = """\
- name: {name}
  language: en
  category: MARKETING
  components:
  - {{type: HEADER, format: IMAGE, example: {{file: {file}}}}}
  - {{type: BODY, text: "{text}"}}
"""
CAMPAIGN = PICTURE.format(name="campaign", file="media/offer.png", text="New in our shop.")
REPEAT = PICTURE.format(name="repeat", file="media/offer.png", text="Once more in our shop.")


def uploads(bot: Bot) -> list[tuple[str, Any]]:
    """Return the calls of uploads that the simulator has answered or broken, oldest first: method, and what was sent."""
    asked = requests.get(f"{bot.url}/control/requests", timeout=5).json()["requests"]
    return [(each["method"], each["body"]) for each in asked if "upload" in each["path"]]


def with_app(bot: Bot) -> None:
    """Let the credentials name the app."""
    path = bot.folder / "credentials.yml"
    path.write_text(path.read_text() + "  app_id: 300000000000001\n")


def put_picture(bot: Bot) -> None:
    """Put the sample beside the catalogue."""
    (bot.folder / "data/media").mkdir()
    (bot.folder / "data/media/offer.png").write_bytes(PNG)


def test_push_uploads_a_sample_once(bot: Bot) -> None:
    """It is shown in the plan; the catalogue keeps the file's name, also after a pull, and a second push has nothing to do."""
    with_app(bot)
    put_picture(bot)
    bot.declare(NEWS, CAMPAIGN, REPEAT)
    plan = [
        "= news (en): as declared, APPROVED",
        "+ campaign (en): create as MARKETING",
        "    upload data/media/offer.png, 2,000 bytes",
        "+ repeat (en): create as MARKETING",
    ]
    assert bot.run("push", "--dry-run").splitlines() == plan
    assert uploads(bot) == []
    assert bot.run("push", "--yes").splitlines() == [
        *plan,
        "data/media/offer.png: uploaded",
        "campaign (en): created, PENDING",
        "repeat (en): created, PENDING",
        "2 of 2 templates handed in.",
    ]
    assert uploads(bot) == [("POST", None), ("POST", {"file_offset": "0", "size": 2000})]
    listed = requests.get(
        f"{bot.url}/v25.0/200000000000001/message_templates", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10
    ).json()["data"]
    headers = [part for each in listed for part in each["components"] if part["type"] == "HEADER"]
    (handle,) = {handle for header in headers for handle in header["example"]["header_handle"]}
    assert handle.startswith("4:")
    assert [header["example"] for header in headers] == [{"header_handle": [handle]}] * 2
    assert bot.run("push").splitlines()[-1] == "Nothing to push."
    assert bot.run("diff", "--declared-only") == "3 declared templates, 0 differences\n"
    bot.run("pull", "--yes")
    assert bot.catalogue.read_text().count("example: {file: media/offer.png}") == 2


def test_an_upload_that_breaks_goes_on(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the byte that the other side tells."""
    monkeypatch.setattr("rasa_whatsapp.templates.account._PAUSES_SECONDS", (0.0, 0.0, 0.0))
    with_app(bot)
    put_picture(bot)
    bot.declare(CAMPAIGN)
    fault = {"faults": [{"kind": "cut_upload", "times": 2}]}
    assert requests.put(f"{bot.url}/control/faults", json=fault, timeout=5).ok
    assert bot.run("push", "--yes").splitlines()[-2:] == [
        "campaign (en): created, PENDING",
        "1 of 1 template handed in.",
    ]
    assert [body["file_offset"] for method, body in uploads(bot) if body] == ["0", "1000", "1500"]


def test_an_app_is_needed_for_samples_only(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """The option and the environment name one, too; another app than the token's is told."""
    put_picture(bot)
    bot.declare(LETTER)
    assert "letter (en): created, PENDING" in bot.run("push", "--yes")
    bot.declare(LETTER, CAMPAIGN)
    assert bot.run("push", "--yes", status=1).splitlines()[-1] == (
        "Error: app_id: missing; campaign (en) has the sample data/media/offer.png, which Meta takes for an app only: "
        "set app_id in credentials.yml, or give --app-id (Meta's App Dashboard shows it, digits)"
    )
    assert "is no id of an app" in bot.run("push", "--app-id", "mine", status=2)
    output = bot.run("push", "--yes", "--app-id", "7", status=1)
    assert "campaign (en): the sample offer.png is not uploaded: Meta's error 100 (33): there is no such app" in output
    assert "0 of 1 template handed in." in output
    monkeypatch.setenv("WHATSAPP_APP_ID", "300000000000001")
    assert "campaign (en): created, PENDING" in bot.run("push", "--yes")


def test_a_sample_that_is_missing(bot: Bot) -> None:
    """Nothing is pushed."""
    with_app(bot)
    bot.declare(CAMPAIGN)
    output = bot.run("push", "--yes", status=1)
    assert output.startswith(
        "data/whatsapp_templates.yml:6: campaign (en): the sample data/media/offer.png is not there"
    )
    assert output.splitlines()[-1] == "Error: nothing is pushed: mend 1 finding first"


DOMAIN = """
responses:
  utter_news:
  - channel: whatsapp
    text: "It is here."
    custom: {template: {name: news}}
"""


def test_delete_tells_who_relies_on_it_and_asks(bot: Bot) -> None:
    """All languages go, and the name is locked."""
    (bot.folder / "domain.yml").write_text(DOMAIN)
    bot.declare(NEWS)
    told = [
        "- news (en): APPROVED, UTILITY",
        "- news (de): APPROVED, UTILITY",
        "In use: domain.yml:4: utter_news",
        "Declared: data/whatsapp_templates.yml:2: remove it there, or the next push hands it in again",
        "Meta locks the name for 30 days: until then nothing can be created under it.",
    ]
    assert bot.run("delete", "news", input="n\n", status=1).splitlines() == [
        *told,
        "Delete 2 translations of news? [y/N]: n",
        "Aborted!",
    ]
    assert bot.run("delete", "news", "--yes").splitlines() == [*told, "2 translations of news deleted."]
    assert "Not declared here: offer (en)" in bot.run("status", status=1)


def test_keys_of_ours_stay_here(bot: Bot) -> None:
    """Which response uses a template is no difference to Meta's, is not handed in, and survives a pull; delete tells it."""
    ours = "  response: utter_told\n  payloads: []\n"
    news = (
        "- name: news\n  language: en\n  category: UTILITY\n"
        + ours
        + '  components: [{type: BODY, text: "It is here."}]\n'
    )
    bot.declare(news, NEWS_DE)
    assert bot.run("diff", "--declared-only") == "2 declared templates, 0 differences\n"
    bot.catalogue.write_text(bot.catalogue.read_text().replace("It is here.", "It is there."))
    assert "news (en): edited" in bot.run("push", "--yes")
    bot.run("pull", "--yes")
    assert ours in bot.catalogue.read_text()
    bot.declare(news.replace("news", "told").replace("here", "over there"))
    assert "told (en): created, PENDING" in bot.run("push", "--yes")
    listed = requests.get(
        f"{bot.url}/v25.0/200000000000001/message_templates", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10
    )
    assert "told" in {each["name"] for each in listed.json()["data"]}
    assert {"response", "payloads"} & {key for each in listed.json()["data"] for key in each} == set()
    (bot.folder / "domain.yml").write_text("responses:\n  utter_told:\n  - text: It is over there.\n")
    assert "In use: domain.yml:3: utter_told" in bot.run("delete", "told", input="n\n", status=1)


def test_delete_one_translation(bot: Bot) -> None:
    """The others stay; a template that was never approved leaves its name free."""
    bot.declare(NEWS, NEWS_DE)
    bot.set_status("news", "de", "REJECTED")
    assert bot.run("delete", "news", "--language", "de", "--yes").splitlines() == [
        "- news (de): REJECTED, UTILITY",
        "domain.yml is not here: not looked whether the bot uses it. --domain names another file or folder.",
        "Declared: data/whatsapp_templates.yml:3: remove it there, or the next push hands it in again",
        "1 translation of news deleted.",
    ]
    assert [each["status"] for each in bot.json("status", status=1)["templates"]] == ["APPROVED", None]
    assert "news (de): created, PENDING" in bot.run("push", "--yes")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nwes"], "Error: Meta has no template nwes\n"),
        (["news", "--language", "fr"], "Error: Meta has no template news in fr; it has it in en, de\n"),
        (["offer"], "Error: Meta has disabled offer (en), and deletes no disabled one"),
    ],
)  # fmt: skip
def test_what_cannot_be_deleted(bot: Bot, arguments: list[str], told: str) -> None:
    """Nothing is asked then."""
    bot.set_status("offer", "en", "DISABLED")
    assert bot.run("delete", *arguments, "--yes", status=1).startswith(told)


RICH = """\
whatsapp_templates:
- name: parcel
  language: en
  category: utility
  parameter_format: named
  message_send_ttl_seconds: 3600
  components:
  - {type: header, format: text, text: "News for {{first_name}}",
     example: {header_text_named_params: [{param_name: first_name, example: Lea}]}}
  - type: body
    text: |
      Your order {{order_id}} has left us, and {{carrier}} is going to bring it.

      It should be with you in two days or three.
    example: {body_text_named_params: [{param_name: carrier, example: DHL}, {param_name: order_id, example: "1002"}]}
  - {type: footer, text: "STOP ends these messages."}
  - type: buttons
    buttons:
    - {type: quick_reply, text: "Thanks"}
    - {type: url, text: "Track", url: "https://shop.example/track"}
    - {type: phone_number, text: "Call us", phone_number: "4930901820000"}
- name: coupon
  language: en
  category: MARKETING
  components:
  - {type: BODY, text: "Dear {{1}}, we have something for you, and it is worth {{2}} euros today.", example: {body_text: [[Lea, "5"]]}}
  - {type: BUTTONS, buttons: [{type: COPY_CODE, example: SAVE5},
     {type: URL, text: "Shop", url: "https://shop.example/{{1}}", example: ["https://shop.example/new"]}]}
"""


def test_there_and_back(bot: Bot) -> None:
    """What was handed in is no difference, and what is fetched can be handed in."""
    bot.catalogue.write_text(RICH, "utf-8")
    assert bot.run("push", "--yes").splitlines()[-1] == "2 of 2 templates handed in."
    assert bot.run("diff", "--declared-only") == "2 declared templates, 0 differences\n"
    assert bot.run("push").splitlines()[-1] == "Nothing to push."
    bot.run("delete", "news", "--yes")
    bot.run("delete", "offer", "--yes")
    bot.run("pull", "--into", "fetched.yml")
    assert bot.run("lint", "fetched.yml") == "2 templates checked, each language apart; 0 findings\n"
    assert bot.run("diff", "fetched.yml") == "2 declared templates, 0 differences\n"
    assert [line for line in bot.run("pull", input="n\n", status=1).splitlines() if "declared:" in line] == [
        "      declared: APPROVED",
        "      declared: APPROVED",
    ]


def test_an_approved_template_is_edited_once_a_day(bot: Bot) -> None:
    """Meta's refusal is told with its words."""
    bot.declare(NEWS.replace("here", "there"))
    bot.run("push", "--yes")
    bot.set_status("news", "en", "APPROVED")
    bot.declare(NEWS.replace("here", "in the hall"))
    output = bot.run("push", "--yes", status=1).splitlines()
    assert output[2].startswith("news (en): Meta's error 100")
    assert "24 hours" in output[2]
