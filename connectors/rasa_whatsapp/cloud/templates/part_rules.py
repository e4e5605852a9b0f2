"""The parts that most templates are made of, each held against Meta's rules: header, body, footer and buttons.

Lengths, variables, examples; which parts a template may have together is told by rules.py.
https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.templates.signs import unfit_signs
from rasa_whatsapp.cloud.wire import JSONDict

FORMATS = ("POSITIONAL", "NAMED")
MEDIA = ("IMAGE", "VIDEO", "DOCUMENT", "GIF")
SAMPLE_FILE = "file"  # ours, in a header's example: the path of a sample that `push` uploads
BRACES = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_VARIABLE = {"POSITIONAL": re.compile(r"[1-9][0-9]*"), "NAMED": re.compile(r"[a-z][a-z0-9_]*")}
_ADJACENT = re.compile(r"\}\}\s*\{\{")
# Meta's upload API gives a handle with colons; what is made of digits only is the id of a file that was uploaded for a message.
MEDIA_ID = re.compile(r"[0-9]+")
PHONE_NUMBER = re.compile(r"\+?[0-9]{5,19}")
WEB_ADDRESS = re.compile(r"https?://[^/\s{}]")  # its beginning
HEADER_FORMAT, BUTTON_FORMAT = 2388072, 2388060  # the subcodes of Meta's refusal
FLOWS = ("flow_id", "flow_name", "flow_json")
_MOST_BUTTONS = {"URL": 2, "PHONE_NUMBER": 1, "COPY_CODE": 1}
BUTTON_TYPES = (
    "QUICK_REPLY", "URL", "PHONE_NUMBER", "COPY_CODE", "OTP", "FLOW", "CATALOG", "MPM", "SPM", "VOICE_CALL", "ORDER_DETAILS",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, for a designer; `where` leads to it from the entry: keys and positions."""

    where: tuple[str | int, ...]
    text: str


def header_faults(part: JSONDict, form: str) -> Iterator[Fault]:
    """Yield what Meta would refuse in a header; `form` is the template's parameter format."""
    kind = str(part.get("format", "")).upper()
    if kind in MEDIA:
        yield from _sample_faults(part, kind)
        return
    if kind in ("LOCATION", "PRODUCT"):
        return
    if kind != "TEXT":
        where = ("format",) if "format" in part else ()
        yield Fault(where, f"header format {kind!r}: it is one of TEXT, {', '.join(MEDIA)}, LOCATION, PRODUCT")
        return
    yield from length_faults(part, "header", limits.TEMPLATE_HEADER)
    yield from sign_faults(part, "header", HEADER_FORMAT)
    variables, wrong = _variables(text_of(part, "text"), form)
    yield from wrong
    count = len(BRACES.findall(text_of(part, "text")))
    if count > 1:
        yield Fault(("text",), f"the header has {count} variables; Meta allows one")
    if form == "POSITIONAL" and variables and variables != ["1"]:
        yield Fault(("text",), "the header's variable is {{1}}, whatever the body has")
    yield from _without_examples(part, "header", variables, form)


def body_faults(part: JSONDict, form: str, most: int = limits.TEMPLATE_BODY) -> Iterator[Fault]:
    """Yield what Meta would refuse in a body of at most `most` characters, with variables of this format."""
    text = text_of(part, "text")
    yield from length_faults(part, "body", most)
    variables, wrong = _variables(text, form)
    yield from wrong
    bare = text.strip()
    if BRACES.match(bare) or (bare.endswith("}}") and variables):
        yield Fault(("text",), "the body begins or ends with a variable: put a word before and after it (2388299)")
    if _ADJACENT.search(text):
        yield Fault(("text",), "two variables of the body stand side by side: put a word between them")
    words = [word for word in BRACES.sub(" ", text).split() if any(sign.isalnum() for sign in word)]
    needed = 2 * len(variables) + 1
    if variables and len(words) < needed:
        yield Fault(
            ("text",),
            f"the body has too many variables for its length: beside {len(variables)} of them it has {len(words)} words, "
            f"write at least {needed} (2388293)",
        )
    if form == "POSITIONAL" and not wrong:
        numbers = sorted({int(variable) for variable in variables})
        if numbers != list(range(1, len(numbers) + 1)):
            shown = ", ".join(f"{{{{{number}}}}}" for number in numbers)
            yield Fault(("text",), f"the body's variables are {shown}: they count from {{{{1}}}} without a gap")
    yield from _without_examples(part, "body", variables, form)


def footer_faults(part: JSONDict, _: str) -> Iterator[Fault]:
    """Yield what Meta would refuse in a footer."""
    yield from length_faults(part, "footer", limits.TEMPLATE_FOOTER)
    if has_braces(part):
        yield Fault(("text",), "the footer has a variable; Meta allows none")


