"""What Rasa passes over in silence while it takes a turn, made loud: then the turn did not really run, and is taken again.

Rasa goes on without the custom action if the action server is away, with an empty conversation if the tracker store cannot be read,
and with one in memory if it cannot be written. During our turns, and only then, this interrupts the turn instead.
https://github.com/RasaHQ/rasa/blob/3.6.x/rasa/core/processor.py (_run_action), rasa/core/tracker_store.py (FailSafeTrackerStore)
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import aiohttp
from rasa.core.actions.action import RemoteAction
from rasa.core.tracker_store import FailSafeTrackerStore
from rasa.shared.exceptions import RasaException

from rasa_whatsapp.errors import DialogueUnavailable

_in_our_turn: ContextVar[bool] = ContextVar("in_our_turn", default=False)

_RASAS_RUN = RemoteAction.run
_RASAS_SAVE_ERROR = FailSafeTrackerStore.on_tracker_store_error
_RASAS_READ_ERROR = FailSafeTrackerStore.on_tracker_store_retrieve_error


class Interrupted(BaseException):
    """A turn cannot go on. No Exception, since Rasa catches these around each action, and goes on."""


@contextmanager
def really_taken() -> Iterator[None]:
    """Raise DialogueUnavailable if what runs in here did not really run."""
    token = _in_our_turn.set(True)
    try:
        yield
    except Interrupted as why:
        raise DialogueUnavailable(str(why)) from why.__cause__
    finally:
        _in_our_turn.reset(token)


def install() -> None:
    """Let Rasa's failures interrupt our turns; doing it twice changes nothing."""
    RemoteAction.run = _run
    FailSafeTrackerStore.on_tracker_store_error = _on_save_error
    FailSafeTrackerStore.on_tracker_store_retrieve_error = _on_read_error


async def _run(self: RemoteAction, *args: Any, **kwargs: Any) -> Any:
    try:
        return await _RASAS_RUN(self, *args, **kwargs)
    except (RasaException, asyncio.TimeoutError) as problem:
        if _in_our_turn.get() and _is_away(problem.__cause__ or problem.__context__ or problem):
            raise Interrupted(f"the action server did not answer {self.name()}") from problem
        raise


def _is_away(cause: BaseException) -> bool:
    """Tell whether the action server was not there, or died with the action; an action that raises answers 500 all the same."""
    status = getattr(cause, "status", None)  # of Rasa's own ClientResponseError, which is another one than aiohttp's
    if status is not None:
        return status in (502, 503, 504)
    return isinstance(cause, (aiohttp.ClientError, asyncio.TimeoutError, OSError))


def _on_save_error(self: FailSafeTrackerStore, error: Exception) -> None:
    if _in_our_turn.get():
        raise Interrupted("the tracker store could not be written") from error
    _RASAS_SAVE_ERROR(self, error)


def _on_read_error(self: FailSafeTrackerStore, error: Exception) -> None:
    if _in_our_turn.get():
        raise Interrupted("the tracker store could not be read") from error
    _RASAS_READ_ERROR(self, error)
