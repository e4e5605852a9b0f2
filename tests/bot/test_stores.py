"""Which store is nearest, and how far it is: distances known from geography, not from the formula."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from actions.stores import STORES, ActionFindStore, distance_km, nearest, to_distance
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

BERLIN = (52.52, 13.405)
HAMBURG = (53.551, 9.994)


@pytest.mark.parametrize(
    ("place", "other", "kilometres"),
    [
        pytest.param(BERLIN, BERLIN, 0.0, id="the same place"),
        pytest.param((0.0, 0.0), (1.0, 0.0), 111.195, id="one degree north"),
        pytest.param((0.0, 0.0), (0.0, 90.0), 10_007.557, id="a quarter of the equator"),
        pytest.param((0.0, 0.0), (0.0, 180.0), 20_015.115, id="the other side of the earth"),
        pytest.param((90.0, 0.0), (-90.0, 77.0), 20_015.115, id="from pole to pole"),
        pytest.param((0.0, 179.5), (0.0, -179.5), 111.195, id="across the date line"),
        pytest.param((60.0, 0.0), (60.0, 1.0), 55.597, id="a degree is half as wide at 60 degrees north"),
        pytest.param(BERLIN, HAMBURG, 255.2, id="Berlin to Hamburg"),
        pytest.param(HAMBURG, BERLIN, 255.2, id="and back"),
    ],
)
def test_a_distance_is_measured_on_the_round_earth(
    place: tuple[float, float], other: tuple[float, float], kilometres: float
) -> None:
    """To three in a thousand: the earth is not quite round."""
    assert distance_km(place, other) == pytest.approx(kilometres, rel=0.003, abs=0.001)


@pytest.mark.parametrize(
    ("place", "key"),
    [
        pytest.param((52.39, 13.06), "berlin", id="Potsdam"),
        pytest.param((48.14, 11.58), "berlin", id="Munich"),
        pytest.param((51.05, 13.74), "berlin", id="Dresden"),
        pytest.param((53.08, 8.80), "hamburg", id="Bremen"),
        pytest.param((54.32, 10.14), "hamburg", id="Kiel"),
        pytest.param((50.94, 6.96), "hamburg", id="Cologne"),
        pytest.param((-33.87, 151.21), "berlin", id="Sydney"),
    ],
)
def test_the_nearest_store_is_found(place: tuple[float, float], key: str) -> None:
    """However far it is."""
    assert nearest(place, STORES).key == key


@pytest.mark.parametrize(
    ("kilometres", "german", "english"),
    [
        (0.0, "0 m", "0 m"),
        (0.004, "0 m", "0 m"),
        (0.85, "850 m", "850 m"),
        (0.994, "990 m", "990 m"),
        (0.996, "1,0 km", "1.0 km"),
        (1.24, "1,2 km", "1.2 km"),
        (9.94, "9,9 km", "9.9 km"),
        (9.96, "10 km", "10 km"),
        (255.2, "255 km", "255 km"),
    ],
)
def test_a_distance_is_said_as_people_say_it(kilometres: float, german: str, english: str) -> None:
    """Not more exactly than it is worth, with the language's decimal sign."""
    assert (to_distance(kilometres, "de"), to_distance(kilometres, "en")) == (german, english)


def found(location: Any) -> dict[str, Any]:
    """Return the slots that the action sets for a location."""
    tracker = Tracker("c", {"whatsapp_location": location, "language": "de"}, {}, [], False, None, {}, "action_listen")
    events = asyncio.run(ActionFindStore().run(CollectingDispatcher(), tracker, {}))
    return {event["name"]: event["value"] for event in events}


def test_a_shared_location_becomes_the_facts_of_a_store() -> None:
    """Its key chooses the sentence and the map."""
    assert found({"latitude": 52.53, "longitude": 13.405, "name": "Home"}) == {
        "nearest_store": "berlin",
        "store_distance": "1,1 km",
    }


@pytest.mark.parametrize("location", [None, {}, {"latitude": 1.0}])
def test_without_coordinates_nothing_is_said_to_be_near(location: Any) -> None:
    """The slot stays as the customer's message set it, so the answer says that it did not work."""
    assert found(location) == {}
