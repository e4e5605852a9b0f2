"""What may be logged of a failure: its kind and where it happened, never its text, which can hold a customer's words."""

from __future__ import annotations

import traceback


def trace(problem: BaseException) -> str:
    """Return the name of an exception's class and the frames that it came through."""
    frames = "".join(traceback.format_tb(problem.__traceback__))
    return f"{type(problem).__name__}\n{frames}".rstrip()
