"""What the tests share: a clock that is set by hand, an empty store of each kind, doubles for Graph and the dialogue.

The stage puts a real gateway between them. No test may open a socket to anything but this machine.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import hmac
import ipaddress
import json
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import event, select
from sqlalchemy.engine import Connection, make_url

from rasa_whatsapp import firing
from rasa_whatsapp.cloud.answers import Accepted, Answer
from rasa_whatsapp.cloud.media_links import MediaLink
from rasa_whatsapp.cloud.outbound import GraphRequest
from rasa_whatsapp.delivery import DeliveryRules
from rasa_whatsapp.demo import Stack, ensure_model
from rasa_whatsapp.demo.failures import ProgramMissing
from rasa_whatsapp.demo.ports import unused
from rasa_whatsapp.demo.postgres import Postgres
from rasa_whatsapp.errors import UploadFailed
from rasa_whatsapp.gateway import Gateway, Rules
from rasa_whatsapp.intake import IntakeRules
from rasa_whatsapp.storage import arrivals, merging, schema
from rasa_whatsapp.storage.database import Database
from rasa_whatsapp.storage.engines import SCHEMA
from rasa_whatsapp.turn import Turn

ROOT = Path(__file__).resolve().parents[1]
MORNING = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
NUMBER_ID = "100000000000001"
LEA = "4915112345678"
SQLITE, POSTGRESQL = "sqlite", "postgresql"

# The same tests run on both databases where SQL or the order of transactions decides what they see; elsewhere SQLite is enough.
ON_BOTH = frozenset(
    f"test_{name}"
    for name in (
        "arrivals", "backlog", "costs", "database", "delivery", "direct_send", "every_kind", "firing", "follow_ups", "gateway", "housekeeping", "identity",
        "intake", "joining", "lanes", "lanes_in_the_store", "membership", "merged_texts", "one_person", "order_wait", "pacing", "parked", "servers", "stops",
        "template_states", "uploads", "upgrades", "written",
    )
)  # fmt: skip


SHARING = ("bot", "cluster", "rasa", "scenarios")


class NetworkForbidden(AssertionError):
    """A test tried to reach another machine."""


def _stays_here(host: Any) -> bool:
    if host in (None, "", "localhost", "0.0.0.0", "::", b"localhost", socket.gethostname()):
        return True
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True, scope="session")
def no_foreign_sockets() -> Iterator[None]:
    """Refuse every connection, and every look-up of a name, that would leave this machine."""
    connect, connect_ex, look_up = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guard(sock: socket.socket, address: Any) -> None:
        if sock.family in (socket.AF_INET, socket.AF_INET6) and not _stays_here(address[0]):
            raise NetworkForbidden(f"a test tried to connect to {address[0]}")

    def guarded_connect(sock: socket.socket, address: Any) -> None:
        guard(sock, address)
        connect(sock, address)

    def guarded_connect_ex(sock: socket.socket, address: Any) -> int:
        guard(sock, address)
        return connect_ex(sock, address)

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not _stays_here(host):
            raise NetworkForbidden(f"a test tried to look up {host}")
        return look_up(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        yield


class SettableClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now: datetime = MORNING) -> None:
        self.moment = now

    def now(self) -> datetime:
        """Return the moment that was set."""
        return self.moment

    def advance(self, **step: float) -> None:
        """Move forward, by the arguments of a timedelta."""
        self.moment += timedelta(**step)


class RecordingGraph:
    """Answers as told, else accepts under wamid.OUT1, wamid.OUT2 and so on; remembers every request."""

    def __init__(self) -> None:
        self.requests: list[GraphRequest] = []
        self.answers: list[Answer | Exception | None] = []
        self.held: asyncio.Event | None = None

    @property
    def sent(self) -> list[dict[str, Any]]:
        """Return the bodies of the messages, without read receipts."""
        return [request.body for request in self.requests if "status" not in request.body]

    @property
    def texts(self) -> list[str]:
        """Return what was sent, short: a text's body, an interactive's body, or the name of a template."""
        return [_short(body) for body in self.sent]

    async def post(self, request: GraphRequest) -> Answer:
        """Return the next answer; None among them stands for acceptance."""
        self.requests.append(request)
        if "status" in request.body:
            return Accepted("")
        count = len(self.sent)
        if self.held is not None:
            await self.held.wait()
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer or Accepted(f"wamid.OUT{count}")


def _short(body: dict[str, Any]) -> str:
    if body["type"] == "template":
        return f"template {body['template']['name']}"
    return str(body["text"]["body"] if body["type"] == "text" else body["interactive"]["body"]["text"])


class RecordingDialogue:
    """Remembers the turns; says what `answer` returns for each, by default nothing. `before` may raise or hang instead.

    What was taken to its end is `saved`, as in a tracker store.
    """

    def __init__(self) -> None:
        self.gateway: Gateway | None = None
        self.turns: list[Turn] = []
        self.asked: list[str] = []
        self.saved: set[str] = set()
        self.joined: list[tuple[str, str]] = []
        self.unlocked: list[str] = []
        self.answer: Callable[[Turn], Any] = lambda turn: []
        self.before: Callable[[Turn], Any] | None = None
        self.sensible = True

    @property
    def heard(self) -> list[str]:
        """Return the texts of the turns."""
        return [turn.text for turn in self.turns]

    async def has_taken(self, turn: Turn) -> bool:
        """Tell whether the turn is saved."""
        self.asked.append(turn.text)
        return turn.message_id in self.saved

    async def join(self, contact_id: str, merged: str) -> None:
        """Remember whose conversations are one."""
        self.joined.append((contact_id, merged))

    async def unlock(self, contact_id: str) -> None:
        """Remember who was unlocked."""
        self.unlocked.append(contact_id)

    async def take(self, turn: Turn) -> bool:
        """Take the turn, and say each response of the answer."""
        self.turns.append(turn)
        if self.before is not None:
            await self.before(turn)
        if not self.sensible:
            return False
        assert self.gateway is not None
        for ordinal, response in enumerate(self.answer(turn), start=1):
            await self.gateway.say(turn.contact_id, turn.cause, ordinal, response, turn)
        self.saved.add(turn.message_id)
        return True


class RecordingUploads:
    """Gives each media file the id 9001, 9002 and so on; `failing` makes uploads fail instead."""

    def __init__(self) -> None:
        self.links: list[str] = []
        self.numbers: list[str] = []
        self.failing = False

    async def upload(self, number_id: str, media: MediaLink) -> str:
        """Return the next id."""
        self.links.append(media.link)
        self.numbers.append(number_id)
        if self.failing:
            raise UploadFailed("the host does not answer")
        return str(9000 + len(self.links))


class Stage:
    """A gateway with everything around it under control: nothing happens by the passing of real time."""

    def __init__(self, database: Database, clock: SettableClock) -> None:
        self.database = database
        self.clock = clock
        self.graph = RecordingGraph()
        self.dialogue = RecordingDialogue()
        self.uploads = RecordingUploads()
        self.rules = Rules(
            intake=IntakeRules(number_ids=(NUMBER_ID,)),
            delivery=DeliveryRules(order_wait=timedelta(0)),  # these phones report nothing
            read_receipts=False,
            tick_seconds=3600,
        )
        self.gateway: Gateway | None = None
        self._messages = 0

    async def start(self, **changes: Any) -> Gateway:
        """Start a gateway; `changes` are fields of its rules."""
        self.rules = replace(self.rules, **changes)
        self.gateway = Gateway(
            database=self.database,
            clock=self.clock,
            graph=self.graph,
            uploads=self.uploads,
            dialogue=self.dialogue,
            rules=self.rules,
        )
        self.dialogue.gateway = self.gateway
        await self.gateway.start()
        await self.gateway._membership.search()  # a claim that was under way at a kill may have outlived it
        self.gateway.look()
        return self.gateway

    async def kill(self) -> None:
        """Let the gateway die where it stands: what it was doing is cut off."""
        if self.gateway is not None:
            await self.gateway.close(grace_seconds=0)
            self.gateway = None

    async def restart(self) -> None:
        """Kill the gateway and start another one on the same store."""
        await self.kill()
        await self.start()

    def message(self, text: str = "Hi", *, sender: str = LEA, **fields: Any) -> dict[str, Any]:
        """Return a text message as webhooks carry it, sent now, under an id of its own."""
        self._messages += 1
        plain = {
            "from": sender,
            "id": f"wamid.IN{self._messages}",
            "timestamp": str(int(self.clock.moment.timestamp())),
            "type": "text",
            "text": {"body": text},
        }
        return {key: value for key, value in (plain | fields).items() if value is not None}

    def status(self, message_id: str, status: str, **fields: Any) -> dict[str, Any]:
        """Return a status as webhooks carry it; `code` makes its error, `key` its callback data."""
        at = str(int(self.clock.moment.timestamp()))
        plain = {"id": message_id, "status": status, "timestamp": at, "recipient_id": LEA}
        if "code" in fields:
            plain["errors"] = [{"code": fields.pop("code"), "title": "x", "error_data": {"details": "y"}}]
        if "key" in fields:
            plain["biz_opaque_callback_data"] = fields.pop("key")
        return plain | fields

    async def say(
        self, contact_id: str, cause: str, ordinal: int, response: dict[str, Any], *, proactive: bool
    ) -> None:
        """Say a response; one that is not proactive answers a message of the customer's."""
        assert self.gateway is not None
        turn = None
        if not proactive:
            turn = Turn(contact_id=contact_id, message_id=cause, cause=cause, sent_at=self.clock.now(), text="")
        await self.gateway.say(contact_id, cause, ordinal, response, turn)

    def hold_turn(self, text: str) -> tuple[asyncio.Event, asyncio.Event]:
        """Let a turn of this text hang: the first event is set when it is under way, the second lets it go on."""
        under_way, go_on = asyncio.Event(), asyncio.Event()

        async def hold(turn: Turn) -> None:
            if turn.text == text:
                under_way.set()
                await go_on.wait()

        self.dialogue.before = hold
        return under_way, go_on

    async def receive(self, *items: dict[str, Any]) -> None:
        """Receive messages and statuses in one body, and let everything that follows happen."""
        await self.hand_in(body_of(*items))
        await self.idle()

    async def hand_in(self, body: bytes) -> None:
        """Hand in a body, and wait until it is taken in: another transaction may have been at work when it came."""
        assert self.gateway is not None
        await self.gateway.receive(body)
        deadline = asyncio.get_running_loop().time() + 30
        while await self.database.run(arrivals.are_waiting):
            assert asyncio.get_running_loop().time() < deadline, "nobody takes the body in"
            await asyncio.sleep(0.001)

    async def idle(self) -> None:
        """Wait until nothing is at work, and nothing waits that could be done at this moment."""
        assert self.gateway is not None
        deadline = asyncio.get_running_loop().time() + 30
        while self._is_busy() or await self.database.run(self._is_something_ready):
            assert asyncio.get_running_loop().time() < deadline, "a lane works without end"
            await asyncio.sleep(0.001)

    def _is_busy(self) -> bool:
        assert self.gateway is not None
        lanes = (self.gateway._turns, self.gateway._sends)
        return bool(self.gateway.reception._moved) or any(each._running or each._look.is_set() for each in lanes)

    def _is_something_ready(self, connection: Connection) -> bool:
        """Look at the bodies first: what is taken in between the two looks has its lanes then."""
        ready = select(schema.lanes.c.kind).where(schema.lanes.c.ready_at <= self.clock.now())
        return arrivals.are_waiting(connection) or connection.execute(ready).first() is not None

    async def until(self, question: Callable[[], Any]) -> None:
        """Wait until the answer is true."""
        deadline = asyncio.get_running_loop().time() + 20
        while not question():
            assert asyncio.get_running_loop().time() < deadline, "it did not happen in twenty seconds"
            await asyncio.sleep(0.001)

    async def nudge(self) -> None:
        """Do what ticks and timers would do by now, then wait until no lane is at work."""
        assert self.gateway is not None
        await self.database.run(firing.fire_due, self.rules.firing, self.clock.now())
        await self.database.run(merging.merge_waiting, self.clock.now())
        await self.gateway._hear_troubles()
        await self.gateway._hear_of_templates()
        self.gateway.look()
        await self.idle()

    async def advance(self, **step: float) -> None:
        """Let time pass and everything happen that is due then."""
        self.clock.advance(**step)
        await self.nudge()

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return all rows of a table, in the order in which they came."""
        chosen = schema.metadata.tables[table]
        order = chosen.c.id if "id" in chosen.c and table != "contacts" else next(iter(chosen.primary_key.columns))
        query = select(chosen).order_by(order)
        return self.database.run_now(lambda connection: [dict(row) for row in connection.execute(query).mappings()])

    def states(self, table: str) -> list[str]:
        """Return the states of all rows of a table."""
        return [row["state"] for row in self.rows(table)]

    @property
    def contact_id(self) -> str:
        """Return the only contact."""
        (row,) = self.rows("contacts")
        return str(row["id"])


def body_of(*items: dict[str, Any], number_id: str = NUMBER_ID) -> bytes:
    """Return a webhook body with these messages and statuses."""
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "4930901820000", "phone_number_id": number_id},
        "messages": [item for item in items if "status" not in item],
        "statuses": [item for item in items if "status" in item],
    }
    change = {"field": "messages", "value": value}
    envelope = {"object": "whatsapp_business_account", "entry": [{"id": "200000000000001", "changes": [change]}]}
    return json.dumps(envelope).encode()


@pytest.fixture
def body() -> Callable[..., bytes]:
    """Return the function that makes a webhook body of messages and statuses."""
    return body_of


@pytest.fixture
def clock() -> SettableClock:
    """Return a clock that stands at ten in the morning, UTC, on 2026-11-22."""
    return SettableClock()


def pytest_configure(config: pytest.Config) -> None:
    """Name the marks of these tests."""
    config.addinivalue_line(
        "markers", "on(kind): run this only on one kind of store, sqlite or postgresql, and tell why"
    )


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tell which tests one process runs: all of a folder that shares servers or a loaded model, else all of a file."""
    for item in items:
        place = item.path.relative_to(ROOT / "tests")
        item.add_marker(pytest.mark.xdist_group(place.parts[0] if place.parts[0] in SHARING else str(place)))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each test that wants a store the kinds on which it runs."""
    if "database" not in metafunc.fixturenames:
        return
    mark = metafunc.definition.get_closest_marker("on")
    both = (SQLITE, POSTGRESQL) if metafunc.module.__name__.rpartition(".")[2] in ON_BOTH else (SQLITE,)
    metafunc.parametrize("database", mark.args if mark else both, indirect=True)


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a PostgreSQL database with the tables of this version; it forgets all when the power goes."""
    folder = tmp_path_factory.mktemp("postgresql")
    (port,) = unused(1)
    made = Postgres(folder=folder / "postgres", port=port)
    try:
        made.make(folder / "initdb.log")
        server = made.server()
    except ProgramMissing as problem:
        pytest.skip(str(problem))
    careless = [part for name in ("fsync", "synchronous_commit", "full_page_writes") for part in ("-c", f"{name}=off")]
    server = replace(server, command=(*server.command, *careless))
    with Stack([server], folder=folder, logs=folder / "logs", limit_seconds=60) as stack:
        stack.start()
        store = Database(made.url)
        store.upgrade()
        store.close()
        yield made.url


