"""`rasa-whatsapp demo`: options to a running bot with its simulator, until Ctrl-C.

Ends with 0 when stopped by Ctrl-C or SIGTERM, 1 when a server failed, 2 when this is no bot (or wrong usage), 3 when a port is
taken, 4 when a demo of this bot runs already, 5 when training failed.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import click

from rasa_whatsapp.demo.bot import bot_stack, require_rasa, surroundings
from rasa_whatsapp.demo.console import LogFollower, banner
from rasa_whatsapp.demo.failures import DemoFailed, StopRequested
from rasa_whatsapp.demo.model import ensure_model, newest_model, reason_to_train, require_bot
from rasa_whatsapp.demo.ports import HOST, Ports
from rasa_whatsapp.demo.stack import START_LIMIT_SECONDS
from rasa_whatsapp.demo.state import STATE, forget, occupied

F = TypeVar("F", bound=Callable[..., Any])


class StopSignals:
    """Counts the requests to end: the first ends in order, the second at once."""

    def __init__(self) -> None:
        self.count = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup and "&" want it
                signal.signal(number, self._note)

    def tick(self) -> None:
        """Raise StopRequested after a request."""
        if self.count:
            raise StopRequested

    def hurry(self) -> bool:
        """Return whether the demo was asked twice."""
        return self.count > 1

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1


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
    try:
        Demo(Path.cwd(), ports, start_limit).run(train=train, reset=reset)
    except DemoFailed as failure:
        click.echo(click.style(f"\n{failure}", fg="red" if sys.stderr.isatty() else None), err=True)
        sys.exit(failure.exit_code)
    except StopRequested:
        click.echo("Stopped.")


class Demo:
    """One run of the demo in one folder."""

    def __init__(self, folder: Path, ports: Ports, start_limit: float) -> None:
        self._folder = folder
        self._state = folder / STATE
        self._ports = ports
        self._start_limit = start_limit
        self._signals = StopSignals()
        self._coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._logs = LogFollower(partial(click.echo, nl=False), coloured=self._coloured)

    def run(self, *, train: bool, reset: bool) -> None:
        """Run until stopped (StopRequested) or failed (DemoFailed); either way nothing is left running."""
        require_bot(self._folder)
        require_rasa(self._folder)
        page = f"http://{HOST}:{self._ports.simulator}"
        with occupied(self._state, f"process {os.getpid()}, {page}"):
            self._ports.check()
            if reset:
                forget(self._state)
            model = self._model(force=train)
            self._serve(model, page)

    def _model(self, *, force: bool) -> Path:
        reason = "--train" if force else reason_to_train(self._folder)
        model = newest_model(self._folder)
        if model and not reason:
            return model
        click.echo(f"Training the model: {reason}. This takes a minute or two.")
        log = self._state / "logs" / "train.log"
        self._logs.follow({"train": log})
        model = ensure_model(self._folder, environment=surroundings(), force=True, log=log, tick=self._tick)
        self._logs.pump()
        click.echo(f"The model is {model.relative_to(self._folder)}.")
        return model

    def _serve(self, model: Path, page: str) -> None:
        stack = bot_stack(
            self._folder,
            state=self._state,
            ports=self._ports,
            model=model,
            limit_seconds=self._start_limit,
            tick=self._tick,
            hurry=self._signals.hurry,
        )
        self._logs.follow({name: stack.log_path(name) for name in stack.servers})
        click.echo(f"Starting {', '.join(stack.servers)}. Their logs: {STATE}/logs/")
        try:
            stack.start()
            self._logs.pump()
            click.echo(banner(page, state=STATE, coloured=self._coloured))
            stack.watch()
        finally:
            try:
                click.echo("\nStopping...")
            finally:  # also when the terminal is gone
                stack.close()
            self._logs.pump()

    def _tick(self) -> None:
        self._logs.pump()
        self._signals.tick()