def buttons_faults(part: JSONDict, form: str) -> Iterator[Fault]:
    """Yield what Meta would refuse in the buttons: how many of which kind, their order, and what each holds."""
    buttons = part.get("buttons")
    if not isinstance(buttons, list) or not buttons or not all(isinstance(button, dict) for button in buttons):
        yield Fault(("buttons",), "buttons is missing or not a list of mappings")
        return
    kinds = [text_of(button, "type").upper() for button in buttons]
    if len(buttons) > limits.TEMPLATE_BUTTONS:
        yield Fault(("buttons",), f"{len(buttons)} buttons; Meta allows {limits.TEMPLATE_BUTTONS}")
    for kind, most in _MOST_BUTTONS.items():
        if kinds.count(kind) > most:
            yield Fault(("buttons",), f"{kinds.count(kind)} buttons of type {kind}; Meta allows {most}")
    if [is_quick for is_quick, _ in groupby(kind == "QUICK_REPLY" for kind in kinds)].count(True) > 1:
        yield Fault(("buttons",), "quick replies must stand together, before or after all other buttons")
    yield from _same_labels(kinds, buttons)
    for position, (kind, button) in enumerate(zip(kinds, buttons, strict=True)):
        for fault in _button(kind, button, form):
            yield Fault(("buttons", position, *fault.where), fault.text)


def _sample_faults(part: JSONDict, kind: str) -> Iterator[Fault]:
    """Yield what is wrong with the example of a header with a medium; whether its file is right, who opens it tells."""
    example = _example(part)
    handles = example.get("header_handle")
    if SAMPLE_FILE in example:
        file = example[SAMPLE_FILE]
        if "header_handle" in example:
            yield Fault(("example",), f"the example has {SAMPLE_FILE} and header_handle: keep one of them")
        elif not isinstance(file, str) or not file.strip():
            yield Fault(("example", SAMPLE_FILE), f"{SAMPLE_FILE} is the path of the sample, such as media/offer.png")
    elif not isinstance(handles, list) or len(handles) != 1 or not isinstance(handles[0], str):
        yield Fault(
            ("example",) if "example" in part else (),
            f"a header with {kind} needs an example: header_handle, a list with one handle of Meta's upload API, "
            f"or {SAMPLE_FILE}, the path of a sample to upload",
        )
    elif MEDIA_ID.fullmatch(handles[0]):
        yield Fault(
            ("example", "header_handle"),
            f"header_handle {handles[0]!r} is a media id; Meta wants a handle of its upload API, such as 4::aW...",
        )


def _same_labels(kinds: Sequence[str], buttons: Sequence[JSONDict]) -> Iterator[Fault]:
    """Yield the labels that an earlier button has; WhatsApp Manager: "You can't enter the same text for multiple buttons"."""
    before: set[str] = set()
    for position, (kind, button) in enumerate(zip(kinds, buttons, strict=True)):
        label = "" if kind == "COPY_CODE" else text_of(button, "text").strip()
        if label and label in before:
            yield Fault(
                ("buttons", position, "text"), f"two buttons have the label {label!r}: give each one of its own"
            )
        before.add(label)


def _button(kind: str, button: JSONDict, form: str) -> Iterator[Fault]:
    if kind not in BUTTON_TYPES:
        yield Fault(("type",), f"button type {kind!r}: it is one of {', '.join(BUTTON_TYPES)}")
        return
    if kind == "OTP":
        yield Fault(("type",), "a button of type OTP belongs to a template of category AUTHENTICATION")
    if kind != "COPY_CODE":  # its label is Meta's
        yield from length_faults(button, "button", limits.TEMPLATE_BUTTON)
        yield from sign_faults(button, "label of a button", BUTTON_FORMAT)
        if has_braces(button):
            yield Fault(("text",), "the label of a button has a variable; Meta allows none")
    if kind == "URL":
        yield from _url(button, form)
    elif kind == "PHONE_NUMBER" and not PHONE_NUMBER.fullmatch(text_of(button, "phone_number")):
        yield Fault(("phone_number",), f"phone_number {button.get('phone_number')!r}: digits with the country's code")
    elif kind == "FLOW" and not any(button.get(key) for key in FLOWS):
        # https://developers.facebook.com/documentation/business-messaging/whatsapp/flows/guides/sendingaflow/
        yield Fault((), f"a FLOW button needs one of {', '.join(FLOWS)}")
    elif kind == "COPY_CODE":
        example = button.get("example")
        code = example[0] if isinstance(example, list) and len(example) == 1 else example
        if not isinstance(code, str) or not 0 < limits.length(code) <= limits.COUPON_CODE:
            yield Fault(
                ("example",),
                f"a COPY_CODE button needs an example: a code of at most {limits.COUPON_CODE} characters",
            )


