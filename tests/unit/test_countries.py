"""The country of a phone number."""

from __future__ import annotations

import pytest

from rasa_whatsapp.countries import of_number


@pytest.mark.parametrize(
    ("wa_id", "country"),
    [
        ("4915112345678", "DE"),
        ("33600000001", "FR"),
        ("5215512345678", "MX"),
        ("88016", "BD"),
        ("12025550123", "US"),
        ("14165550123", "CA"),
        ("79161234567", "RU"),
        ("77011234567", "KZ"),
        ("447400123456", "GB"),
        ("8821234567", ""),
        ("9991234567", ""),
        ("1", ""),
        ("", ""),
        ("DE.9Zk3abc", ""),
        ("٤٩١٥١١٢٣٤٥٦٧٨", ""),
        (None, ""),
    ],
)
def test_country_of_a_number(wa_id, country):
    """By its code, where several share one by the digits after it; none if it has none or is no number."""
    assert of_number(wa_id) == country
