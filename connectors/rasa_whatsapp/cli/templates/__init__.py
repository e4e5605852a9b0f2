"""`rasa-whatsapp templates`: the templates that are declared beside the bot, and those that Meta has. One file per command."""

from __future__ import annotations

import click

from rasa_whatsapp.cli.templates import delete, diff, lint, preview, pull, push, schema, status, sync


@click.group("templates")
def command() -> None:
    """Check the templates that are declared beside the bot; compare them with Meta's, hand them in, fetch or delete them."""


command.add_command(lint.command)
command.add_command(status.command)
command.add_command(sync.command)
command.add_command(diff.command)
command.add_command(push.command)
command.add_command(pull.command)
command.add_command(preview.command)
command.add_command(schema.command)
command.add_command(delete.command)
