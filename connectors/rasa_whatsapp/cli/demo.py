"""`rasa-whatsapp demo`: options to a running bot with its simulator, until Ctrl-C.

Ends with 0 when stopped by Ctrl-C or SIGTERM, 1 when a server failed, 2 when this is no bot (or wrong usage), 3 when a port is
taken, 4 when a demo of this bot runs already, 5 when training failed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from rasa_whatsapp.demo.bot import bot_stack, command_beside, require_rasa
from rasa_whatsapp.demo.model import require_bot
from rasa_whatsapp.demo.ports import HOST, Ports
from rasa_whatsapp.demo.stack import START_LIMIT_SECONDS
from rasa_whatsapp.demo.state import STATE, forget, occupied
from rasa_whatsapp.demo.terminal import Terminal, exit_codes

F = TypeVar("F", bound=Callable[..., Any])


def _port(name: str, default: int) -> Callable[[F], F]:
    return click.option(
        f"--{name}-port",
        default=default,
        type=click.IntRange(1, 65535),
        envvar=f"RASA_WHATSAPP_DEMO_{name.upper()}_PORT",
        show_envvar=True,
        help=f"Port of the {name} server.",
    )


@click.command(context_settings={"show_default": True, "max_content_width": 110})
@_port("rasa", Ports().rasa)
@_port("actions", Ports().actions)
@_port("simulator", Ports().simulator)
@click.option("--train", is_flag=True, help="Train the model even when it is up to date.")
@click.option("--reset", is_flag=True, help=f"Forget all chats: empty {STATE} first.")
@click.option("--yes", is_flag=True, help="Do not ask before --reset.")
@click.option("--start-limit", default=START_LIMIT_SECONDS, help="Seconds that a server has for its start.")
def command(
    rasa_port: int,
    actions_port: int,
    simulator_port: int,
    *,
    train: bool,
    reset: bool,
    yes: bool,
    start_limit: float,
) -> None:
    """Chat with the bot in this folder on a simulated WhatsApp.

    Trains the model when needed, starts simulator, action server and Rasa, and shows their logs. The bot's real accounts and
    databases are left alone: in the demo its channel, tracker store and action endpoint are the demo's own (see .demo).
    """
    ports = Ports(rasa=rasa_port, actions=actions_port, simulator=simulator_port)
    if reset and not yes:
        click.confirm("Delete all chats, conversations and logs of the demo?", abort=True)
    with exit_codes():
        _run(Path.cwd(), ports, start_limit, train=train, reset=reset)


def _run(folder: Path, ports: Ports, start_limit: float, *, train: bool, reset: bool) -> None:
    """Run until stopped (StopRequested) or failed (DemoFailed); either way nothing is left running."""
    require_bot(folder)
    require_rasa(folder)
    terminal = Terminal()
    state, page = folder / STATE, f"http://{HOST}:{ports.simulator}"
    with occupied(state, f"process {os.getpid()}, {page}"):
        ports.check()
        if reset:
            forget(state)
        model = terminal.model(folder, state=state, force=train)
        stack = bot_stack(
            folder,
            state=state,
            ports=ports,
            model=model,
            limit_seconds=start_limit,
            tick=terminal.tick,
            hurry=terminal.hurry,
        )
        where = (
            f"Phone page:  {page}/",
            f"Commands:    {command_beside(ports.simulator, STATE)}",
            f"Ctrl-C stops the demo; chats stay in {STATE}.",
        )
        terminal.serve(stack, start=stack.start, where=where, then=stack.watch, logs=f"{STATE}/logs")
