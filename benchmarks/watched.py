"""A loaded Rasa agent and the channel's gateway before it, made as the Rasa server makes them, with a watch on every step."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from rasa.core.agent import Agent, load_agent
from rasa.core.utils import AvailableEndpoints
from rasa.utils.common import configure_logging_and_warnings
from rasa.utils.endpoints import EndpointConfig
from rasa.utils.log_utils import configure_structlog
from report import ROOT
from webhooks import NUMBER_ID

from rasa_whatsapp import reminders
from rasa_whatsapp.clock import SystemClock
from rasa_whatsapp.cloud.answers import Accepted
from rasa_whatsapp.config import read_settings
from rasa_whatsapp.gateway import Gateway
from rasa_whatsapp.output import WhatsAppOutput
from rasa_whatsapp.rasa_dialogue import RasaDialogue
from rasa_whatsapp.storage.database import Database
from rasa_whatsapp.uploads import Uploads

SECRET = "benchmark"


class Watch:
    """The moments of the turn that is being measured, and all transactions of the store."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}
        self.saying = 0.0
        self.transactions: Counter[str] = Counter()
        self.under_way = 0
        self._happened: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def restart(self) -> None:
        """Begin a turn."""
        self.at, self.saying = {}, 0.0
        self._happened.clear()

    def mark(self, moment: str) -> None:
        """Note that this happened now, if it is the first time in this turn."""
        self.at.setdefault(moment, time.perf_counter())
        self._happened[moment].set()

    def between(self, earlier: str, later: str) -> float:
        """Return the milliseconds between two moments."""
        return (self.at[later] - self.at[earlier]) * 1000

    async def until(self, *moments: str, deadline_seconds: float = 30) -> None:
        """Return when all of these happened and the store is at rest, so that nothing reaches into the next turn."""
        await asyncio.wait_for(asyncio.gather(*(self._happened[moment].wait() for moment in moments)), deadline_seconds)
        calm = 0
        while calm < 3:
            await asyncio.sleep(0.003)
            calm = 0 if self.under_way else calm + 1


def log_as_the_server_does() -> None:
    """Log at INFO, as `rasa run` does. Unconfigured, structlog would render and print every DEBUG event of Rasa's."""
    configure_logging_and_warnings(warn_only_once=True, filter_repeated_logs=True)
    configure_structlog()


async def load(model: Path, folder: Path) -> Agent:
    """Return an agent with a SQLite tracker store in the folder."""
    trackers = EndpointConfig(type="SQL", dialect="sqlite", db=str(folder / "trackers.sqlite"))
    return await load_agent(model_path=str(model), endpoints=AvailableEndpoints(tracker_store=trackers))


def make_gateway(agent: Agent, folder: Path, watch: Watch) -> tuple[Gateway, Database]:
    """Return the gateway with the default settings, and its store, a file beside the tracker store's."""

    class Store(Database):
        async def run(self, work: Any, *args: Any, **kwargs: Any) -> Any:
            name = f"{work.__module__.rpartition('.')[2]}.{work.__name__}"
            watch.under_way += 1
            try:
                return await super().run(work, *args, **kwargs)
            finally:
                watch.under_way -= 1
                watch.transactions[name] += 1
                if name == "turns.end":
                    watch.mark("ended")

    class Output(WhatsAppOutput):
        async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
            begun = time.perf_counter()
            await super().send_response(recipient_id, message)
            watch.saying += (time.perf_counter() - begun) * 1000

    class Dialogue(RasaDialogue):
        async def take(self, *args: Any, **kwargs: Any) -> Any:
            watch.mark("begun")
            result = await super().take(*args, **kwargs)
            watch.mark("taken")
            return result

    class Graph:
        async def post(self, request: Any) -> Accepted:
            if "type" in request.body:  # not the read receipt
                watch.mark("left")
            return Accepted(f"wamid.out{time.perf_counter_ns()}")

        async def upload(self, *_: Any, **__: Any) -> Any:
            raise NotImplementedError("no turn of the benchmark shows a file")

    def output(turn: Any) -> Output:
        return Output(gateway, turn)

    reminders.install()
    store = Store(f"sqlite:///{folder / 'whatsapp.sqlite'}")
    store.upgrade()
    block = {"phone_number_id": NUMBER_ID, "access_token": "-", "app_secret": SECRET, "verify_token": "-"}
    rules = read_settings(block, folder=ROOT).rules()
    dialogue = Dialogue(lambda: agent, output)
    graph = Graph()
    gateway = Gateway(
        database=store, clock=SystemClock(), graph=graph, uploads=Uploads(graph, ()), dialogue=dialogue, rules=rules
    )
    return gateway, store
