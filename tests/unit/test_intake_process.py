"""`rasa-whatsapp intake` as a process of its own: what Meta is answered, and that what was answered is in the store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timezone

import pytest
import requests
from sqlalchemy import select, update

from rasa_whatsapp.cloud.templates.states import Aspect, News, Source, Word
from rasa_whatsapp.demo.ports import unused
from rasa_whatsapp.storage import schema, template_states
from rasa_whatsapp.storage.database import Database

SECRET = "demo-app-secret"
SUBSCRIPTION = {"hub.mode": "subscribe", "hub.challenge": "4711", "hub.verify_token": "word"}


class Running:
    """An intake that serves."""

    def __init__(self, folder, url, **settings):
        (self.port,) = unused(1)
        self.address = f"http://127.0.0.1:{self.port}/webhooks/whatsapp"
        self.log = folder / "intake.log"
        more = "".join(f"  {name}: {value}\n" for name, value in settings.items())
        (folder / "credentials.yml").write_text(
            "rasa_whatsapp.WhatsAppInput:\n"
            "  phone_number_id: 100000000000001\n"
            "  access_token: token\n"
            f"  app_secret: {SECRET}\n"
            "  verify_token: word\n"
            f"  database_url: {url}\n{more}"
        )
        command = [sys.executable, "-m", "rasa_whatsapp.cli", "intake", "--port", str(self.port)]
        environment = {name: value for name, value in os.environ.items() if name != "RASA_WHATSAPP_CLOCK_URL"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)

    def wait_until_ready(self):
        """Return when it takes webhooks."""
        deadline = time.monotonic() + 30
        while True:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            try:
                if self.get("/ready").status_code == 200:
                    return
            except requests.ConnectionError:
                time.sleep(0.05)

    def get(self, path, **query):
        """Ask for something."""
        return requests.get(f"{self.address}{path}", params=query, timeout=10)

    def post(self, body, **headers):
        """Deliver a webhook."""
        return requests.post(f"{self.address}/webhook", data=body, headers=headers, timeout=10)

    def stop(self):
        """End it in order: it finishes what it was at, and then ends by the signal that it was sent."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) in (0, -signal.SIGTERM), self.log.read_text()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request, tmp_path_factory):
    """Return the address of a store of each kind, whose tables are there."""
    if request.param == "postgresql":
        return request.getfixturevalue("emptied")()
    return f"sqlite:///{tmp_path_factory.mktemp('intake') / 'store.sqlite'}"


@pytest.fixture(scope="module")
def intake(url, tmp_path_factory):
    """Return an intake that is ready; the tests share it."""
    folder = tmp_path_factory.mktemp("intake")
    (folder / "templates.yml").write_text(
        "whatsapp_templates:\n- {name: news, language: en, category: UTILITY, components: [{type: BODY, text: Hello}]}\n"
    )
    running = Running(folder, url, backlog_limit=50, templates="templates.yml")
    running.wait_until_ready()
    yield running
    running.stop()
    assert "Traceback" not in running.log.read_text()


@pytest.fixture
def store(url, intake):
    """Return the store that it fills, empty."""
    made = Database(url)
    for table in (schema.lanes, schema.inbox, schema.aliases, schema.contacts, schema.arrivals):
        made.run_now(lambda connection, table=table: connection.execute(table.delete()))
    yield made
    made.close()


@pytest.fixture
def message(body):
    """Return the maker of a signed body with one message."""

    def make(text="Hi", ident="wamid.A", sender="4915112345678"):
        return body(
            {
                "from": sender, "id": ident, "timestamp": str(int(time.time())), "type": "text", "text": {"body": text},
            }
        )  # fmt: skip

    return make


def states(store):
    """Return the states of the messages that are taken in."""
    return store.run_now(
        lambda connection: connection.execute(select(schema.inbox.c.state).order_by(schema.inbox.c.id)).scalars().all()
    )


