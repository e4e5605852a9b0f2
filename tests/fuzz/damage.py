"""Ways to damage a webhook body: its bytes, the values in it, the JSON in its texts, and what no JSON encoder would write."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

# What json.dumps cannot write is put into the text afterwards, in place of these.
RAW = {
    "@@deep list@@": lambda rng: "[" * (depth := rng.choice((17, 60, 64, 65, 300, 900, 980, 1200))) + "]" * depth,
    "@@deep object@@": lambda rng: '{"a":' * (depth := rng.choice((17, 64, 65, 300, 900, 1200))) + "0" + "}" * depth,
    "@@huge float@@": lambda rng: rng.choice(("1e999", "-1e999", "1e308", "0." + "1" * 5000)),
    "@@huge integer@@": lambda rng: rng.choice(("", "-")) + "9" * rng.choice((19, 30, 299, 300, 301, 400, 5000)),
    "@@no number@@": lambda rng: rng.choice(("NaN", "Infinity", "-Infinity")),
    "@@half a pair@@": lambda rng: rng.choice(
        (r'"a\ud83dz"', r'"\udc4d"', r'"\ud83d\ud83d"', r'"\\\ud83d"', r'"\\ud83d"')
    ),
    "@@nul@@": lambda rng: rng.choice((r'"\u0000"', r'"a\u0000b"', r'"\\u0000"', r'"\\\u0000"')),
}
VALUES = (
    *RAW, None, True, False, 0, 1, -1, 1.5, -0.0, 2**31, 1795341600, "", " ", "0", "-1", "1e5", "١", "1_000", "1795341600", "x" * 5000,
    "text", "interactive", "nfm_reply", "system", "call", "user_changed_number", "wamid.A", [], {}, [None], [{}], {"id": "1"}, [[]],
)  # fmt: skip


def damaged_bytes(rng: random.Random, body: bytes, other: bytes) -> bytes:
    """Return a body with one place flipped, cut off, cut out, doubled, filled with noise or with a piece of another body."""
    place, elsewhere = rng.randrange(len(body) + 1), rng.randrange(len(other) + 1)
    length = rng.choice((1, 1, 2, 8, 64, 512))
    head, piece, tail = body[:place], body[place : place + length], body[place + length :]
    ways = (
        head + rng.randbytes(1) + body[place + 1 :],
        head,
        head + tail,
        head + piece + piece + tail,
        head + rng.randbytes(length) + piece + tail,
        head + other[elsewhere : elsewhere + length] + tail,
    )
    return rng.choice(ways)


def damage_one(rng: random.Random, root: Any) -> None:
    """Change one thing in a JSON value, in place."""
    holders = list(holders_of(root))
    holder = rng.choice(holders)
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    if not keys:
        return
    key = rng.choice(keys)
    other = rng.choice(holders)
    how = rng.randrange(8)
    if how <= 2:
        holder[key] = copied(rng.choice(VALUES))
    elif how == 3:
        del holder[key]
    elif how == 4 and isinstance(holder, dict):
        holder[rng.choice(("id", "type", "@@key@@", str(key).upper(), "extra", ""))] = holder.pop(key)
    elif how == 5 and isinstance(holder, list):
        holder.insert(key, copied(holder[key]))
    elif how == 6:
        holder[key] = copied(other)
    elif isinstance(holder[key], str):
        holder[key] = damaged_text(rng, holder[key])


def damaged_text(rng: random.Random, text: str) -> str:
    """Return a text with one thing changed; a text that is JSON is damaged as JSON, too."""
    if "@@" in text:
        return text  # a place for what is put in afterwards
    if text[:1] in ("{", "[") and rng.random() < 0.7:
        try:
            inner = [json.loads(text)]
        except (ValueError, RecursionError):
            inner = []
        if inner and inner[0]:
            damage_one(rng, inner)
            return written(rng, inner[0] if inner else None).decode()
    place = rng.randrange(len(text) + 1)
    piece = rng.choice(
        (
            "\x00",
            "\ud83d",
            "\udc4d",
            "\U0001f44d",
            "\\u0000",
            '"',
            "\\",
            "\u200b",
            " ",
            "7" * 400,
            "[" * 70,
            "y" * 120_000,
        )
    )
    return text[:place] + piece + text[place + rng.choice((0, 0, 1, 5)) :]


def copied(value: Any) -> Any:
    """Return a copy of a JSON value; what is too deep for the encoder (RAW writes that) becomes None."""
    try:
        return json.loads(json.dumps(value))
    except RecursionError:
        return None


def holders_of(value: Any) -> Iterator[Any]:
    """Yield all lists and objects of a JSON value."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, (dict, list)):
            yield found
            waiting.extend(found.values() if isinstance(found, dict) else found)


def written(rng: random.Random, value: Any, *, escaped: bool = True) -> bytes:
    """Return the JSON text, escaped as Meta does or not, with what no encoder writes put in."""
    text = json.dumps(value, ensure_ascii=escaped)
    for name, write in RAW.items():
        while f'"{name}"' in text:
            text = text.replace(f'"{name}"', write(rng), 1)
    return text.replace("@@key@@", rng.choice((r"\ud83d", r"\u0000", "k" * 300))).encode("utf-8", "surrogatepass")
