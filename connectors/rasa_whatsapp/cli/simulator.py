"""`rasa-whatsapp simulator`: options and environment to settings, then serve until interrupted."""

from __future__ import annotations

import asyncio
import errno
import gc
import importlib
import logging
import re
import signal
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from aiohttp import web

from rasa_whatsapp.simulator.app import create_app
from rasa_whatsapp.simulator.catalogue import TemplatesInvalid
from rasa_whatsapp.simulator.guard import is_loopback
from rasa_whatsapp.simulator.identifiers import to_wa_id
from rasa_whatsapp.simulator.settings import Number, Provider, Settings, WindowErrors, webhook_problem
from rasa_whatsapp.simulator.storage import StorageUnusable

DEFAULT = Settings()


class CannotStart(click.ClickException):
    """What keeps the simulator from starting, with a remedy."""

    exit_code = 2


def _webhook(ctx: click.Context, param: click.Parameter, value: str) -> str:
    problem = webhook_problem(value)
    if problem is not None:
        raise click.BadParameter(f"{problem}, for instance {DEFAULT.webhook_url}")
    return value


def _number(ctx: click.Context, param: click.Parameter, value: str) -> str:
    digits = to_wa_id(value)
    if digits is None:
        raise click.BadParameter(
            f"is no phone number with its country code, for instance {DEFAULT.display_phone_number}"
        )
    return digits


