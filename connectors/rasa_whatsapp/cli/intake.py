"""`rasa-whatsapp intake`: serve the webhook without Rasa, over the store that the Rasa servers drain."""

from __future__ import annotations

import logging
import socket
import sys
from pathlib import Path

import click

from rasa_whatsapp.cli import credentials, store
from rasa_whatsapp.clock import Clock, from_environment
from rasa_whatsapp.config import Settings
from rasa_whatsapp.storage.database import Database

_SWITCH_SECONDS = 0.0005


@click.command("intake")
@credentials.option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option("--port", type=click.IntRange(1, 65535), default=5006, show_default=True)
def command(path: Path, host: str, port: int) -> None:
    """Serve /webhooks/whatsapp/webhook (and /ready) without Rasa: Meta is answered when a message is durable.

    The Rasa servers with the same database_url take the turns. On an SQLite file that is one server, on PostgreSQL as many as you like.
    """
    settings = credentials.load_or_exit(path)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s  %(message)s")
    try:
        clock = from_environment()
    except ValueError as problem:
        raise click.ClickException(str(problem)) from problem
    _refuse_taken(host, port)
    with store.told(settings) as database:
        database.prepare()
        _serve(settings, database, clock, host, port)


def _refuse_taken(host: str, port: int) -> None:
    """End the command if the address cannot be listened on, before anything is said of it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
        except OSError as problem:
            raise click.ClickException(f"--host {host} --port {port}: {problem.strerror}; choose others") from None


def _serve(settings: Settings, database: Database, clock: Clock, host: str, port: int) -> None:
    import uvicorn

    from rasa_whatsapp.serving import Intake

    # The store's thread waits for the interpreter after each of its calls, the loop gives it away when it must: sooner, so
    # that those who wait for a commit do not wait for that (a third more posts a second on PostgreSQL: docs/benchmarks.md).
    sys.setswitchinterval(_SWITCH_SECONDS)
    click.echo(f"Webhooks: http://{host}:{port}/webhooks/whatsapp/webhook")
    # The faster loop and parser are taken if they are there, as they are beside Rasa.
    uvicorn.run(
        Intake(settings, database, clock),
        host=host,
        port=port,
        ws="none",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=10,
    )