def test_a_message_is_in_the_store_when_it_is_acknowledged(intake, store, message, sign):
    """With a lane that any Rasa server may take."""
    raw = message()
    answer = intake.post(raw, **{"X-Hub-Signature-256": sign(raw, SECRET)})
    assert (answer.status_code, answer.text) == (200, "ok")
    assert states(store) == ["received"]
    (lane,) = store.run_now(lambda connection: connection.execute(select(schema.lanes)).mappings().all())
    assert (lane["kind"], lane["owner"]) == ("turns", None)


@pytest.mark.parametrize("status", ["PAUSED", "DISABLED"])
def test_a_template_that_was_lost_is_an_alarm(intake, store, status):
    """Whoever took in what Meta said of it, until it is approved again."""

    def alarms_after(value):
        news = News(aspect=Aspect.STATUS, value=value)
        word = Word(key=("news", "en"), news=news, at=datetime.now(timezone.utc), source=Source.WEBHOOK)
        store.run_now(template_states.note, [word])
        deadline = time.monotonic() + 10
        while bool(alarms := intake.get("/ready").json()["alarms"]) is (value == "APPROVED"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return alarms

    (alarm,) = alarms_after(status)
    assert alarm.startswith(f"template news (en): it is {status} since ")
    assert alarms_after("APPROVED") == []


def test_many_at_once_are_all_taken_in(intake, store, message, sign):
    """Each is acknowledged, and in a moment each has its row; a redelivery has none."""
    from concurrent.futures import ThreadPoolExecutor

    bodies = [message(str(number), f"wamid.{number}", f"49{number}") for number in range(20)] * 2

    def deliver(raw):
        return intake.post(raw, **{"X-Hub-Signature-256": sign(raw, SECRET)}).status_code

    with ThreadPoolExecutor(20) as threads:
        assert set(threads.map(deliver, bodies)) == {200}
    deadline = time.monotonic() + 10
    while len(states(store)) < 20:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert states(store) == ["received"] * 20


@pytest.mark.parametrize(
    ("headers", "status", "told"),
    [
        ({}, 401, "signature_missing"),
        ({"X-Hub-Signature-256": "sha256=" + "0" * 64}, 403, "signature_invalid"),
        ({"X-Hub-Signature-256": "nonsense"}, 403, "signature_invalid"),
    ],
    ids=["no signature", "a wrong one", "nonsense"],
)
def test_a_body_that_is_not_metas(intake, store, message, headers, status, told):
    """It is refused, and nothing is stored."""
    answer = intake.post(message(), **headers)
    assert (answer.status_code, answer.text) == (status, told)
    assert states(store) == []


@pytest.mark.parametrize("raw", [b"", b"[]", b"no JSON", b'{"object": '], ids=["empty", "a list", "words", "cut off"])
def test_a_signed_body_that_is_no_webhook(intake, store, raw, sign):
    """It is told so."""
    answer = intake.post(raw, **{"X-Hub-Signature-256": sign(raw, SECRET)})
    assert (answer.status_code, answer.text) == (400, "webhook_malformed")
    assert states(store) == []


def test_a_body_that_is_too_large(intake, sign):
    """It is refused unread, signed or not; the process lives on."""
    raw = b"x" * 3_500_008
    answer = intake.post(raw, **{"X-Hub-Signature-256": sign(raw, SECRET)})
    assert (answer.status_code, answer.text) == (413, "body_too_large")
    assert "A webhook was refused: more than 3145728 bytes, the most that Meta sends." in intake.log.read_text()
    assert intake.get("/").status_code == 200


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ({}, 200, "4711"),
        ({"hub.verify_token": "another"}, 403, "forbidden"),
        ({"hub.mode": "unsubscribe"}, 403, "forbidden"),
        ({"hub.verify_token": ""}, 403, "forbidden"),
    ],
    ids=["Meta's", "another word", "another mode", "no word"],
)
def test_the_subscription(intake, query, status, told):
    """The challenge is answered to whoever knows the word."""
    answer = intake.get("/webhook", **(SUBSCRIPTION | query))
    assert (answer.status_code, answer.text) == (status, told)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 200), ("GET", "/nowhere", 404), ("PUT", "/webhook", 405), ("POST", "/ready", 405)],
)
def test_other_doors(intake, method, path, status):
    """There are no more than these."""
    assert requests.request(method, f"{intake.address}{path}", timeout=10).status_code == status


