"""The order's state: which number the customer means (two forms), and what the shop says about it.

The actions put facts into slots; every sentence stands in the domain.
"""

from __future__ import annotations

import logging
import sqlite3
from typing import Any

from rasa_sdk import Action, FormValidationAction, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.orders import Order, shop_from_environment, to_order_number
from actions.reminders import close_question, open_question
from rasa_whatsapp.clock import from_environment

logger = logging.getLogger(__name__)

OPENING_INTENTS = ("ask_order_state", "remind_me")


class OrderNumberCheck:
    """What both forms ask of an order number: its shape, and that the shop knows it."""

    def validate_order_number(
        self, slot_value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the number, or what is wrong with it: `format` or `unknown`; `none` if no number was tried."""
        number = to_order_number(str(slot_value))
        if number is None:
            mistake = "none" if _is_the_question_again(str(slot_value), tracker) else "format"
            return {"order_number": None, "order_problem": mistake}
        try:
            known = shop_from_environment().find(number) is not None
        except (sqlite3.Error, OSError) as problem:
            # The number may be right: the look-up that follows says that the shop cannot be asked.
            logger.warning("The order database cannot be read (%s).", type(problem).__name__)
            known = True
        if not known:
            return {"order_number": None, "order_problem": "unknown"}
        return {"order_number": number, "order_problem": "none"}


class ValidateOrderForm(OrderNumberCheck, FormValidationAction):
    """Checks the number in the form for the order's state."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "validate_order_form"


class ValidateReminderForm(OrderNumberCheck, FormValidationAction):
    """Checks the number in the form for a reminder; asks only if no order was spoken of."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "validate_reminder_form"

    async def required_slots(
        self, domain_slots: list[str], dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[str]:
        """Return nothing to ask when the order is known and no other number was given."""
        is_asking = tracker.get_slot("requested_slot") == "order_number"
        number_given = tracker.get_slot("order_number") is not None or tracker.get_slot("order_problem") != "none"
        if tracker.get_slot("order_id") and not is_asking and not number_given:
            return []
        return domain_slots


def _is_the_question_again(text: str, tracker: Tracker) -> bool:
    """Tell whether the customer asked once more, e.g. "Where is my order?", instead of trying a number."""
    has_digit = any(character.isdigit() for character in text)
    return tracker.latest_message.get("intent", {}).get("name") in OPENING_INTENTS and not has_digit


class ActionLookUpOrder(Action):
    """Looks the order up and leaves the question open whether all is settled."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_look_up_order"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        """Return the order's facts as slots; no question stays open when the shop cannot be asked."""
        number = tracker.get_slot("order_number") or tracker.get_slot("order_id") or ""
        try:
            order = shop_from_environment().find(number)
        except (sqlite3.Error, OSError) as problem:
            logger.warning("The order database cannot be read (%s).", type(problem).__name__)
            order = None
        if order is None:
            return [SlotSet("order_number", None), SlotSet("order_state", "asked"), *close_question()]
        facts = _facts(order, tracker.get_slot("language") or "en")
        question = open_question(order.number, from_environment().now())
        return [*(SlotSet(name, value) for name, value in facts.items()), *question]


def _facts(order: Order, language: str) -> dict[str, str | None]:
    return {
        "order_number": None,
        "order_id": order.number,
        "order_item": order.item(language),
        "order_state": order.state.value,
        "order_tracking": order.tracking,
    }
