"""What can keep a demo from running, each with the exit code that `rasa-whatsapp demo` or `cluster` ends with."""

from __future__ import annotations


class DemoFailed(Exception):
    """The demo cannot go on; the message says what happened and what to do."""

    exit_code = 1


class ServerFailed(DemoFailed):
    """A server ended, or did not answer in time."""


class NotABot(DemoFailed):
    """The folder holds no Rasa bot, or Rasa is not installed beside us."""

    exit_code = 2


class PortTaken(DemoFailed):
    """Something else listens on a port that a server needs."""

    exit_code = 3


class AlreadyRunning(DemoFailed):
    """Another demo uses the same state folder."""

    exit_code = 4


class TrainingFailed(DemoFailed):
    """`rasa train` ended without a model."""

    exit_code = 5


class StepFailed(DemoFailed):
    """A step between the starts of two servers failed, such as making a database."""


class ProgramMissing(DemoFailed):
    """A program that is no part of this package is not installed."""

    exit_code = 6


class StopRequested(Exception):
    """Somebody asked the demo to end: Ctrl-C or SIGTERM. Not a failure."""
