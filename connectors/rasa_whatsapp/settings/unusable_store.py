"""Why the store that `database_url` names cannot be used, as a sentence for whoever starts something on it: its password is hidden."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from rasa_whatsapp.errors import StoreUnusable
from rasa_whatsapp.settings.setting import without_password
from rasa_whatsapp.storage.causes import cause_of


def explained(url: str, problem: StoreUnusable | SQLAlchemyError | OSError) -> str:
    """Return the setting, the cause and the remedy, as far as they are known."""
    named = f"database_url {without_password(url)}"
    if isinstance(problem, StoreUnusable):
        return f"{named}: {problem}"
    why = cause_of(problem) if isinstance(problem, SQLAlchemyError) else f"{problem.strerror} ({problem.filename})"
    return f"{named} cannot be used: {why}"
