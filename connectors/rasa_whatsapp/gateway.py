"""The whole way on one page: a webhook becomes rows, a row becomes a turn, a response becomes messages, a message a request.

    receive:    bytes -> events -> inbox (committed) -> the lane of each contact is woken
    take_turn:  next row of one contact -> turn -> dialogue
    say:        response -> drafts -> outbox (committed) -> the contact's delivery is woken
    deliver:    next message of one contact -> gate -> request -> answer recorded

What each step does in detail stands in intake/, turns.py, responses/, spoken.py and delivery.py. There is no second way to send.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from rasa_whatsapp import delivery, intake, spoken, turns
from rasa_whatsapp.clock import Clock
from rasa_whatsapp.cloud import inbound, outbound
from rasa_whatsapp.cloud.outbound import GraphRequest
from rasa_whatsapp.delivery import DeliveryRules, Send, Upload
from rasa_whatsapp.errors import BacklogFull, DialogueUnavailable, DraftImpossible, UploadFailed
from rasa_whatsapp.intake import IntakeRules
from rasa_whatsapp.lanes import Lanes
from rasa_whatsapp.logs import trace
from rasa_whatsapp.ports import Dialogue, GraphApi, MediaUploads
from rasa_whatsapp.responses.utterances import Wording, to_utterance
from rasa_whatsapp.spoken import Spoken
from rasa_whatsapp.stops import Stops
from rasa_whatsapp.storage import inbox, merging, outbox
from rasa_whatsapp.storage.database import Database
from rasa_whatsapp.storage.follow_ups import NewFollowUp
from rasa_whatsapp.throttle import Throttle
from rasa_whatsapp.turn_sources import Keywords
from rasa_whatsapp.turns import Answered, Due

logger = logging.getLogger(__name__)

_DIALOGUE_AWAY = timedelta(seconds=1)
_LONGEST_TURN_PAUSE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How messages are led their way; an operator sets some of it in the credentials."""

    intake: IntakeRules
    delivery: DeliveryRules = field(default_factory=DeliveryRules)
    wording: Wording = field(default_factory=Wording)
    read_receipts: bool = True
    typing_indicator: bool = True
    turn_attempts: int = 3
    messages_per_second: int = 80
    backlog_limit: int = 10_000
    turn_seconds: float = 300.0  # a turn that never ends must not keep its lane for ever
    turns_at_once: int = 32
    sends_at_once: int = 64
    tick_seconds: float = 0.5


