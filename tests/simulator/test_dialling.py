"""Numbers as dialled and as known: country codes, a missing `+`, Brazil and Mexico."""

from __future__ import annotations

import pytest

from rasa_whatsapp.simulator.dialling import calling_code, dialled_from, spellings, whatsapp_spelling

from .conftest import Simulator

LONG_BRAZIL, SHORT_BRAZIL = "5511987654321", "551187654321"
LONG_MEXICO, SHORT_MEXICO = "5215512345678", "525512345678"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("14155550100", "1"),
        ("79161234567", "7"),
        ("4915112345678", "49"),
        ("35391123456", "353"),
        ("97221234567", "972"),
    ],
)
def test_calling_code(number: str, code: str) -> None:
    """One, two or three digits."""
    assert calling_code(number) == code


@pytest.mark.parametrize(
    ("number", "other"),
    [
        pytest.param(LONG_BRAZIL, SHORT_BRAZIL, id="Brazil with the 9"),
        pytest.param(SHORT_BRAZIL, LONG_BRAZIL, id="Brazil without the 9"),
        pytest.param(LONG_MEXICO, SHORT_MEXICO, id="Mexico with the 1"),
        pytest.param(SHORT_MEXICO, LONG_MEXICO, id="Mexico without the 1"),
        pytest.param("551133334444", None, id="Brazilian landline"),
        pytest.param("4915112345678", None, id="Germany"),
    ],
)
def test_spellings(number: str, other: str | None) -> None:
    """A Brazilian or Mexican mobile has two, the given one first."""
    assert spellings(number) == ((number,) if other is None else (number, other))


@pytest.mark.parametrize(
    ("number", "known_as"),
    [
        pytest.param(SHORT_BRAZIL, LONG_BRAZIL, id="Sao Paulo has the 9"),
        pytest.param("5531987654321", "553187654321", id="Belo Horizonte has not"),
        pytest.param(SHORT_MEXICO, LONG_MEXICO, id="Mexico has the 1"),
        pytest.param("4915112345678", "4915112345678", id="Germany stays"),
    ],
)
def test_strangers_spelling(number: str, known_as: str) -> None:
    """A number that nobody has met is known in WhatsApp's own way."""
    assert whatsapp_spelling(number) == known_as


def test_number_without_plus_gets_the_senders_country_code() -> None:
    """As Meta's page says; a number that would be too long stays."""
    assert dialled_from("4930901820000", "15112345678") == "4915112345678"
    assert dialled_from("4930901820000", "99915112345678") == "99915112345678"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("customer", "to", "wa_id"),
    [
        pytest.param(SHORT_BRAZIL, f"+{LONG_BRAZIL}", SHORT_BRAZIL, id="known without the 9"),
        pytest.param(LONG_BRAZIL, f"+{SHORT_BRAZIL}", LONG_BRAZIL, id="known with the 9"),
        pytest.param(SHORT_MEXICO, f"+{LONG_MEXICO}", SHORT_MEXICO, id="known without the 1"),
        pytest.param(LONG_MEXICO, SHORT_MEXICO, LONG_MEXICO, id="known, dialled without plus"),
        pytest.param("4915112345678", "4915112345678", "4915112345678", id="answered by the bare wa_id"),
        pytest.param("4915112345678", "15112345678", "4915112345678", id="national number"),
        pytest.param("4915100000000", "915112345678", "49915112345678", id="stranger without plus: the wrong person"),
        pytest.param("4915100000000", "+915112345678", "915112345678", id="stranger with plus"),
    ],
)
async def test_answer_names_the_real_wa_id(simulator: Simulator, customer: str, to: str, wa_id: str) -> None:
    """`input` is what was dialled, `wa_id` whom it reached; no second customer comes into being for a known one."""
    await simulator.write(wa_id=customer)
    body = {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": "Hello"}}
    status, answer = await simulator.graph(body)
    assert (status, answer["contacts"]) == (200, [{"input": to, "wa_id": wa_id}])
    customers = (await simulator.get("customers"))["customers"]
    assert [known["wa_id"] for known in customers] == list(dict.fromkeys([customer, wa_id]))
