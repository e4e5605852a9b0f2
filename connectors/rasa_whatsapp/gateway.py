"""The whole way on one page: a webhook becomes rows, a row becomes a turn, a response becomes messages, a message a request.

    receive:    bytes -> store (committed) -> events -> inbox, and the lane of each contact is woken
    take_turn:  next row of one contact -> turn -> dialogue
    say:        response -> drafts -> outbox (committed), and the contact's delivery is woken
    deliver:    next message of one contact -> gate -> request -> answer recorded

What each step does in detail stands in reception.py, intake/, turns.py, responses/, spoken.py and delivery.py. There is no second way
to send. Whose turn it is, here and among several servers, is a matter of lanes.py and membership.py.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from rasa_whatsapp import delivery, firing, receipts, spoken, turns
from rasa_whatsapp.clock import Clock, SharedClock
from rasa_whatsapp.cloud import answers, outbound, text_language
from rasa_whatsapp.cloud.answers import Answer, Refused
from rasa_whatsapp.cloud.graph_errors import Disposition
from rasa_whatsapp.cloud.outbound import GraphRequest
from rasa_whatsapp.cloud.templates.declared import Declared, Known
from rasa_whatsapp.delivery import DeliveryRules, Send, Upload
from rasa_whatsapp.errors import DialogueUnavailable, DraftImpossible, LaneLost, UploadFailed
from rasa_whatsapp.firing import FiringRules
from rasa_whatsapp.housekeeping import keep_house
from rasa_whatsapp.intake import Claimant, IntakeRules, TakenIn
from rasa_whatsapp.lanes import Lanes
from rasa_whatsapp.logs import Failures, trace
from rasa_whatsapp.membership import Membership
from rasa_whatsapp.ports import Dialogue, GraphApi, MediaUploads
from rasa_whatsapp.pulse import Pulse
from rasa_whatsapp.receipts import Receipt
from rasa_whatsapp.reception import Reception, ReceptionRules
from rasa_whatsapp.responses.utterances import RESPONSE_NAME, Wording, to_utterance
from rasa_whatsapp.slots import DEFAULT_LANGUAGE_SLOT
from rasa_whatsapp.spoken import Spoken
from rasa_whatsapp.stops import LONGEST_STOP, Stops
from rasa_whatsapp.storage import inbox, lanes, merging, paces, troubles
from rasa_whatsapp.storage.database import Database
from rasa_whatsapp.storage.engines import is_trouble
from rasa_whatsapp.storage.follow_ups import NewFollowUp
from rasa_whatsapp.storage.lanes import Kind, Lane
from rasa_whatsapp.storage.store_clock import put_right
from rasa_whatsapp.template_watch import TemplateWatch
from rasa_whatsapp.throttle import Throttle
from rasa_whatsapp.together import Together
from rasa_whatsapp.turn import Turn
from rasa_whatsapp.turn_sources import Keywords
from rasa_whatsapp.turns import Answered, Due, TurnRules
from rasa_whatsapp.turnstile import Turnstile

logger = logging.getLogger(__name__)
failures = Failures(logger)

_LONGEST_TURN_PAUSE = timedelta(minutes=1)
_LONGEST_DIALOGUE_PAUSE = timedelta(seconds=30)
_TOO_FAST = 130429
_TICKS_UNTIL_A_SEARCH = 10
_UNTIL_THE_STORE_IS_BACK_SECONDS = 1.0
_NOTHING = Known()
_NOT_SENT = Refused(Disposition.RETRY, 0, "it did not leave: the store does not answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How messages are led their way; an operator sets some of it in the credentials."""

    intake: IntakeRules
    delivery: DeliveryRules = field(default_factory=DeliveryRules)
    firing: FiringRules = field(default_factory=FiringRules)
    wording: Wording = field(default_factory=Wording)
    declared: Mapping[str, Declared] = field(default_factory=dict)
    language_slot: str = DEFAULT_LANGUAGE_SLOT
    read_receipts: bool = True
    typing_indicator: bool = True
    turn_attempts: int = 3
    join: timedelta = timedelta(0)
    merge_texts: bool = False
    messages_per_second: int = 80
    rates: Mapping[str, int] = field(default_factory=dict)  # of numbers that have another one
    backlog_limit: int = 10_000
    retention: timedelta = timedelta(days=90)
    turn_seconds: float = 300.0  # a turn that never ends must not keep its lane for ever
    turns_at_once: int = 32
    sends_at_once: int = 64
    tick_seconds: float = 0.5

    @property
    def turns(self) -> TurnRules:
        """Return how turns are made."""
        keywords = Keywords(opt_out=self.intake.opt_out_keywords, opt_in=self.intake.opt_in_keywords)
        return TurnRules(keywords=keywords, join=self.join, languages=self.delivery.written_languages)


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
        self._clock = clock = SharedClock(clock)
        self._graph = graph
        self._uploads = uploads
        self._dialogue = dialogue
        self._rules = rules
        self._turn_rules = rules.turns
        reserve = None if database.is_sqlite else self._reserve
        self._throttle = Throttle(rules.messages_per_second, reserve, rates=rules.rates)
        self._stops = Stops(rules.intake.number_ids, direct_send=rules.delivery.direct_send)
        self._delivery_rules = rules.delivery
        self._templates = TemplateWatch(rules.delivery.templates)
        self._pulse = Pulse()
        self._turnstile = Turnstile(lambda: self._pulse.is_calm)
        self._turns = Lanes(
            Kind.TURNS,
            self.take_turn,
            database=database,
            clock=clock,
            at_once=rules.turns_at_once,
            keeps_up=lambda: self._turnstile.is_open,
        )
        self._sends = Lanes(Kind.SENDS, self.deliver, database=database, clock=clock, at_once=rules.sends_at_once)
        self._requests: Together[Lane, delivery.Next] = Together(self._begin_requests)
        self._receipts: Together[Receipt, bool] = Together(self._record_receipts)
        self._membership = Membership(database, clock, self._reborn)
        self.reception = Reception(
            database,
            clock,
            ReceptionRules(intake=rules.intake, backlog_limit=rules.backlog_limit),
            claimant=lambda: Claimant(self._turns.claimant, self._sends.claimant),
            taken=self._taken_in,
            stirred=self._sends.look,
        )
        self._heard_at = clock.now() - LONGEST_STOP
        self._background: set[asyncio.Task[None]] = set()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Take up what waits: turns not taken, messages not sent, follow-ups that fell due, bodies not taken in."""
        await put_right(self._clock, self._database)
        await self._membership.start()
        await self._database.run(lanes.restore, self._clock.now())
        await self._hear_of_templates()
        if self._turn_rules.languages:
            await asyncio.to_thread(text_language.prepare)
        self._pulse.start()
        self._turns.start(self._membership.id)
        self._sends.start(self._membership.id)
        await self.reception.start()
        self._database.listen(self.look)
        loop, rules = asyncio.get_running_loop(), self._rules
        house = keep_house(self._database, self._clock, rules.retention, rules.intake.parked)
        self._tasks = [loop.create_task(self._watch()), loop.create_task(house)]

    async def close(self, grace_seconds: float = 10.0) -> None:
        """Finish the turns and requests under way; what is not finished then runs again, here or on another server."""
        now = asyncio.get_running_loop().time
        deadline = now() + grace_seconds
        await _end(self._tasks)
        await self.reception.close()
        await self._turns.close(deadline - now())
        await self._sends.close(deadline - now())
        await self._pulse.stop()
        await _end(self._background)  # read receipts, which nothing depends on
        await self._membership.close()

    @property
    def alarms(self) -> list[str]:
        """Return what an operator has to mend so that messages go out again; empty if nothing."""
        return [*self._stops.alarms(self._clock.now()), *self._templates.alarms]

    @property
    def language_slot(self) -> str:
        """Return the slot that may hold the customer's language."""
        return self._rules.language_slot

    def look(self) -> None:
        """Look for work: another process may have stored some."""
        self.reception.look()
        self._turns.look()
        self._sends.look()

    async def receive(self, body: bytes) -> None:
        """Make a verified webhook body durable and let its work begin; raises WebhookMalformed and BacklogFull."""
        await self.reception.receive(body)

    async def take_turn(self, lane: Lane) -> bool:
        """Take the contact's next turn; return whether to look for another at once."""
        step = await self._database.run(turns.begin_next, lane, self._turn_rules, self._clock.now())
        if isinstance(step, Due):
            return await self._run(step)
        if isinstance(step, Answered):
            self._sends.look()
            return True
        return step

    async def say(
        self,
        contact_id: str,
        cause: str,
        ordinal: int,
        response: Mapping[str, Any],
        turn: Turn | None = None,
        *,
        language: str | None = None,
        known: Known = _NOTHING,
    ) -> None:
        """Keep a response for delivery under keys made of its cause and ordinal; `turn` is None for Rasa's HTTP API.

        `language` is the customer's, as far as the dialogue knows it; what is `known` besides fills the template that the catalogue
        declares for a response without one. A response that WhatsApp cannot take is recorded as refused. Raises UnknownContact, and
        LaneLost if the turn is another server's now.
        """
        now = self._clock.now()
        try:
            declared = self._rules.declared.get(str(response.get(RESPONSE_NAME)))
            template = declared.use(known, language) if declared else None
            utterance = to_utterance(response, self._rules.wording, language, template)
        except DraftImpossible as problem:
            logger.warning("A response was refused: %s.", problem, extra={"action": "response_refused"})
            key, reason = f"{cause}#{ordinal}", str(problem)
            await self._database.run(spoken.keep_impossible, contact_id, key, reason, now, turn)
            return
        said = Spoken(contact_id=contact_id, cause=cause, ordinal=ordinal, turn=turn, utterance=utterance)
        mine = await self._database.run(spoken.keep, said, now, self._sends.claimant, merge=self._rules.merge_texts)
        if mine is not None:
            self._sends.take([mine])

    async def deliver(self, lane: Lane) -> bool:
        """Send the contact's next message; return whether to look for another at once."""
        step = await self._requests.ask(lane)
        if isinstance(step, Send):
            answer = await self._post(step)
            jitter = random.random()  # noqa: S311 - spreads retries, protects nothing
            return await self._note(Receipt(step, answer, jitter))
        if isinstance(step, Upload):
            await self._upload(step)
            return True
        if step is None:
            raise lanes.lost(lane)
        return step

    async def schedule(self, follow_up: NewFollowUp, turn: Turn | None = None) -> None:
        """Keep a follow-up until it is due; raises UnknownContact and LaneLost."""
        await self._database.run(turns.schedule, follow_up, self._clock.now(), turn)

    async def cancel(self, which: turns.Cancellation, turn: Turn | None = None) -> None:
        """Cancel the contact's open follow-ups that match everything given, but not the one that is the cause; raises LaneLost."""
        await self._database.run(turns.cancel, which, self._clock.now(), turn)

    def _taken_in(self, taken: TakenIn) -> None:
        self._turns.take(taken.turns)
        self._sends.take(taken.sends)

    async def _post(self, step: Send) -> Answer:
        """Make the request, in its time, unless this server may be taken for dead."""
        number_id = step.request.number_id
        try:
            await self._throttle.turn(number_id, is_bulk=step.message.is_bulk)
        except SQLAlchemyError as problem:
            failures.warning("A message waits for its time: %s", problem=problem, action="send_put_off")
            return _NOT_SENT
        if not self._membership.is_alive:
            return _NOT_SENT
        left_at = self._clock.now()
        answer = await self._graph.post(step.request)
        self._stops.note(number_id, answer, left_at, self._clock.now())
        if getattr(answer, "code", None) == _TOO_FAST:
            self._throttle.slow_down(number_id)
        return answer

    async def _note(self, receipt: Receipt) -> bool:
        """Note an answer, as soon as the store takes it; it is kept here meanwhile."""
        while True:
            try:
                return await self._receipts.ask(receipt)
            except SQLAlchemyError as problem:
                if not is_trouble(problem):
                    raise
                failures.warning("An answer of Graph is noted later: %s", problem=problem, action="store_away")
                await asyncio.sleep(_UNTIL_THE_STORE_IS_BACK_SECONDS)

    async def _begin_requests(self, wanted: Sequence[Lane]) -> list[delivery.Next]:
        now, stopped = self._clock.now(), self._stops.stopped
        well_since = max(self._membership.well_since, self.reception.well_since)
        return await self._database.run(delivery.begin_next, wanted, self._delivery_rules, now, stopped, well_since)

    async def _record_receipts(self, answered: Sequence[Receipt]) -> list[bool]:
        return await self._database.run(receipts.record, answered, self._rules.delivery, self._clock.now())

    async def _reserve(self, number_id: str, share: timedelta) -> timedelta:
        return await self._database.run(paces.reserve, number_id, share)

    async def _upload(self, wanted: Upload) -> None:
        try:
            media_id = await self._uploads.upload(wanted.number_id, wanted.media)
        except UploadFailed as problem:
            logger.warning("Media could not be uploaded: %s.", problem, extra={"action": "upload_failed"})
            media_id = None
        await self._database.run(delivery.record_upload, wanted, media_id, self._clock.now())

    async def _run(self, due: Due) -> bool:
        if due.row.kind is inbox.Kind.MESSAGE:
            self._mark_as_read(due)
        try:
            async with self._turnstile.passed():
                sensible = await asyncio.wait_for(self._take_once(due), self._rules.turn_seconds)
        except DialogueUnavailable as problem:
            return await self._dialogue_away(due, problem)
        except (LaneLost, SQLAlchemyError):
            raise  # the lane is gone, or the store is away: no fault of the turn
        except Exception as problem:  # noqa: BLE001 - whatever Rasa raises, the turn is tried again or parked
            return await self._turn_failed(due, problem)
        if not sensible:
            await self._database.run(turns.drop, due, self._clock.now(), "the conversation was restarted since")
            return True
        merges = self._rules.merge_texts
        more = await self._database.run(turns.end, due, self._clock.now(), merges_texts=merges)
        if merges:
            self._sends.look()
        return more

    async def _take_once(self, due: Due) -> bool:
        """Let the dialogue take the turn unless an interrupted run of it had come to its end."""
        if due.is_orphan:
            await self._dialogue.unlock(due.contact.id)
        for merged in due.join:
            await self._dialogue.join(due.contact.id, merged)
            await self._database.run(merging.mark_joined, merged, self._clock.now())
        if due.again:
            if await self._dialogue.has_taken(due.turn):
                return True
            await self._database.run(turns.begin_again, due, self._clock.now())
        return await self._dialogue.take(due.turn)

    async def _dialogue_away(self, due: Due, problem: DialogueUnavailable) -> bool:
        pause = min(timedelta(seconds=2 ** min(due.row.waits / 4, 8)), _LONGEST_DIALOGUE_PAUSE)
        reason = str(problem)
        if await self._database.run(turns.put_back, due, self._clock.now(), reason=reason, pause=pause):
            self._tell_parked(due, reason)
        return True

    async def _turn_failed(self, due: Due, problem: Exception) -> bool:
        logger.error("A turn of %s failed: %s", due.turn.contact_id, trace(problem), extra={"action": "turn_failed"})
        parked = await self._database.run(
            turns.fail,
            due,
            self._clock.now(),
            reason=type(problem).__name__,
            pause=min(timedelta(seconds=2**due.row.failures), _LONGEST_TURN_PAUSE),
            last_attempt=self._rules.turn_attempts,
        )
        if parked:
            self._tell_parked(due, f"it failed {self._rules.turn_attempts} times")
        return True

    def _tell_parked(self, due: Due, reason: str) -> None:
        logger.error(
            "Message %d is parked, %s: see `rasa-whatsapp inbox list`.",
            due.row.id,
            reason,
            extra={"action": "turn_parked"},
        )

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

    async def _hear_troubles(self) -> None:
        """Take notice of what Meta told about whole numbers, whoever took it in."""
        for trouble in await self._database.run(troubles.since, self._heard_at):
            refused = answers.refusal(400, {"code": trouble.code})
            self._stops.note(trouble.number_id, refused, trouble.at, trouble.at)
            self._heard_at = trouble.at

    async def _hear_of_templates(self) -> None:
        """Let the gate know what Meta says of the templates."""
        if await self._templates.look(self._database, self._clock.now()):
            self._delivery_rules = replace(self._rules.delivery, templates=self._templates.book)

    def _reborn(self, server: str) -> None:
        """Go on under a new id: this server was taken for dead, and its lanes are free."""
        self._turns.forsake(server)
        self._sends.forsake(server)

    async def _watch(self) -> None:
        """Do what nobody wakes us for: follow-ups that are due, merges that had to wait, dead servers, a clock that was moved."""
        ticks = count(1)
        while True:
            self._membership.live()
            try:
                await self.reception.count()
                await put_right(self._clock, self._database)
                await self._hear_troubles()
                await self._hear_of_templates()
                await self._membership.look()
                while await self._database.run(firing.fire_due, self._rules.firing, self._clock.now()):
                    self._turns.look()
                    self._membership.live()  # a million may be due
                await self._database.run(merging.merge_waiting, self._clock.now())
                if next(ticks) % _TICKS_UNTIL_A_SEARCH == 0:
                    await self._membership.search()
                    await self._turns.find_forgotten()
                    await self._sends.find_forgotten()
            except Exception as problem:  # noqa: BLE001 - the store is away: everything is still in it
                failures.error("The store could not be read: %s", problem=problem, action="store_unreadable")
            self.look()
            await asyncio.sleep(self._rules.tick_seconds)


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
