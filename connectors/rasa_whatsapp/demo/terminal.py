"""Runs servers in the foreground of a terminal: trains, starts, shows their logs and where to look, stops on Ctrl-C.

Law: however it ends, nothing is left running; what was logged is shown to the end.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType

import click

from rasa_whatsapp.demo.bot import surroundings
from rasa_whatsapp.demo.console import LogFollower, banner
from rasa_whatsapp.demo.failures import DemoFailed, StopRequested
from rasa_whatsapp.demo.model import ensure_model, newest_model, reason_to_train
from rasa_whatsapp.demo.stack import Stack


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
        """Return whether we were asked twice."""
        return self.count > 1

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1


class Terminal:
    """The terminal that the servers of one run share."""

    def __init__(self) -> None:
        self._signals = StopSignals()
        self._coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._logs = LogFollower(partial(click.echo, nl=False), coloured=self._coloured)
        self.hurry = self._signals.hurry

    def tick(self) -> None:
        """Show what is new in the logs; raise StopRequested after a request to end."""
        self._logs.pump()
        self._signals.tick()

    def model(self, folder: Path, *, state: Path, force: bool) -> Path:
        """Return the bot's model, trained before our eyes if need be."""
        reason = "--train" if force else reason_to_train(folder)
        model = newest_model(folder)
        if model and not reason:
            return model
        click.echo(f"Training the model: {reason}. This takes a minute or two.")
        log = state / "logs" / "train.log"
        self._logs.follow({"train": log})
        model = ensure_model(folder, environment=surroundings(), force=True, log=log, tick=self.tick)
        self._logs.pump()
        click.echo(f"The model is {model.relative_to(folder)}.")
        return model

    def serve(
        self, stack: Stack, *, start: Callable[[], None], where: Sequence[str], then: Callable[[], None], logs: str
    ) -> None:
        """Start the stack, say `where` to look, do `then` until that raises, and stop the stack."""
        self._logs.follow({name: stack.log_path(name) for name in stack.servers})
        click.echo(f"Starting {', '.join(stack.servers)}. Their logs: {logs}/")
        try:
            start()
            self._logs.pump()
            click.echo(banner(where, coloured=self._coloured))
            then()
        finally:
            try:
                click.echo("\nStopping...")
            finally:  # also when the terminal is gone
                stack.close()
            self._logs.pump()


@contextmanager
def exit_codes() -> Iterator[None]:
    """End the command with the exit code of a failure, whose message is shown; a request to end is none."""
    try:
        yield
    except DemoFailed as failure:
        click.echo(click.style(f"\n{failure}", fg="red" if sys.stderr.isatty() else None), err=True)
        sys.exit(failure.exit_code)
    except StopRequested:
        click.echo("Stopped.")