def _more_numbers(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[Number, ...]:
    """Read `ID:DISPLAY` or `ID:DISPLAY:TOKEN`; without a token, the common one opens the number."""
    return tuple(_more_number(ctx, param, value) for value in values)


def _more_number(ctx: click.Context, param: click.Parameter, value: str) -> Number:
    number_id, _, rest = value.partition(":")
    display, _, token = rest.partition(":")
    if not number_id.isdecimal() or not display:
        raise click.BadParameter("is written ID:DISPLAY, for instance 100000000000002:4930901820001")
    return Number(id=number_id, display=_number(ctx, param, display), token=token)


def _header(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]+", value):
        raise click.BadParameter(f"is no name of a header, for instance {DEFAULT.webhook_secret_header}")
    return value


@click.command(context_settings={"show_default": True, "max_content_width": 110})
@click.option("--host", default="127.0.0.1", help="Address to listen on. Others than loopback are open to the network.")
@click.option("--port", default=8090, type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
@click.option("--webhook", default=DEFAULT.webhook_url, callback=_webhook, metavar="URL", help="The bot's webhook.")
@click.option(
    "--phone-number-id",
    envvar="WHATSAPP_PHONE_NUMBER_ID",
    show_envvar=True,
    default=DEFAULT.phone_number_id,
    help="Id of the business number.",
)
@click.option(
    "--business-account-id",
    envvar="WHATSAPP_BUSINESS_ACCOUNT_ID",
    show_envvar=True,
    default=DEFAULT.business_account_id,
    help="Id of the business account.",
)
@click.option(
    "--app-id",
    envvar="WHATSAPP_APP_ID",
    show_envvar=True,
    default=DEFAULT.app_id,
    help="Id of the app that files are uploaded for.",
)
@click.option(
    "--display-phone-number",
    default=DEFAULT.display_phone_number,
    callback=_number,
    help="The business number, with its country code.",
)
@click.option(
    "--number",
    "numbers",
    multiple=True,
    callback=_more_numbers,
    metavar="ID:DISPLAY[:TOKEN]",
    show_default="one number only",
    help="A further business number; can be given several times.",
)
@click.option(
    "--access-token",
    envvar="WHATSAPP_ACCESS_TOKEN",
    show_envvar=True,
    default=DEFAULT.access_token,
    show_default="a demo value",
    help="Token that the bot must send.",
)
@click.option(
    "--app-secret",
    envvar="WHATSAPP_APP_SECRET",
    show_envvar=True,
    default=DEFAULT.app_secret,
    show_default="a demo value",
    help="Secret that signs the webhooks.",
)
@click.option(
    "--verify-token",
    envvar="WHATSAPP_VERIFY_TOKEN",
    show_envvar=True,
    default=DEFAULT.verify_token,
    show_default="a demo value",
    help="Token of the webhook's subscription challenge.",
)
@click.option(
    "--provider",
    type=click.Choice([provider.value for provider in Provider]),
    default=DEFAULT.provider.value,
    help="Who brings the webhooks: Meta, signed; or 360dialog, with a secret in a header.",
)
@click.option(
    "--webhook-secret",
    envvar="WHATSAPP_WEBHOOK_SECRET",
    show_envvar=True,
    default=DEFAULT.webhook_secret,
    show_default="a demo value",
    help="Secret in the webhooks that 360dialog brings.",
)
@click.option(
    "--webhook-secret-header",
    default=DEFAULT.webhook_secret_header,
    callback=_header,
    metavar="NAME",
    help="Header that carries it.",
)
@click.option(
    "--templates",
    type=click.Path(path_type=Path),
    metavar="PATH",
    show_default="no templates",
    help="YAML file with the approved templates, or a folder of them.",
)
@click.option(
    "--database",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    show_default="in memory",
    help="SQLite file that keeps chats, clock and undelivered webhooks over a restart.",
)
@click.option(
    "--window-errors",
    type=click.Choice([mode.value for mode in WindowErrors]),
    default=DEFAULT.window_errors.value,
    help="How a free-form message outside the care window is refused: by a failed status, or at once by HTTP.",
)
@click.option(
    "--throughput",
    type=click.IntRange(0),
    default=DEFAULT.throughput,
    metavar="N",
    help="Messages per second of each number, in and out; more are refused with 130429. 0: no limit.",
)
@click.option(
    "--pair-rate/--no-pair-rate",
    default=DEFAULT.pair_rate,
    help="One message per 6 s to one customer with a burst of 45; more are refused with 131056.",
)
@click.option(
    "--webhooks-at-once",
    type=click.IntRange(1, 1000),
    default=DEFAULT.webhooks_at_once,
    metavar="N",
    help="So many webhooks may be unanswered at the same time.",
)
@click.option(
    "--batch-webhooks",
    type=click.IntRange(1, 1000),
    default=DEFAULT.statuses_in_webhook,
    metavar="N",
    help="Up to so many statuses share a webhook.",
)
@click.option(
    "--longest-pause",
    type=click.FloatRange(0, 3600),
    default=DEFAULT.redelivery_pauses_seconds[-1],
    metavar="SECONDS",
    help="A webhook that was not taken comes again after this time at the latest.",
)
@click.option(
    "--review-seconds",
    type=click.FloatRange(0),
    default=DEFAULT.review_seconds,
    metavar="SECONDS",
    help="A template that was created or edited is approved after this time of the simulated clock.",
)
@click.option("--manual-review", is_flag=True, help="Leave templates in review until somebody decides on the page.")
@click.option("--api-version", show_default="any", help="Accept this Graph version only, such as v26.0.")
def command(host: str, port: int, **options: Any) -> None:
    """Play WhatsApp on this machine: Graph API, webhooks, a phone page.

    Open the printed address in a browser to chat as a customer. Any Graph version (vNN.0) is accepted.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    settings = Settings(
        webhook_url=options["webhook"],
        phone_number_id=options["phone_number_id"],
        business_account_id=options["business_account_id"],
        app_id=options["app_id"],
        display_phone_number=options["display_phone_number"],
        access_token=options["access_token"],
        more_numbers=_with_tokens(options["numbers"], options["access_token"]),
        app_secret=options["app_secret"],
        verify_token=options["verify_token"],
        provider=Provider(options["provider"]),
        webhook_secret=options["webhook_secret"],
        webhook_secret_header=options["webhook_secret_header"],
        templates_path=options["templates"],
        database_path=options["database"],
        window_errors=WindowErrors(options["window_errors"]),
        api_version=options["api_version"],
        throughput=options["throughput"],
        pair_rate=options["pair_rate"],
        webhooks_at_once=options["webhooks_at_once"],
        statuses_in_webhook=options["batch_webhooks"],
        review_seconds=None if options["manual_review"] else options["review_seconds"],
        redelivery_pauses_seconds=_pauses(options["longest_pause"]),
        loopback_only=is_loopback(host),
    )
    if len({number.id for number in settings.numbers}) < len(settings.numbers):
        raise CannotStart("Two business numbers have the same id. Give each --number an id of its own.")
    try:
        _runner()(_serve(settings, host, port))
    except (TemplatesInvalid, StorageUnusable) as error:
        raise CannotStart(str(error)) from None
    except OSError as error:
        raise CannotStart(_address_problem(error, host, port)) from None


def _pauses(longest: float) -> tuple[float, ...]:
    return tuple(min(pause, longest) for pause in DEFAULT.redelivery_pauses_seconds)


def _runner() -> Callable[[Coroutine[Any, Any, None]], None]:
    """Return what runs the simulator: uvloop, if somebody else has brought it, serves half as many again."""
    try:
        run: Callable[[Coroutine[Any, Any, None]], None] = importlib.import_module("uvloop").run
    except (ImportError, AttributeError):
        return asyncio.run
    return run


def _with_tokens(numbers: tuple[Number, ...], common: str) -> tuple[Number, ...]:
    return tuple(replace(number, token=number.token or common) for number in numbers)


async def _serve(settings: Settings, host: str, port: int) -> None:
    runner = web.AppRunner(create_app(settings), access_log=None, shutdown_timeout=2)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await runner.setup()
    # Thousands of messages are kept, and hardly anything goes in circles: looking for circles may wait.
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    try:
        await web.TCPSite(runner, host, port).start()
        address = f"http://{_reachable(host)}:{runner.addresses[0][1]}"
        click.echo(f"Phone page:  {address}/")
        click.echo("\n".join(_doors(settings, address)))
        click.echo(f"Webhooks to: {settings.webhook_url}")
        await stopped.wait()
    finally:
        await runner.cleanup()
    click.echo("Stopped.")


def _doors(settings: Settings, address: str) -> list[str]:
    """Return where the bot sends to, by provider and number."""
    if settings.provider is Provider.DIALOG_360:
        return [f"360dialog:   {address}/messages"]
    version = settings.api_version or "v26.0"
    return [f"Graph API:   {address}/{version}/{number.id}/messages" for number in settings.numbers]


def _reachable(host: str) -> str:
    """Return how a browser on this machine names the host that was bound."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _address_problem(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken. Stop what uses it, or choose another with --port."
    return f"Cannot listen on {host} port {port}: {error.strerror or error}. Choose others with --host and --port."
