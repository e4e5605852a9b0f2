"""Damage the webhook bodies of tests/webhooks in many ways, and check what may never happen, however damaged a body is.

    python tests/fuzz/damaged_webhooks.py --runs 300000 --seed 7

A run that fails is named by the seed and its number; `--first NUMBER --runs 1` with the same seed repeats it.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import damage

from rasa_whatsapp.cloud.content import INTENTS, Aside, Shared
from rasa_whatsapp.cloud.inbound import Broken, Event, MessageReceived, parse, read_message
from rasa_whatsapp.cloud.wire import MOST_LEVELS, is_deep
from rasa_whatsapp.errors import WebhookMalformed

BODIES = [path.read_bytes() for path in sorted((Path(__file__).parent.parent / "webhooks").glob("*.json"))]
CHUNK = 1000
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")


class Harm(Exception):
    """What may never happen has happened."""


def main() -> int:
    """Run, report, and tell by the exit status whether everything held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=300_000)
    parser.add_argument("--seed", type=int, default=None, help="default: another one each time")
    parser.add_argument("--first", type=int, default=0, help="number of the first run")
    parser.add_argument("--processes", type=int, default=None, help="default: one per core")
    options = parser.parse_args()
    seed = secrets.randbelow(2**32) if options.seed is None else options.seed
    say(f"{options.runs:,} damaged bodies from {len(BODIES)} whole ones, seed {seed}")
    started = time.perf_counter()
    seen: Counter[str] = Counter()
    harms: list[str] = []
    last = options.first + options.runs
    with ProcessPoolExecutor(options.processes) as pool:
        chunks = [
            pool.submit(runs, seed, first, min(first + CHUNK, last)) for first in range(options.first, last, CHUNK)
        ]
        for number, chunk in enumerate(as_completed(chunks), start=1):
            counted, found = chunk.result()
            seen.update(counted)
            harms.extend(found)
            progress(number / len(chunks), len(harms), time.perf_counter() - started)
    for name, count in sorted(seen.items()):
        say(f"{count:>10,} {name}")
    say("\n".join(harms[:20]) or "nothing that may never happen has happened")
    return 1 if harms else 0


def say(line: str) -> None:
    """Write a line of the report."""
    sys.stdout.write(f"{line}\n")


def progress(part: float, harms: int, seconds: float) -> None:
    """Show on stderr how far it is."""
    end = "\n" if part == 1 else ""
    sys.stderr.write(f"\r{part:4.0%}  {seconds:5.0f} s  {harms} failures{end}")
    sys.stderr.flush()


def runs(seed: int, first: int, end: int) -> tuple[Counter[str], list[str]]:
    """Do the runs of these numbers; return what was seen and what went wrong."""
    seen: Counter[str] = Counter()
    harms = []
    for number in range(first, end):
        rng = random.Random(f"{seed}/{number}")
        run = rng.choice((run_bytes, run_values, run_values, run_batch))
        try:
            seen.update(run(rng))
        except Exception as problem:  # noqa: BLE001 - whatever it is, it is what is looked for
            harms.append(f"--seed {seed} --first {number} --runs 1: {type(problem).__name__}: {str(problem)[:300]}")
    return seen, harms


def run_bytes(rng: random.Random) -> Iterator[str]:
    """Damage the bytes of a body, so that it is mostly no JSON any more."""
    body = rng.choice(BODIES)
    for _ in range(rng.randint(1, 4)):
        body = damage.damaged_bytes(rng, body, rng.choice(BODIES))
    yield "body with damaged bytes"
    yield from checked(body)


def run_values(rng: random.Random) -> Iterator[str]:
    """Damage the values of a body that stays JSON."""
    envelope = json.loads(rng.choice(BODIES))
    for _ in range(rng.randint(1, 5)):
        damage.damage_one(rng, envelope)
    yield "body with damaged values"
    yield from checked(damage.written(rng, envelope, escaped=rng.random() < 0.7))


