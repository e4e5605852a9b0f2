"""The buttons of a template and what a response gives for them, to their components.

An entry of `buttons` goes to the first button of its kind that has none yet, so the order counts only among buttons of one kind;
`index` counts over all buttons of the template. Buttons that take nothing (phone, product, voice call) are never sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.templates.translations import Button
from rasa_whatsapp.cloud.templates.values import ValueReader
from rasa_whatsapp.cloud.wire import JSONDict

_NO_TOKEN = "unused"  # noqa: S105 - what Meta itself takes for a flow that is given none


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """A kind of button that takes a value: what one and several are called, how its value is sent, whether it must have one."""

    one: str
    many: str
    sub_type: str
    sent: Callable[[Button, JSONDict, str, ValueReader], JSONDict]
    needed: bool = True


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a response gives for a button; `key` is the kind of value."""

    path: str
    key: str
    value: JSONDict


def buttons_of(
    buttons: Sequence[Button], given: Sequence[JSONDict], at: str, reader: ValueReader, payloads: Sequence[str] = ()
) -> list[JSONDict]:
    """Return the components of the buttons; `payloads` are the short form of `given`. What fits no button is noted."""
    entries = [_Entry(f"{at}payloads", "payload", {"payload": payload}) for payload in payloads]
    entries += [_Entry(f"{at}buttons[{position}]", _key(value), value) for position, value in enumerate(given)]
    left = list(entries)
    components: list[JSONDict] = []
    for index, button in enumerate(buttons):
        key = _taken(button)
        entry = next((entry for entry in left if entry.key == key), None)
        if entry is not None:
            left.remove(entry)
        elif key == "flow":
            entry = _Entry(f"{at}buttons", key, {"flow": {}})  # its component is sent in any case
        elif key is not None and _KINDS[key].needed:
            reader.note(f"{at}buttons", f"its {_KINDS[key].one} has no value: give buttons an entry with {key}")
        if entry is not None:
            kind = _KINDS[entry.key]
            value = kind.sent(button, entry.value, entry.path, reader)
            components.append({"type": "button", "sub_type": kind.sub_type, "index": str(index), "parameters": [value]})
    for surplus in {entry.key: entry for entry in left}.values():
        kind = _KINDS[surplus.key]
        has, fills = sum(_taken(button) == surplus.key for button in buttons), _count(entries, surplus.key)
        reader.note(surplus.path, f"it has {has} {kind.many}; the response fills {fills}")
    return components


def _key(value: JSONDict) -> str:
    return "sections" if "sections" in value else next(iter(value))


def _taken(button: Button) -> str | None:
    """Return the kind of value that a button takes."""
    return None if button.kind == "URL" and not button.is_open else _TAKEN.get(button.kind)


def _count(entries: Sequence[_Entry], key: str) -> int:
    return sum(entry.key == key for entry in entries)


def _payload(_: Button, value: JSONDict, path: str, reader: ValueReader) -> JSONDict:
    return {"type": "payload", "payload": reader.payload(value["payload"], path)}


def _suffix(button: Button, value: JSONDict, path: str, reader: ValueReader) -> JSONDict:
    """Return the end of an address; blanks in it are written as an address has them."""
    suffix = re.sub(r"\s", "%20", reader.text(value["suffix"], f"{path}.suffix"))
    reader.whole(button.url.partition("{{")[0] + suffix, f"{path}.suffix", "address", limits.TEMPLATE_URL)
    return {"type": "text", "text": suffix}


def _code(_: Button, value: JSONDict, path: str, reader: ValueReader) -> JSONDict:
    return {"type": "coupon_code", "coupon_code": reader.text(value["code"], f"{path}.code", limits.COUPON_CODE)}


def _flow(_: Button, value: JSONDict, path: str, reader: ValueReader) -> JSONDict:
    token = value["flow"].get("token")
    action: JSONDict = {"flow_token": reader.text(token, f"{path}.flow.token") if token else _NO_TOKEN}
    if value["flow"].get("data"):
        reader.data(value["flow"]["data"], f"{path}.flow.data")
        action["flow_action_data"] = value["flow"]["data"]
    return {"type": "action", "action": action}


def _thumbnail(_: Button, value: JSONDict, path: str, reader: ValueReader) -> JSONDict:
    product = reader.text(value["thumbnail"], f"{path}.thumbnail")
    return {"type": "action", "action": {"thumbnail_product_retailer_id": product}}


def _sections(_: Button, value: JSONDict, path: str, reader: ValueReader) -> JSONDict:
    """Return the products behind a button, by their sections."""
    sections, path = value["sections"], f"{path}.sections"
    products = sum(len(section["products"]) for section in sections)
    if not 1 <= len(sections) <= limits.PRODUCT_SECTIONS:
        reader.note(path, f"{path} has {len(sections)} entries; Meta allows 1 to {limits.PRODUCT_SECTIONS}")
    if not all(section["products"] for section in sections) or products > limits.PRODUCTS:
        reader.note(
            path,
            f"{path}: each section needs a product, and Meta allows {limits.PRODUCTS} in all; these have {products}",
        )
    sent = [
        {
            "title": reader.text(section["title"], f"{path}[{at}].title", limits.LIST_SECTION_TITLE),
            "product_items": [
                {"product_retailer_id": reader.text(product, f"{path}[{at}].products[{number}]")}
                for number, product in enumerate(section["products"])
            ],
        }
        for at, section in enumerate(sections)
    ]
    product = reader.text(value["thumbnail"], f"{path.removesuffix('.sections')}.thumbnail")
    return {"type": "action", "action": {"thumbnail_product_retailer_id": product, "sections": sent}}


_KINDS: Mapping[str, _Kind] = {
    "payload": _Kind(
        one="quick-reply button", many="quick-reply buttons", sub_type="quick_reply", sent=_payload, needed=False,
    ),
    "suffix": _Kind(
        one="URL button with a variable", many="URL buttons with a variable", sub_type="url", sent=_suffix,
    ),
    "code": _Kind(
        one="button that copies a code", many="buttons that copy a code", sub_type="copy_code", sent=_code,
    ),
    "flow": _Kind(one="flow button", many="flow buttons", sub_type="flow", sent=_flow, needed=False),
    "thumbnail": _Kind(
        one="catalog button", many="catalog buttons", sub_type="catalog", sent=_thumbnail, needed=False,
    ),
    "sections": _Kind(
        one="multi-product button", many="multi-product buttons", sub_type="mpm", sent=_sections,
    ),
}  # fmt: skip
_TAKEN = {
    "QUICK_REPLY": "payload",
    "URL": "suffix",
    "COPY_CODE": "code",
    "FLOW": "flow",
    "CATALOG": "thumbnail",
    "MPM": "sections",
}