@pytest.fixture(scope="session")
def emptied(postgresql: str) -> Callable[[], str]:
    """Return what deletes all rows of the PostgreSQL database and returns its address."""
    return lambda: _emptied(postgresql)


def _emptied(url: str) -> str:
    """Delete row by row: truncating small tables takes much longer."""
    import psycopg2

    parts = make_url(url)
    connection = psycopg2.connect(
        host=parts.host, port=parts.port, user=parts.username, password=parts.password, dbname=parts.database
    )
    tables = [f"DELETE FROM {SCHEMA}.{table.name};" for table in reversed(schema.metadata.sorted_tables)]
    counted = [
        f"ALTER SEQUENCE {SCHEMA}.{table.name}_id_seq RESTART;"
        for table in schema.metadata.sorted_tables
        if "id" in table.c and table.c.id.autoincrement is True
    ]
    with connection, connection.cursor() as cursor:
        cursor.execute("".join(tables + counted))
    connection.close()
    return url


@pytest.fixture(scope="session")
def new_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an SQLite file with the tables of this version: to copy it takes a hundredth of the time of all migrations."""
    path = tmp_path_factory.mktemp("sqlite") / "store.sqlite"
    store = Database(f"sqlite:///{path}")
    store.upgrade()
    store.close()
    return path


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Return an empty store with the tables of this version; it does not wait for the disk, as no test cuts the power."""
    if request.param == POSTGRESQL:
        store = Database(request.getfixturevalue("emptied")())
    else:
        store = Database(f"sqlite:///{shutil.copy(request.getfixturevalue('new_store'), tmp_path / 'store.sqlite')}")
        event.listen(store._engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    yield store
    store.close()


@pytest.fixture
def refusing(database: Database) -> Callable[..., Any]:
    """Return a context in which the store takes no new row of a table, or none for which a condition holds."""

    def begin(connection: Connection, table: str, when: str) -> None:
        if database.is_sqlite:
            connection.exec_driver_sql(
                f"CREATE TRIGGER full_{table} BEFORE INSERT ON {table} WHEN {when} BEGIN SELECT RAISE(ABORT, 'full'); END"
            )
            return
        connection.exec_driver_sql(
            f"CREATE FUNCTION full_{table}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'full'; END$$"
        )
        connection.exec_driver_sql(
            f"CREATE TRIGGER full_{table} BEFORE INSERT ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION full_{table}()"
        )

    def end(connection: Connection, table: str) -> None:
        connection.exec_driver_sql(
            f"DROP TRIGGER full_{table}" if database.is_sqlite else f"DROP FUNCTION full_{table} CASCADE"
        )

    @contextmanager
    def refused(table: str, when: str = "TRUE") -> Iterator[None]:
        database.run_now(begin, table, when)
        try:
            yield
        finally:
            database.run_now(end, table)

    return refused


@pytest_asyncio.fixture
async def stage(database: Database, clock: SettableClock) -> AsyncIterator[Stage]:
    """Return the stage; a test starts the gateway on it."""
    made = Stage(database, clock)
    yield made
    await made.kill()


@pytest.fixture
def sign() -> Callable[[bytes, str], str]:
    """Return the signer of bodies, written apart from the package's own."""

    def signed(body: bytes, secret: str = "demo-app-secret") -> str:
        return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()

    return signed


@pytest.fixture(scope="session")
def webhook() -> Callable[[str], bytes]:
    """Return the reader of the raw bodies in tests/webhooks."""
    return lambda name: (Path(__file__).parent / "webhooks" / f"{name}.json").read_bytes()


@pytest.fixture(scope="session")
def trained_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the example bot's model, trained if there is none or its data is newer; all tests and the demo share it."""
    with open(tmp_path_factory.getbasetemp().parent / "training.lock", "a", encoding="utf-8") as lock:  # noqa: PTH123
        fcntl.flock(lock, fcntl.LOCK_EX)  # several processes run tests: the first one trains for all
        return ensure_model(ROOT, log=tmp_path_factory.mktemp("model") / "train.log")
