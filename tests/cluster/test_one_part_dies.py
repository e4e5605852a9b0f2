"""Whatever part of a deployment dies, each message is answered, and answered once."""

from __future__ import annotations

import pytest
import requests

GREETING = "Hello!"


def test_answers_arrive_once(cluster, phone, settled, query):
    """Many customers at once, two Rasa servers: one answer each; channel and trackers are in one database."""
    phones = [phone() for _ in range(12)]
    for each in phones:
        each.write("Hello")
    for each in phones:
        assert GREETING in each.wait_for(1)[0]
    settled()
    assert [len(each.answers()) for each in phones] == [1] * 12
    assert query("SELECT count(DISTINCT sender_id) >= 12 FROM public.events") == [(True,)]


@pytest.mark.parametrize("name", ["rasa-1", "rasa-2"])
def test_a_rasa_server_is_killed(cluster, phone, settled, name):
    """The other one takes all the turns, also of those who talked to the dead one before."""
    phones = [phone() for _ in range(6)]
    for each in phones:
        each.write("Hello")
        each.wait_for(1)
    cluster.kill(name)
    for each in phones:
        each.write("Hello")
    for each in phones:
        assert GREETING in each.wait_for(2)[1]
    settled()
    assert [len(each.answers()) for each in phones] == [2] * 6


def test_the_intake_is_killed(cluster, phone, settled):
    """The proxy hands webhooks to the Rasa servers; nobody notices."""
    cluster.kill("intake")
    one = phone()
    one.write("Hello")
    assert GREETING in one.wait_for(1)[0]
    settled()
    assert requests.get(cluster.url("proxy") + "/webhooks/whatsapp/", timeout=10).status_code == 200
    cluster.start("intake")
    one.write("Hello")
    assert GREETING in one.wait_for(2)[1]
    settled()
    assert len(one.answers()) == 2


def test_postgres_is_killed_and_comes_back(cluster, phone, settled, wait_until_ready):
    """What is written meanwhile waits at Meta; then everything goes on, without a restart of anything else."""
    one, other = phone(), phone()
    one.write("Hello")
    one.wait_for(1)
    cluster.kill("postgres")
    one.write("Hello")
    other.write("Hello")
    wait_until_ready("intake", ready=False)
    cluster.start("postgres")
    assert GREETING in one.wait_for(2)[1]
    assert GREETING in other.wait_for(1)[0]
    settled()
    assert [len(one.answers()), len(other.answers())] == [2, 1]
    for name in ("intake", "rasa-1", "rasa-2"):
        wait_until_ready(name)
    cluster.check()


def test_redis_is_killed_and_comes_back(cluster, phone, settled):
    """No turn runs without the lock store; what waits runs when it is back."""
    one = phone()
    one.write("Hello")
    one.wait_for(1)
    cluster.kill("redis")
    one.write("Hello")
    cluster.start("redis")
    assert GREETING in one.wait_for(2)[1]
    settled()
    assert len(one.answers()) == 2
    cluster.check()


def test_the_action_server_is_killed(cluster, phone, settled):
    """What needs no custom action is answered as ever."""
    cluster.kill("actions")
    one = phone()
    one.write("Hello")
    assert GREETING in one.wait_for(1)[0]
    settled()
    assert len(one.answers()) == 1


def test_all_is_killed_and_comes_back(cluster, phone, settled):
    """A power failure between a message and its answer."""
    one = phone()
    one.write("Hello")
    for name in ("rasa-1", "rasa-2", "intake", "proxy", "postgres", "redis", "actions", "simulator"):
        cluster.kill(name)
    cluster.start()
    assert GREETING in one.wait_for(1)[0]
    settled()
    assert len(one.answers()) == 1
