"""`rasa-whatsapp intake`: serve the webhook without Rasa, over the store that the Rasa servers drain."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

import click

from rasa_whatsapp.cli import credentials
from rasa_whatsapp.clock import Clock, from_environment
from rasa_whatsapp.config import Settings
from rasa_whatsapp.errors import StoreOutdated
from rasa_whatsapp.storage.database import Database


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
    _use_uvloop()
    database = Database(settings["database_url"])
    try:
        database.prepare()
        _serve(settings, database, clock, host, port)
    except (StoreOutdated, OSError) as problem:
        raise click.ClickException(str(problem)) from problem
    finally:
        database.close()


def _serve(settings: Settings, database: Database, clock: Clock, host: str, port: int) -> None:
    from aiohttp import web

    from rasa_whatsapp.serving import Intake

    click.echo(f"Webhooks: http://{host}:{port}/webhooks/whatsapp/webhook")
    sys.stdout.flush()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)

    async def application() -> web.Application:
        return Intake(settings, database, clock).application()

    web.run_app(application(), host=host, port=port, print=None, access_log=None, loop=loop)


def _use_uvloop() -> None:
    """Take the faster event loop, if it is there: Rasa brings it."""
    try:
        import uvloop
    except ImportError:
        return
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
