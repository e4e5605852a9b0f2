"""What may be logged of a failure: its kind and where it happened, never its text, which can hold a customer's words."""

from __future__ import annotations

import traceback
from pathlib import Path

_MOST_FRAMES = 8


def trace(problem: BaseException) -> str:
    """Return the class of an exception and the places it came through, the innermost last."""
    frames = traceback.extract_tb(problem.__traceback__)[-_MOST_FRAMES:]
    places = " > ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
    return f"{type(problem).__name__} at {places}" if places else type(problem).__name__