def test_a_full_backlog(intake, store, message, sign):
    """Fifty wait: more is answered 503, and so is the question whether it is ready; then there is room again."""
    from rasa_whatsapp.storage import arrivals

    now = schema.Moment().process_result_value(0, None)
    store.run_now(arrivals.write_down, [message(str(number), f"wamid.{number}") for number in range(50)], now)
    until(lambda: intake.get("/ready").status_code == 503)
    assert "50 messages wait for their turn" in intake.get("/ready").json()["reason"]
    raw = message("late", "wamid.late")
    answer = intake.post(raw, **{"X-Hub-Signature-256": sign(raw, SECRET)})
    assert (answer.status_code, answer.text) == (503, "backlog_full")
    until(lambda: len(states(store)) == 50)
    store.run_now(lambda connection: connection.execute(update(schema.inbox).values(state="done")))
    until(lambda: intake.get("/ready").status_code == 200)
    answer = intake.post(raw, **{"X-Hub-Signature-256": sign(raw, SECRET)})
    assert answer.status_code == 200


def test_a_store_that_cannot_be_used(intake, store, url, message, sign):
    """The tables are away for a moment: 503, so that Meta delivers again; afterwards all is well."""
    tables = ("inbox", "arrivals")
    for table in tables:
        store.run_now(
            lambda connection, table=table: connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO gone_{table}")
        )
    raw = message()
    try:
        answer = intake.post(raw, **{"X-Hub-Signature-256": sign(raw, SECRET)})
        assert (answer.status_code, answer.text) == (503, "not_stored")
        until(lambda: intake.get("/ready").status_code == 503)
        assert (
            intake.get("/ready").json()["reason"].startswith(("the store does not answer", "the store takes nothing"))
        )
    finally:
        for table in tables:
            store.run_now(
                lambda connection, table=table: connection.exec_driver_sql(
                    f"ALTER TABLE gone_{table} RENAME TO {table}"
                )
            )
    until(lambda: intake.get("/ready").status_code == 200)
    assert intake.post(raw, **{"X-Hub-Signature-256": sign(raw, SECRET)}).status_code == 200
    assert states(store) == ["received"]


def until(question):
    """Wait until the answer is true."""
    deadline = time.monotonic() + 10
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_kill_loses_nothing(tmp_path, body, message, sign):
    """SIGKILL the moment after the answer: the message is there, and the next one serves at once."""
    url = f"sqlite:///{tmp_path / 'killed.sqlite'}"
    first = Running(tmp_path, url)
    first.wait_until_ready()
    raw = message()
    assert first.post(raw, **{"X-Hub-Signature-256": sign(raw, SECRET)}).status_code == 200
    first.process.kill()
    first.process.wait()
    second = Running(tmp_path, url)
    second.wait_until_ready()
    assert second.post(raw, **{"X-Hub-Signature-256": sign(raw, SECRET)}).status_code == 200
    second.stop()
    kept = Database(url)
    assert states(kept) == ["received"]
    kept.close()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (
            "postgresql://bot:hunter2@127.0.0.1:1/bot",
            "database_url postgresql://bot:***@127.0.0.1:1/bot cannot be used: nobody listens there",
        ),
        (
            "sqlite:////proc/nowhere/store.sqlite",
            "database_url sqlite:////proc/nowhere/store.sqlite cannot be used: No such file or directory (/proc/nowhere)",
        ),
    ],
    ids=["no server there", "no folder to be had"],
)
def test_it_does_not_start_without_its_store(tmp_path, url, told):
    """It ends with a sentence, and without the password."""
    running = Running(tmp_path, url)
    assert running.process.wait(30) != 0
    log = running.log.read_text()
    assert told in log
    assert "Traceback" not in log
    assert "hunter2" not in log
