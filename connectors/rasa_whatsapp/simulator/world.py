"""One simulator: everything wired together, started, stopped and emptied in the right order."""

from __future__ import annotations

import asyncio

from rasa_whatsapp.simulator import catalogue
from rasa_whatsapp.simulator.clock import Clock
from rasa_whatsapp.simulator.counts import Counts
from rasa_whatsapp.simulator.deliveries import Deliveries
from rasa_whatsapp.simulator.direct_send import DirectSend
from rasa_whatsapp.simulator.events import Events
from rasa_whatsapp.simulator.faults import Faults
from rasa_whatsapp.simulator.graph import Graph
from rasa_whatsapp.simulator.happenings import Happenings
from rasa_whatsapp.simulator.limits import Limits
from rasa_whatsapp.simulator.media import Library
from rasa_whatsapp.simulator.phones import Phones
from rasa_whatsapp.simulator.settings import Settings
from rasa_whatsapp.simulator.status_batches import StatusBatches
from rasa_whatsapp.simulator.statuses import Statuses
from rasa_whatsapp.simulator.storage import Storage
from rasa_whatsapp.simulator.template_life import TemplateLife
from rasa_whatsapp.simulator.template_management import TemplateManagement
from rasa_whatsapp.simulator.templates import Templates
from rasa_whatsapp.simulator.upload_sessions import UploadSessions

OFFSET = "clock_offset_seconds"


class World:
    """The parts of a simulator; the routes call these."""

    def __init__(self, settings: Settings) -> None:
        """Read templates and database; raise what is wrong with them before anything runs."""
        loaded = catalogue.load(settings.templates_path) if settings.templates_path is not None else []
        self.settings = settings
        self.storage = Storage(settings.database_path, settings.phone_number_id)
        self.clock = Clock(self.storage.kept(OFFSET, 0.0))
        self.events = Events()
        self.faults = Faults()
        self.templates = Templates(loaded, self.storage)
        self.counts = Counts()
        self.direct_send = DirectSend(self.storage)
        self.limits = Limits(settings.throughput, pair_rate=settings.pair_rate)
        self.deliveries = Deliveries(settings, self.storage, self.events, self.faults, self.clock, self.counts)
        self.template_life = TemplateLife(settings, self.templates, self.events, self.clock, self.deliveries)
        self.upload_sessions = UploadSessions(self.storage)
        self.template_management = TemplateManagement(
            self.storage, self.templates, self.template_life, self.clock, self.upload_sessions.type_of
        )
        self.batches = StatusBatches(self.deliveries, settings.statuses_in_webhook)
        self.statuses = Statuses(
            settings, self.storage, self.events, self.faults, self.clock, self.batches, self.counts
        )
        self.library = Library(self.storage.media, self.clock)
        self.phones = Phones(
            settings,
            self.storage,
            self.events,
            self.clock,
            self.deliveries,
            self.library,
            self.counts,
            self.limits,
        )
        self.happenings = Happenings(settings, self.storage, self.events, self.clock, self.deliveries, self.phones)
        self.graph = Graph(
            settings,
            self.storage,
            self.events,
            self.faults,
            self.clock,
            self.templates,
            self.library,
            self.phones,
            self.statuses,
            self.limits,
            self.direct_send,
        )

    def start(self) -> None:
        """Go on with what an earlier run left undone."""
        self.storage.start(asyncio.get_running_loop())
        self.deliveries.start()
        self.statuses.start()
        self.template_life.look()

    async def close(self) -> None:
        """Stop everything; what is undone stays in the database."""
        self.template_life.stop()
        self.statuses.stop()
        self.batches.send()
        await self.deliveries.close()
        self.storage.close()

    def clock_moved(self) -> None:
        """Remember how far the clock is ahead, tell the watchers, and let happen what is due now."""
        self.storage.keep(OFFSET, self.clock.offset_seconds)
        self.template_life.look()
        self.events.tell("clock", self.shown_clock)

    def shown_clock(self) -> dict[str, object]:
        """Return the clock as the control API shows it."""
        now = self.clock.now().isoformat(timespec="microseconds")
        return {"now": now, "offset_seconds": self.clock.offset_seconds}

    def reset(self) -> None:
        """Forget customers, chats, journals, faults, access to Direct Send, and all that became of the templates.

        The clock stays: a bot that remembers what it was told cannot go back in time.
        """
        self.statuses.stop()
        self.batches.clear()
        self.deliveries.stop()
        self.storage.clear()
        self.deliveries.start()
        self.counts.clear()
        self.limits.clear()
        self.faults.replace([])
        self.statuses.release()
        self.templates.reload()
        self.clock_moved()
        self.events.tell("reset", dict)
