"""What taking in one webhook body shares: the transaction, the rules, the moment, and whose lanes have work afterwards."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from rasa_whatsapp.cloud.inbound import Called, Event, MessageReceived, PreferenceChanged, Sender, StatusChanged
from rasa_whatsapp.policy.consent import OPT_IN_KEYWORDS, OPT_OUT_KEYWORDS
from rasa_whatsapp.storage import contacts, identity, inbox, lanes, parked
from rasa_whatsapp.storage.inbox import Kind, NewRow, State


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeRules:
    """Which numbers and templates are ours, which words opt out or in, what is a turn, how long a human keeps the bot silent.

    `account_id` is the business account that has our templates; None: webhooks about any account's count.
    `turns_for` names kinds that are no turn by themselves: reaction, edit, revoke, system, call. `send_age_limit` is how long a
    message that failed is worth sending again, `parked` how long one is kept that waits for the customer to write; None: none is.
    `direct_send` when Meta's Direct Send is switched on.
    """

    number_ids: Sequence[str]
    account_id: str | None = None
    opt_out_keywords: Sequence[str] = OPT_OUT_KEYWORDS
    opt_in_keywords: Sequence[str] = OPT_IN_KEYWORDS
    turns_for: Collection[str] = ()
    pause_after_human: timedelta = timedelta(hours=1)
    send_age_limit: timedelta = timedelta(hours=23)
    parked: timedelta | None = None
    direct_send: bool = False

    @property
    def later_rungs(self) -> bool:
        """Tell whether the ladder has rungs after a response's templates."""
        return self.direct_send or self.parked is not None


@dataclass(frozen=True, slots=True)
class Claimant:
    """Which server may claim the lanes of turns and of sends that get work, if it has places free for them."""

    turns: str | None = None
    sends: str | None = None


NOBODY = Claimant()


@dataclass(slots=True)
class TakenIn:
    """Which lanes were claimed; `moved` are contacts whose deliveries, if they wait, may be ready before their time."""

    turns: list[str] = field(default_factory=list)
    sends: list[str] = field(default_factory=list)
    moved: set[str] = field(default_factory=set)

    def add(self, other: TakenIn) -> None:
        """Take in what another one tells."""
        self.turns += other.turns
        self.sends += other.sends
        self.moved |= other.moved


@dataclass(slots=True)
class Desk:
    """Where events are taken in. `turns` and `sends` name the contacts who have something to be done afterwards."""

    connection: Connection
    rules: IntakeRules
    now: datetime
    turns: set[str] = field(default_factory=set)
    sends: set[str] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)

    def owe(self, contact_id: str) -> None:
        """Let the contact's delivery look for work: there may be a message more."""
        self.sends.add(contact_id)

    def move(self, contact_id: str) -> None:
        """Let the contact's delivery look again if it waits: a message is where it was not before."""
        self.moved.add(contact_id)

    def wake(self, claimant: Claimant) -> TakenIn:
        """Wake the lanes of all who have something to be done.

        Deliveries that wait are left to a transaction of their own: whoever sends holds lanes and then changes contacts, here it is
        the other way round, and one would wait for the other.
        """
        wake, kind = lanes.wake_all, lanes.Kind
        turns = wake(self.connection, kind.TURNS, self.turns, self.now, lanes.Rank.REPLY, claimant.turns)
        sends = wake(self.connection, kind.SENDS, self.sends, self.now, lanes.Rank.REPLY, claimant.sends)
        return TakenIn(turns, sends, self.moved - self.sends)

    def identify(self, number_id: str, sender: Sender, sent_at: datetime) -> str:
        """Return the contact who is this sender; one that has just become two in one may be owed something."""
        found = identity.identify(self.connection, number_id, sender, sent_at=sent_at, now=self.now)
        if found.merged:
            self.owe(found.contact_id)
        return found.contact_id

    def open_window(self, contact_id: str, at: datetime) -> None:
        """Let the care window count from this moment, if it is the latest, and let go what waited for it to open."""
        # A moment in the future would keep the window open for longer than 24 hours.
        window = contacts.window_to_change(self.connection, contact_id).with_message(min(at, self.now))
        contacts.record_window(self.connection, contact_id, window)
        keep = self.rules.parked
        if keep is None or not window.is_open(self.now):
            return
        parked.expire_parked(self.connection, self.now - keep, contact_id)
        if parked.unpark(self.connection, contact_id, self.now):
            self.owe(contact_id)

    def line_up(
        self, contact_id: str, event: MessageReceived | Called, kind: Kind, *, sent_at: datetime, no_turn: str | None
    ) -> None:
        """Put an event into its contact's lane, or only store it, with the reason why it is no turn."""
        row = NewRow(
            number_id=event.number_id,
            message_id=event.message_id,
            contact_id=contact_id,
            kind=kind,
            body=event.raw,
            sent_at=sent_at,
            received_at=self.now,
            state=State.IGNORED if no_turn else State.RECEIVED,
            reason=no_turn,
        )
        inbox.add(self.connection, row)
        if not no_turn:
            self.turns.add(contact_id)

    def keep(self, event: Event, state: State, reason: str) -> None:
        """Record something that is no turn, once."""
        message_id = _name(event) if isinstance(event, (StatusChanged, PreferenceChanged)) else event.message_id
        if inbox.is_known(self.connection, event.number_id, message_id):
            return
        row = NewRow(
            number_id=event.number_id,
            message_id=message_id,
            kind=Kind.OTHER,
            body=event.raw,
            sent_at=self.now,
            received_at=self.now,
            state=state,
            reason=reason,
        )
        inbox.add(self.connection, row)


def _name(event: StatusChanged | PreferenceChanged) -> str:
    """Return what to call an event that is no message and has no id of its own."""
    if isinstance(event, StatusChanged):
        return f"{event.message_id}/{event.status}"
    return f"user_preferences/{event.sender.user_id or event.sender.wa_id}/{event.at.isoformat()}"
