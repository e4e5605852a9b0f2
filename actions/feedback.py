"""Feedback on the care desk: which intent the customer's tap or words had becomes a row in the shop's database."""

from __future__ import annotations

import logging
import sqlite3
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher

from actions.orders import shop_from_environment
from actions.reminders import close_question
from rasa_whatsapp.clock import from_environment

logger = logging.getLogger(__name__)

RATINGS = {"feedback_good": "good", "feedback_bad": "bad"}


class ActionSaveFeedback(Action):
    """Keeps the rating with the order that was last spoken of."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_save_feedback"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        """Store the rating; the customer is thanked also when it cannot be stored. A rating answers the open question."""
        rating = RATINGS.get(tracker.latest_message.get("intent", {}).get("name", ""))
        if rating is not None:
            _keep(rating, tracker.get_slot("order_id"))
        return close_question()


def _keep(rating: str, order_number: str | None) -> None:
    try:
        shop_from_environment().keep_feedback(rating, order_number=order_number, given_at=from_environment().now())
    except (sqlite3.Error, OSError) as problem:
        logger.warning("A rating could not be stored (%s).", type(problem).__name__)
