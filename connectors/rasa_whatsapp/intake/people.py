"""Take in what a webhook tells about a customer beside messages: preferences, new names, a human's answers, calls."""

from __future__ import annotations

from rasa_whatsapp.cloud.inbound import Called, EchoSent, IdentityChanged, PreferenceChanged
from rasa_whatsapp.intake.desk import Desk
from rasa_whatsapp.policy.consent import Choice, ConsentGiven, Scope
from rasa_whatsapp.storage import contacts, identity, inbox
from rasa_whatsapp.storage.inbox import Kind, State

_PREFERENCES = {"stop": Choice.OPT_OUT, "resume": Choice.OPT_IN, "signup": Choice.OPT_IN}


def take_preference(desk: Desk, event: PreferenceChanged) -> None:
    """Note what the customer chose with WhatsApp's own control over marketing messages."""
    choice = _PREFERENCES.get(event.value)
    if choice is None:
        desk.keep(event, State.IGNORED, f"the marketing preference {event.value[:32]} is not known")
        return
    contact_id = desk.identify(event.number_id, event.sender, event.at)
    at = min(event.at, desk.now)
    given = ConsentGiven(scope=Scope.MARKETING, choice=choice, at=at, source="user_preferences", evidence=event.value)
    contacts.record_consent(desk.connection, contact_id, given)


def take_identity(desk: Desk, event: IdentityChanged) -> None:
    """Let the conversations follow a customer who has another user id now: it is the same for all numbers of a business."""
    found = [
        identity.succeed(desk.connection, number_id, event.before, event.after, at=event.at, now=desk.now)
        for number_id in desk.rules.number_ids
    ]
    known = [identified.contact_id for identified in found if identified is not None]
    for contact_id in known:
        desk.owe(contact_id)
    desk.keep(event, State.IGNORED, "the customer's new id is noted" if known else "the customer never wrote")


def take_echo(desk: Desk, event: EchoSent) -> None:
    """A human answered from the app: the bot is silent in this chat for a while, also with what it had ready."""
    if inbox.is_known(desk.connection, event.number_id, event.message_id):
        return
    contact_id = desk.identify(event.number_id, event.to, event.at)
    contacts.pause(desk.connection, contact_id, min(event.at, desk.now) + desk.rules.pause_after_human)
    desk.keep(event, State.IGNORED, "a human answered from the app")


def take_call(desk: Desk, event: Called) -> None:
    """A call of the customer opens the window; it is a turn if `turns_for` says so."""
    if inbox.is_known(desk.connection, event.number_id, event.message_id):
        return
    contact_id = desk.identify(event.number_id, event.sender, event.at)
    if event.opens_window:
        desk.open_window(contact_id, event.at)
    is_turn = event.opens_window and "call" in desk.rules.turns_for
    no_turn = None if is_turn else "a call is no turn; turns_for could name it"
    desk.line_up(contact_id, event, Kind.CALL, sent_at=event.at, no_turn=no_turn)
