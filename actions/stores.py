"""Which store is nearest: a location that the customer shared becomes a store and a distance. Pure but for the action."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

EARTH_RADIUS_KM = 6371.0088  # the mean radius, https://en.wikipedia.org/wiki/Earth_radius


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """One store of the shop; `key` is what the responses of the domain ask for, the coordinates are degrees."""

    key: str
    latitude: float
    longitude: float


STORES = (
    Store(key="berlin", latitude=52.52, longitude=13.405),
    Store(key="hamburg", latitude=53.551, longitude=9.994),
)


class ActionFindStore(Action):
    """Finds the store that is nearest to the location that the customer just shared."""

    def name(self) -> str:
        """Return the name in the domain."""
        return "action_find_store"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        """Return the store's key and its distance as slots; nothing without coordinates."""
        location = tracker.get_slot("whatsapp_location") or {}
        if not {"latitude", "longitude"} <= set(location):
            return []
        place = (float(location["latitude"]), float(location["longitude"]))
        store = nearest(place, STORES)
        distance = distance_km(place, (store.latitude, store.longitude))
        said = to_distance(distance, tracker.get_slot("language") or "en")
        return [SlotSet("nearest_store", store.key), SlotSet("store_distance", said)]


def nearest(place: tuple[float, float], stores: Sequence[Store]) -> Store:
    """Return the store that is nearest to a latitude and longitude; the first of equally near ones."""
    return min(stores, key=lambda store: distance_km(place, (store.latitude, store.longitude)))


def distance_km(place: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the kilometres between two (latitude, longitude) in degrees, along the surface of a round earth.

    The haversine formula stays exact for places that are close together: https://en.wikipedia.org/wiki/Haversine_formula
    """
    latitude, longitude, other_latitude, other_longitude = map(radians, (*place, *other))
    half_chord = sin((other_latitude - latitude) / 2) ** 2
    half_chord += cos(latitude) * cos(other_latitude) * sin((other_longitude - longitude) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(min(1.0, half_chord)))


def to_distance(kilometres: float, language: str) -> str:
    """Return e.g. `850 m`, `1.2 km` (`1,2 km` in German) or `255 km`: tens of metres, then hundreds, then kilometres."""
    if kilometres < 0.995:
        return f"{round(kilometres * 100) * 10} m"
    text = f"{kilometres:.1f}" if kilometres < 9.95 else f"{kilometres:.0f}"
    return f"{text.replace('.', ',') if language == 'de' else text} km"
