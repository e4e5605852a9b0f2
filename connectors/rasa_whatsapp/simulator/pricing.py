"""What a message costs, as its statuses announce it (fact sheet 7.3).

Pure. From October 2026 on messages inside the window are charged too (secondary sources); the monthly free quota of
service messages is not played.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

WINDOW_CHARGED_FROM = datetime(2026, 10, 1, tzinfo=timezone.utc).timestamp()


def pricing(category: str | None, window_open: bool, timestamp: float) -> dict[str, Any]:
    """Return the `pricing` object of a template of a category, or of a free-form message (None)."""
    name = "service" if category is None else category.lower()
    free = window_open and name in ("service", "utility") and timestamp < WINDOW_CHARGED_FROM
    return {
        "billable": not free,
        "pricing_model": "PMP",
        "type": "free_customer_service" if free else "regular",
        "category": name,
    }