class Gateway:
    """Leads every message its way. Make it where an event loop runs; `start` it once, `close` it at the end."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        graph: GraphApi,
        uploads: MediaUploads,
        dialogue: Dialogue,
        rules: Rules,
    ) -> None:
        self._database = database
        self._clock = clock
        self._graph = graph
        self._throttle = Throttle(clock, rules.messages_per_second)
        self._backlog = 0
        self._stops = Stops()
        self._uploads = uploads
        self._dialogue = dialogue
        self._rules = rules
        self._keywords = Keywords(opt_out=rules.intake.opt_out_keywords, opt_in=rules.intake.opt_in_keywords)
        self._turns = Lanes(self.take_turn, at_once=rules.turns_at_once)
        self._deliveries = Lanes(self.deliver, at_once=rules.sends_at_once)
        self._background: set[asyncio.Task[None]] = set()
        self._ticker: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take up what an earlier process left: turns not taken, messages not sent, follow-ups that fell due."""
        await self._database.run(inbox.recover)
        self._backlog = await self._database.run(inbox.backlog, self._rules.backlog_limit)
        for contact_id in await self._database.run(inbox.lanes_waiting):
            self._turns.wake(contact_id)
        for contact_id in await self._database.run(outbox.lanes_waiting):
            self._deliveries.wake(contact_id)
        self._ticker = asyncio.get_running_loop().create_task(self._watch())

    async def close(self, grace_seconds: float = 10.0) -> None:
        """Finish the turns and requests under way; what is not finished then runs again at the next start."""
        now = asyncio.get_running_loop().time
        deadline = now() + grace_seconds
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)
        await self._turns.close(deadline - now())
        await self._deliveries.close(deadline - now())
        for task in self._background:
            task.cancel()  # read receipts, which nothing depends on
        await asyncio.gather(*self._background, return_exceptions=True)

    @property
    def alarms(self) -> list[str]:
        """Return what an operator has to mend so that messages go out again; empty if nothing."""
        return self._stops.alarms()

    def check_backlog(self) -> None:
        """Raise BacklogFull if so many messages wait that no more should be taken in."""
        if self._backlog >= self._rules.backlog_limit:
            raise BacklogFull(f"{self._backlog} messages wait for their turn, which is backlog_limit")

    async def receive(self, body: bytes) -> None:
        """Make a verified webhook body durable and let its work begin; raises WebhookMalformed and BacklogFull."""
        self.check_backlog()
        events = inbound.parse(body)
        taken = await self._database.run(intake.take_in, events, self._rules.intake, self._clock.now())
        for contact_id in taken.turns:
            self._turns.wake(contact_id)
        for contact_id in taken.deliveries:
            self._deliveries.wake(contact_id)

    async def take_turn(self, contact_id: str) -> float | None:
        """Take the contact's next turn; return the seconds until there may be another, None if there is none."""
        step = await self._database.run(turns.begin_next, contact_id, self._keywords, self._clock.now())
        if isinstance(step, Due):
            return await self._run(step)
        if isinstance(step, Answered):
            self._deliveries.wake(step.contact_id)
            return 0
        return None if step is None else step.total_seconds()

    async def say(
        self,
        contact_id: str,
        cause: str,
        ordinal: int,
        response: Mapping[str, Any],
        *,
        proactive: bool,
        asked_at: datetime | None = None,
        replying_to: str | None = None,
    ) -> None:
        """Keep a response for delivery under keys made of its cause and ordinal.

        `asked_at` is when its cause was sent, `replying_to` the customer's message if that is the cause. A response that
        WhatsApp cannot take is recorded as refused. Raises UnknownContact.
        """
        now = self._clock.now()
        try:
            utterance = to_utterance(response, self._rules.wording)
        except DraftImpossible as problem:
            logger.warning("A response was refused: %s.", problem, extra={"action": "response_refused"})
            await self._database.run(spoken.keep_impossible, contact_id, f"{cause}#{ordinal}", str(problem), now)
            return
        said = Spoken(
            contact_id=contact_id,
            cause=cause,
            ordinal=ordinal,
            proactive=proactive,
            asked_at=asked_at,
            replying_to=replying_to,
            utterance=utterance,
        )
        self._deliveries.wake(await self._database.run(spoken.keep, said, now))

    async def deliver(self, contact_id: str) -> float | None:
        """Send the contact's next message; return the seconds until there may be another, None if there is none."""
        rules = self._rules.delivery
        now = self._clock.now()
        step = await self._database.run(delivery.begin_next, contact_id, rules, now, self._stops.until)
        if isinstance(step, Send):
            await self._throttle.turn(step.request.number_id)
            answer = await self._graph.post(step.request)
            self._stops.note(step.request.number_id, answer, self._clock.now())
            jitter = random.random()  # noqa: S311 - spreads retries, protects nothing
            owed = await self._database.run(delivery.record, step.message, answer, rules, self._clock.now(), jitter)
            return self._go_on(contact_id, owed)
        if isinstance(step, Upload):
            await self._upload(step)
            return 0
        return None if step is None else step.total_seconds()

    async def schedule(self, follow_up: NewFollowUp) -> None:
        """Keep a follow-up until it is due; raises UnknownContact."""
        await self._database.run(turns.schedule, follow_up, self._clock.now())

    async def cancel(self, which: turns.Cancellation) -> None:
        """Cancel the contact's open follow-ups that match everything given, but not the one that is the cause."""
        await self._database.run(turns.cancel, which, self._clock.now())

    def _go_on(self, contact_id: str, owed: str | None) -> float | None:
        """Return when this lane goes on; the answer may have told that the contact is one with another."""
        if owed == contact_id:
            return 0
        if owed is not None:
            self._deliveries.wake(owed)
        return None

    async def _upload(self, wanted: Upload) -> None:
        try:
            media_id = await self._uploads.upload(wanted.number_id, wanted.media)
        except UploadFailed as problem:
            logger.warning("Media could not be uploaded: %s.", problem, extra={"action": "upload_failed"})
            media_id = None
        await self._database.run(delivery.record_upload, wanted, media_id, self._clock.now())

    async def _run(self, due: Due) -> float | None:
        if due.row.kind is inbox.Kind.MESSAGE:
            self._mark_as_read(due)
        try:
            sensible = await asyncio.wait_for(self._take_once(due), self._rules.turn_seconds)
        except DialogueUnavailable as problem:
            await self._database.run(turns.put_back, due, self._clock.now(), reason=str(problem), pause=_DIALOGUE_AWAY)
            return _DIALOGUE_AWAY.total_seconds()
        except Exception as problem:  # noqa: BLE001 - whatever Rasa raises, the turn is tried again or parked
            return await self._turn_failed(due, problem)
        if not sensible:
            await self._database.run(turns.drop, due, self._clock.now(), "the conversation was restarted since")
            return 0
        has_more = await self._database.run(turns.end, due, self._clock.now())
        return 0 if has_more else None

    async def _take_once(self, due: Due) -> bool:
        """Let the dialogue take the turn unless an interrupted run of it had come to its end."""
        for merged in due.join:
            await self._dialogue.join(due.contact.id, merged)
            await self._database.run(merging.mark_joined, merged, self._clock.now())
        if due.again:
            if await self._dialogue.has_taken(due.turn):
                return True
            await self._database.run(turns.begin_again, due, self._clock.now())
        return await self._dialogue.take(due.turn)

    async def _turn_failed(self, due: Due, problem: Exception) -> float:
        logger.error("A turn of %s failed: %s", due.turn.contact_id, trace(problem), extra={"action": "turn_failed"})
        parked = await self._database.run(
            turns.fail,
            due,
            self._clock.now(),
            reason=type(problem).__name__,
            pause=min(timedelta(seconds=2**due.row.attempts), _LONGEST_TURN_PAUSE),
            last_attempt=self._rules.turn_attempts,
        )
        if parked:
            logger.error(
                "Message %d is parked after %d attempts: see `rasa-whatsapp inbox list`.",
                due.row.id,
                self._rules.turn_attempts,
                extra={"action": "turn_parked"},
            )
        return 0

    def _mark_as_read(self, due: Due) -> None:
        """Show the customer that the message was read and an answer is coming; nobody waits for it, nothing depends on it."""
        if not self._rules.read_receipts:
            return
        receipt = outbound.read_receipt(due.contact.number_id, due.row.message_id, typing=self._rules.typing_indicator)
        task = asyncio.get_running_loop().create_task(self._post_receipt(receipt))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _post_receipt(self, receipt: GraphRequest) -> None:
        await self._graph.post(receipt)

    async def _watch(self) -> None:
        """Put due follow-ups into their lanes, make merges that had to wait, and notice what another process (a replay) did."""
        while True:
            try:
                self._backlog = await self._database.run(inbox.backlog, self._rules.backlog_limit)
                await self._database.run(turns.fire_due, self._clock.now())
                await self._database.run(merging.merge_waiting)
                for contact_id in await self._database.run(inbox.lanes_waiting):
                    self._turns.wake(contact_id)
                for contact_id in await self._database.run(outbox.lanes_waiting):
                    self._deliveries.wake_idle(contact_id)
            except Exception as problem:  # noqa: BLE001 - the store is away: everything is still in it
                logger.error("The store could not be read: %s", trace(problem), extra={"action": "store_unreadable"})
            await asyncio.sleep(self._rules.tick_seconds)
