"""The `rasa-whatsapp` command: one file per command, each loaded only when it is asked for.

Nothing here imports Rasa, so `rasa-whatsapp --help` answers at once.
"""

from __future__ import annotations

from importlib import import_module

import click

from rasa_whatsapp import __version__

# command -> (module below this package, the line that --help shows)
COMMANDS: dict[str, tuple[str, str]] = {
    "check": ("check", "Show the configuration, or all that is wrong with it and with the bot's responses."),
    "cluster": (
        "cluster",
        "Start a whole deployment of the bot in this folder: two Rasa servers, intake, databases, proxy.",
    ),
    "costs": ("costs", "Count what arrived: what Meta charges, what is free and why, by category, country and more."),
    "db": ("db", "Show the version of the store's tables; bring them up to date."),
    "demo": ("demo", "Start simulator, action server and Rasa for the bot in this folder."),
    "follow-ups": ("follow_ups", "List the bot's follow-ups, cancel them, or fire them now."),
    "inbox": ("inbox", "Show parked messages, replay or discard them."),
    "intake": ("intake", "Serve the webhook without Rasa, over the store that the Rasa servers drain."),
    "outbox": ("outbox", "Show what the bot said and what became of it, above all what did not go, and why."),
    "simulator": ("simulator", "Play WhatsApp on this machine: Graph API, webhooks, a phone page."),
    "templates": (
        "templates",
        "Check the declared templates; compare them with Meta's, hand them in, fetch or delete them.",
    ),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they run, not when the group is listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the command names in alphabetical order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of the command and return the `command` it defines."""
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        command = import_module(f"rasa_whatsapp.cli.{module}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command list from the table above, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in sorted(COMMANDS)])


@click.group(cls=LazyGroup)
@click.version_option(__version__, prog_name="rasa-whatsapp")
def main() -> None:
    """WhatsApp channel for Rasa."""