def run_batch(rng: random.Random) -> Iterator[str]:
    """Put one damaged item among good ones; each good one must become the events that it becomes alone."""
    source = json.loads(rng.choice(BODIES))
    places = list(lists_of(source))
    if not places:
        return
    value, key = rng.choice(places)
    good = [named(item, str(index)) for index, item in enumerate(rng.choices(value[key], k=rng.randint(2, 6)))]
    expected = [event for item in good for event in alone(source, value, key, item)]
    held = {"item": damage.copied(rng.choice(good))}
    for _ in range(rng.randint(1, 4)):
        damage.damage_one(rng, held)
    place = rng.randrange(len(good) + 1)
    body = damage.written(rng, within(source, value, key, [*good[:place], held.get("item"), *good[place:]]))
    events = parse(body)
    for event in expected:
        if event not in events:
            raise Harm(f"a good {type(event).__name__} in {key} was lost to its neighbour")
    yield "batch with a damaged item"
    yield from checked(body)


def alone(source: Any, value: dict[str, Any], key: str, item: Any) -> list[Event]:
    """Return the events that an item becomes without neighbours; what stands beside its list is not its own."""
    with_it = parse(json.dumps(within(source, value, key, [item])).encode())
    without = parse(json.dumps(within(source, value, key, [])).encode())
    return [event for event in with_it if event not in without and key not in event.raw]


def lists_of(envelope: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the places where items stand that do not know of each other."""
    for entry in envelope.get("entry", ()):
        for change in entry.get("changes", ()) if isinstance(entry, dict) else ():
            value = change.get("value") if isinstance(change, dict) else None
            for key in ("messages", "statuses", "calls", "message_echoes", "user_id_update", "user_preferences"):
                if isinstance(value, dict) and isinstance(value.get(key), list) and value[key]:
                    yield value, key


def within(source: Any, value: dict[str, Any], key: str, items: list[Any]) -> Any:
    """Return the source with these items in this place."""
    value[key] = items
    return source


def named(item: Any, name: str) -> Any:
    """Return a copy of the item under an id of its own."""
    return (
        {**item, "id": f"{item['id']}.{name}"} if isinstance(item, dict) and isinstance(item.get("id"), str) else item
    )


def checked(body: bytes) -> Iterator[str]:
    """Parse a body and check what must hold for each event; yield what came."""
    started = time.process_time()
    try:
        events = parse(body)
    except WebhookMalformed:
        yield "-> no webhook"
        return
    if time.process_time() - started > 5:
        raise Harm(f"parsing {len(body)} bytes took longer than 5 seconds")
    if events != parse(body):
        raise Harm("the same body became other events the second time")
    for event in events:
        check(event)
        yield f"-> {type(event).__name__}"


def check(event: Event) -> None:
    """Raise Harm if an event could not be stored, handed on or read again."""
    for field in fields(event):
        storable(field.name, getattr(event, field.name))
    if len(event.number_id) > 40:
        raise Harm("number_id is too long for its column")
    if json.loads(json.dumps(event.raw, allow_nan=False)) != event.raw:
        raise Harm("raw comes back from the store as something else")
    if isinstance(event, Broken) and not event.reason:
        raise Harm("a broken message has no reason")
    if isinstance(event, MessageReceived):
        if read_message(event.number_id, json.loads(json.dumps(event.raw))) != event:
            raise Harm("the message reads differently from what is stored")
        content = event.content
        if isinstance(content, (Shared, Aside)) and content.intent is not None:
            entity = INTENTS[content.intent]
            if set(content.entities) != ({entity} if entity else set()):
                raise Harm(f"{content.intent} came with other entities than the table says")


def storable(name: str, value: Any) -> None:
    """Raise Harm if a value, at any depth, is nothing that every store and every reader of JSON takes."""
    if is_dataclass(value):
        for field in fields(value):
            storable(f"{name}.{field.name}", getattr(value, field.name))
    elif isinstance(value, (dict, list)):
        if is_deep(value, MOST_LEVELS):
            raise Harm(f"{name} is nested too deeply")
        for child in (*value, *value.values()) if isinstance(value, dict) else value:
            storable(name, child)
    elif isinstance(value, str) and UNSTORABLE.search(value):
        raise Harm(f"{name} holds NUL or half a surrogate pair")
    elif isinstance(value, datetime) and not abs(value - EPOCH) < timedelta(days=366 * 9000):
        raise Harm(f"{name} is no moment that can be stored")
    elif isinstance(value, (int, float)) and not math.isfinite(value):
        raise Harm(f"{name} is no number")


if __name__ == "__main__":
    sys.exit(main())
