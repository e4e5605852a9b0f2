"""What the running bot costs, as an operator asks for it: inside the window, and by a template outside of it."""

from __future__ import annotations

import csv
import io

from click.testing import CliRunner

from rasa_whatsapp.cli import main

from .conftest import Phone, eventually


def told(path):
    """Return what `rasa-whatsapp costs` tells of a bot's store, by country, category and template."""
    (path.parent / "costs.yml").write_text(
        "rasa_whatsapp.WhatsAppInput:\n  phone_number_id: 100000000000001\n  access_token: x\n  app_secret: x\n"
        f"  verify_token: x\n  database_url: sqlite:///{path}\n"
    )
    asked = ["--by", "country", "--by", "category", "--by", "template", "--format", "csv"]
    result = CliRunner().invoke(main, ["costs", *asked, "--credentials", str(path.parent / "costs.yml")])
    assert result.exit_code == 0, result.output
    rows = csv.DictReader(io.StringIO(result.stdout))
    return {(row["country"], row["category"], row["template"]): int(row["messages"]) for row in rows}


def test_what_the_bot_said_is_counted(bot, world):
    """By what the statuses say: an answer as a service message, a reminder a day later as its template."""
    path = bot.log_path("rasa").parent.parent / "whatsapp.sqlite"
    phone = Phone(world.url, "33600000001")  # nobody else here is in France
    phone.write("Hello")
    phone.wait_for(1)
    phone.write("Remind me tomorrow about order 1002")
    answers = len(phone.wait_for(2))
    world.advance(hours=25)
    reminder = phone.wait_for(answers + 1)[-1]
    expected = {("FR", "service", ""): answers, ("FR", "utility", reminder["template"]["name"]): 1}
    eventually(
        lambda: {key: count for key, count in told(path).items() if key[0] == "FR"} == expected, lambda: str(expected)
    )
