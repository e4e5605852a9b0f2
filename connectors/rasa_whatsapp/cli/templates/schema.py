"""`rasa-whatsapp templates schema`: the JSON Schema of a catalogue, for editors."""

from __future__ import annotations

import json

import click

from rasa_whatsapp.cloud.templates.schema import schema


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of a file of declared templates, with which an editor completes and checks it."""
    click.echo(json.dumps(schema(), indent=2))
