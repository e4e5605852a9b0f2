"""What may be logged of a failure: its kind and where it happened, never its text, which can hold a customer's words.

Of the store's failures its cause, in words, and not for each of the many who met it: at most once in ten seconds.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from sqlalchemy.exc import OperationalError, SQLAlchemyError

from rasa_whatsapp.storage import causes

_MOST_FRAMES = 8
_SILENT_SECONDS = 10.0


def trace(problem: BaseException) -> str:
    """Return the class of an exception and the places it came through, the innermost last."""
    frames = traceback.extract_tb(problem.__traceback__)[-_MOST_FRAMES:]
    places = " > ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
    return f"{type(problem).__name__} at {places}" if places else type(problem).__name__


class Failures:
    """Logs failures; those of the store, which everybody meets at once while it is away, with their cause and not each of them.

    For each sentence and cause one is told in ten seconds, with how many were left out since the one before.
    """

    def __init__(self, logger: logging.Logger, now: Callable[[], float] = monotonic) -> None:
        self._logger = logger
        self._now = now
        self._told: dict[tuple[str, str], tuple[float, int]] = {}  # when last, and how many were left out since

    def error(self, sentence: str, *about: object, problem: BaseException, action: str) -> None:
        """Log an error; the sentence ends with a %s for the failure."""
        self._tell(logging.ERROR, sentence, about, problem, action)

    def warning(self, sentence: str, *about: object, problem: BaseException, action: str) -> None:
        """Log a warning, as `error` does."""
        self._tell(logging.WARNING, sentence, about, problem, action)

    def _tell(self, level: int, sentence: str, about: tuple[object, ...], problem: BaseException, action: str) -> None:
        cause = causes.where_and_why(problem) if isinstance(problem, SQLAlchemyError) else None
        told = cause or trace(problem)
        if cause or isinstance(problem, OperationalError):
            left_out = self._left_out((sentence, told))
            if left_out is None:
                return
            told += f" ({left_out} more like this were left out)" if left_out else ""
        self._logger.log(level, sentence, *about, told, extra={"action": action})

    def _left_out(self, key: tuple[str, str]) -> int | None:
        """Return how many were left out since it was told last, or None if this one is left out, too."""
        now = self._now()
        told_at, left_out = self._told.get(key, (now - _SILENT_SECONDS, 0))
        is_told = now - told_at >= _SILENT_SECONDS
        self._told[key] = (now, 0) if is_told else (told_at, left_out + 1)
        return left_out if is_told else None