def _url(button: JSONDict, form: str) -> Iterator[Fault]:
    """Yield what is wrong with an address; its variable may be {{1}} in a NAMED template, too, as a send gives it no name.

    https://github.com/david-lev/pywa/blob/master/docs/source/content/templates/overview.rst creates just that.
    """
    url = text_of(button, "url")
    if not WEB_ADDRESS.match(url):
        yield Fault(("url",), f"url {url!r}: an address that begins with https:// or http:// and a host")
        return
    if limits.length(url) > limits.TEMPLATE_URL:
        yield Fault(("url",), f"url has {limits.length(url)} characters; Meta allows {limits.TEMPLATE_URL}")
    is_numbered = [inner.strip() for inner in BRACES.findall(url)] == ["1"]
    variables, wrong = _variables(url, "POSITIONAL" if is_numbered else form)
    yield from (Fault(("url",), fault.text) for fault in wrong)
    if len(BRACES.findall(url)) > 1 or (variables and not url.endswith("}}")):
        yield Fault(("url",), "a url may have one variable, at its end")
    if any(sign.isspace() for sign in url):
        yield Fault(("url",), "url has a blank in it: write %20")
    example = button.get("example")
    if variables and not (
        isinstance(example, list) and len(example) == 1 and isinstance(example[0], str) and example[0]
    ):
        yield Fault(("url",), "a url with a variable needs an example: a list with one whole address")


def length_faults(part: JSONDict, what: str, most: int) -> Iterator[Fault]:
    """Yield that a part has no text, or one of more than `most` UTF-16 units."""
    text = part.get("text")
    if not isinstance(text, str) or not text.strip():
        yield Fault(("text",) if "text" in part else (), f"the {what} has no text")
    elif limits.length(text) > most:
        yield Fault(("text",), f"the {what} has {limits.length(text)} characters; Meta allows {most}")


def sign_faults(part: JSONDict, what: str, subcode: int) -> Iterator[Fault]:
    """Yield the signs for which Meta refuses a header or a label, with this subcode; those in a variable's name are none."""
    for sign in unfit_signs(BRACES.sub("", text_of(part, "text"))):
        yield Fault(("text",), f"the {what} has {sign}; Meta allows none there ({subcode})")


def _variables(text: str, form: str) -> tuple[list[str], list[Fault]]:
    """Return the variables of a text in order, each once; and what is wrong with those that are none."""
    found = list(dict.fromkeys(inner.strip() for inner in BRACES.findall(text)))
    lawful = _VARIABLE.get(form)
    if lawful is None:
        return found, []
    example = "{{1}}, {{2}} ..." if form == "POSITIONAL" else "{{small_letters}}"
    wrong = [
        Fault(("text",), f"variable {{{{{inner}}}}}: with parameter_format {form} it is written {example}")
        for inner in found
        if not lawful.fullmatch(inner)
    ]
    if text.count("{{") != text.count("}}"):
        wrong.append(Fault(("text",), "a variable's braces do not match: {{ and }} come in pairs"))
    return [inner for inner in found if lawful.fullmatch(inner)], wrong


def _without_examples(part: JSONDict, what: str, variables: Sequence[str], form: str) -> Iterator[Fault]:
    """Yield the variables that have no example; Meta's reviewers read the text with these."""
    if form not in FORMATS:
        return  # that is told
    key = f"{what}_text_named_params" if form == "NAMED" else f"{what}_text"
    given = _examples_by_name(part, key) if form == "NAMED" else _examples_by_number(part, what, key)
    for variable in variables:
        example = given.get(variable)
        if isinstance(example, str) and example:
            continue
        told = (
            f"has no example in {key}"
            if example in (None, "")
            else f"has an example in {key} that is no text: put it in quotes"
        )
        where = ("example", key) if key in _example(part) else ()
        yield Fault(where, f"variable {{{{{variable}}}}} of the {what} {told}")


def _examples_by_name(part: JSONDict, key: str) -> dict[str, Any]:
    params = _example(part).get(key)
    return {
        str(param.get("param_name")): param.get("example")
        for param in (params if isinstance(params, list) else ())
        if isinstance(param, dict)
    }


def _examples_by_number(part: JSONDict, what: str, key: str) -> dict[str, Any]:
    values = _example(part).get(key)
    if what == "body" and isinstance(values, list):  # Meta's form: a list in a list
        values = values[0] if len(values) == 1 else None
    return {str(number): value for number, value in enumerate(values if isinstance(values, list) else (), start=1)}


def _example(part: JSONDict) -> JSONDict:
    example = part.get("example")
    return example if isinstance(example, dict) else {}


def has_braces(part: JSONDict) -> bool:
    """Tell whether the text of a part has a variable, or half of one."""
    return "{{" in text_of(part, "text") or "}}" in text_of(part, "text")


def text_of(holder: JSONDict, key: str) -> str:
    """Return the text under a key, an empty one if there is none."""
    value = holder.get(key)
    return value if isinstance(value, str) else ""
