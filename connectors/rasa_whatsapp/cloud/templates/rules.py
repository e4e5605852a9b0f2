"""What Meta demands of a template before it reviews it, told offline: one entry of the catalogue in, what is wrong with it out.

Not checked, since Meta publishes no number: too many variables for the length of the text (2388293); that wording suits the category.
https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.wire import JSONDict

CATEGORIES = ("UTILITY", "MARKETING", "AUTHENTICATION")
FORMATS = ("POSITIONAL", "NAMED")

_NAME = re.compile(r"[a-z0-9_]+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2,3})?")
_BRACES = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_VARIABLE = {"POSITIONAL": re.compile(r"[1-9][0-9]*"), "NAMED": re.compile(r"[a-z][a-z0-9_]*")}
_ADJACENT = re.compile(r"\}\}\s*\{\{")
_MEDIA = ("IMAGE", "VIDEO", "DOCUMENT", "GIF")
# category -> the seconds that Meta may try to deliver (message_send_ttl_seconds); -1 means 30 days, not for marketing
_SECONDS = {"AUTHENTICATION": (30, 900), "UTILITY": (30, 43_200), "MARKETING": (43_200, 2_592_000)}
_OTP_TYPES = ("COPY_CODE", "ONE_TAP", "ZERO_TAP")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, for a designer; `where` leads to it from the entry: keys and positions."""

    where: tuple[str | int, ...]
    text: str


def faults(entry: JSONDict) -> list[Fault]:
    """Return all that Meta would refuse in a template in one language."""
    return [*_of_the_whole(entry), *_of_components(entry)]


def _of_the_whole(entry: JSONDict) -> Iterator[Fault]:
    name = _text(entry, "name")
    if not _NAME.fullmatch(name) or len(name) > limits.TEMPLATE_NAME:
        yield Fault(
            ("name",),
            f"name {name!r}: small letters a-z, digits and underscores only, at most {limits.TEMPLATE_NAME}",
        )
    language = _text(entry, "language")
    if not _LANGUAGE.fullmatch(language):
        hint = language.replace("-", "_")
        remedy = f"Meta writes {hint!r}" if _LANGUAGE.fullmatch(hint) else "as en, en_US or pt_BR"
        yield Fault(("language",), f"language {language!r} is no code of Meta's: {remedy}")
    if _category(entry) not in CATEGORIES:
        yield Fault(("category",), f"category {entry.get('category')!r}: it is one of {', '.join(CATEGORIES)}")
    if _format(entry) not in FORMATS:
        yield Fault(
            ("parameter_format",), f"parameter_format {entry['parameter_format']!r}: it is one of {', '.join(FORMATS)}"
        )
    yield from _of_the_lifetime(entry)


def _of_the_lifetime(entry: JSONDict) -> Iterator[Fault]:
    seconds, category = entry.get("message_send_ttl_seconds"), _category(entry)
    if seconds is None or category not in _SECONDS:
        return
    least, most = _SECONDS[category]
    is_month = seconds == -1 and category != "MARKETING"
    if not is_month and (not isinstance(seconds, int) or isinstance(seconds, bool) or not least <= seconds <= most):
        yield Fault(
            ("message_send_ttl_seconds",),
            f"message_send_ttl_seconds {seconds!r}: for {category} it is {least} to {most}"
            + ("" if category == "MARKETING" else ", or -1 for 30 days"),
        )


def _of_components(entry: JSONDict) -> Iterator[Fault]:
    components = entry.get("components")
    if not isinstance(components, list) or not all(isinstance(part, dict) for part in components):
        yield Fault(("components",), "components is missing or not a list of mappings")
        return
    kinds = [_text(part, "type").upper() for part in components]
    for kind, count in Counter(kinds).items():
        if kind not in _CHECKS:
            yield Fault(
                ("components", kinds.index(kind)), f"component type {kind!r}: it is one of {', '.join(_CHECKS)}"
            )
        elif count > 1:
            yield Fault(("components",), f"{count} components of type {kind}; there may be one")
    if "BODY" not in kinds:
        yield Fault(("components",), "there is no BODY: each template needs one")
    for position, (kind, part) in enumerate(zip(kinds, components, strict=True)):
        check = _CODE_CHECKS.get(kind, _CHECKS.get(kind)) if _category(entry) == "AUTHENTICATION" else _CHECKS.get(kind)
        for fault in check(part, _format(entry)) if check else ():
            yield Fault(("components", position, *fault.where), fault.text)
    if _category(entry) == "AUTHENTICATION" and "BUTTONS" not in kinds:
        yield Fault(("components",), "an AUTHENTICATION template has one button of type OTP")


def _header(part: JSONDict, form: str) -> Iterator[Fault]:
    kind = str(part.get("format", "TEXT")).upper()
    if kind in _MEDIA:
        handles = _example(part).get("header_handle")
        if not isinstance(handles, list) or len(handles) != 1 or not isinstance(handles[0], str):
            yield Fault(
                ("example",) if "example" in part else (),
                f"a header with {kind} needs an example: header_handle, a list with one handle of Meta's upload API",
            )
        return
    if kind in ("LOCATION", "PRODUCT"):
        return
    if kind != "TEXT":
        yield Fault(("format",), f"header format {kind!r}: it is one of TEXT, {', '.join(_MEDIA)}, LOCATION, PRODUCT")
        return
    yield from _long(part, "header", limits.TEMPLATE_HEADER)
    variables, wrong = _variables(_text(part, "text"), form)
    yield from wrong
    count = len(_BRACES.findall(_text(part, "text")))
    if count > 1:
        yield Fault(("text",), f"the header has {count} variables; Meta allows one")
    if form == "POSITIONAL" and variables and variables != ["1"]:
        yield Fault(("text",), "the header's variable is {{1}}, whatever the body has")
    yield from _without_examples(part, "header", variables, form)


def _body(part: JSONDict, form: str) -> Iterator[Fault]:
    text = _text(part, "text")
    yield from _long(part, "body", limits.TEMPLATE_BODY)
    variables, wrong = _variables(text, form)
    yield from wrong
    bare = text.strip()
    if _BRACES.match(bare) or (bare.endswith("}}") and variables):
        yield Fault(("text",), "the body begins or ends with a variable: put a word before and after it (2388299)")
    if _ADJACENT.search(text):
        yield Fault(("text",), "two variables of the body stand side by side: put a word between them")
    if form == "POSITIONAL" and not wrong:
        numbers = sorted({int(variable) for variable in variables})
        if numbers != list(range(1, len(numbers) + 1)):
            shown = ", ".join(f"{{{{{number}}}}}" for number in numbers)
            yield Fault(("text",), f"the body's variables are {shown}: they count from {{{{1}}}} without a gap")
    yield from _without_examples(part, "body", variables, form)


def _footer(part: JSONDict, _: str) -> Iterator[Fault]:
    yield from _long(part, "footer", limits.TEMPLATE_FOOTER)
    if _BRACES.search(_text(part, "text")):
        yield Fault(("text",), "the footer has a variable; Meta allows none")


def _buttons(part: JSONDict, form: str) -> Iterator[Fault]:
    buttons = part.get("buttons")
    if not isinstance(buttons, list) or not buttons or not all(isinstance(button, dict) for button in buttons):
        yield Fault(("buttons",), "buttons is missing or not a list of mappings")
        return
    kinds = [_text(button, "type").upper() for button in buttons]
    if len(buttons) > limits.TEMPLATE_BUTTONS:
        yield Fault(("buttons",), f"{len(buttons)} buttons; Meta allows {limits.TEMPLATE_BUTTONS}")
    for kind, most in _MOST_BUTTONS.items():
        if kinds.count(kind) > most:
            yield Fault(("buttons",), f"{kinds.count(kind)} buttons of type {kind}; Meta allows {most}")
    if [is_quick for is_quick, _ in groupby(kind == "QUICK_REPLY" for kind in kinds)].count(True) > 1:
        yield Fault(("buttons",), "quick replies must stand together, before or after all other buttons")
    for position, (kind, button) in enumerate(zip(kinds, buttons, strict=True)):
        for fault in _button(kind, button, form):
            yield Fault(("buttons", position, *fault.where), fault.text)


def _button(kind: str, button: JSONDict, form: str) -> Iterator[Fault]:
    if kind not in _BUTTON_TYPES:
        yield Fault(("type",), f"button type {kind!r}: it is one of {', '.join(_BUTTON_TYPES)}")
        return
    if kind == "OTP":
        yield Fault(("type",), "a button of type OTP belongs to a template of category AUTHENTICATION")
    if kind != "COPY_CODE":  # its label is Meta's
        yield from _long(button, "button", limits.TEMPLATE_BUTTON)
        if _BRACES.search(_text(button, "text")):
            yield Fault(("text",), "the label of a button has a variable; Meta allows none")
    if kind == "URL":
        yield from _url(button, form)
    elif kind == "PHONE_NUMBER" and not re.fullmatch(r"\+?[0-9]{5,19}", _text(button, "phone_number")):
        yield Fault(("phone_number",), f"phone_number {button.get('phone_number')!r}: digits with the country's code")
    elif kind == "COPY_CODE":
        example = button.get("example")
        code = example[0] if isinstance(example, list) and len(example) == 1 else example
        if not isinstance(code, str) or not 0 < limits.length(code) <= limits.COUPON_CODE:
            yield Fault(
                ("example",),
                f"a COPY_CODE button needs an example: a code of at most {limits.COUPON_CODE} characters",
            )


def _url(button: JSONDict, form: str) -> Iterator[Fault]:
    url = _text(button, "url")
    if not re.match(r"https?://[^/\s{}]", url):
        yield Fault(("url",), f"url {url!r}: an address that begins with https:// or http:// and a host")
        return
    if limits.length(url) > limits.TEMPLATE_URL:
        yield Fault(("url",), f"url has {limits.length(url)} characters; Meta allows {limits.TEMPLATE_URL}")
    variables, wrong = _variables(url, form)
    yield from (Fault(("url",), fault.text) for fault in wrong)
    if len(_BRACES.findall(url)) > 1 or (variables and not url.endswith("}}")):
        yield Fault(("url",), "a url may have one variable, at its end")
    example = button.get("example")
    if variables and not (isinstance(example, list) and len(example) == 1 and isinstance(example[0], str)):
        yield Fault(("url",), "a url with a variable needs an example: a list with one whole address")


def _code_body(part: JSONDict, _: str) -> Iterator[Fault]:
    if "text" in part:
        yield Fault(("text",), "the body of an AUTHENTICATION template is Meta's: leave out text")
    if not isinstance(part.get("add_security_recommendation", False), bool):
        yield Fault(("add_security_recommendation",), "add_security_recommendation is true or false")


def _code_footer(part: JSONDict, _: str) -> Iterator[Fault]:
    if "text" in part:
        yield Fault(("text",), "the footer of an AUTHENTICATION template is Meta's: leave out text")
    minutes = part.get("code_expiration_minutes")
    if minutes is not None and (isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= 90):
        yield Fault(("code_expiration_minutes",), f"code_expiration_minutes {minutes!r}: it is 1 to 90")


def _code_buttons(part: JSONDict, _: str) -> Iterator[Fault]:
    buttons = part.get("buttons")
    is_one = isinstance(buttons, list) and len(buttons) == 1 and isinstance(buttons[0], dict)
    if not isinstance(buttons, list) or not is_one or _text(buttons[0], "type").upper() != "OTP":
        yield Fault(("buttons",), "an AUTHENTICATION template has one button of type OTP")
    elif _text(buttons[0], "otp_type").upper() not in _OTP_TYPES:
        yield Fault(
            ("buttons", 0, "otp_type"), f"otp_type {buttons[0].get('otp_type')!r}: it is one of {', '.join(_OTP_TYPES)}"
        )


def _code_header(_: JSONDict, __: str) -> Iterator[Fault]:
    yield Fault((), "an AUTHENTICATION template has no header")


def _unchecked(_: JSONDict, __: str) -> Iterable[Fault]:
    return ()


Check = Callable[[JSONDict, str], Iterable[Fault]]
_CHECKS: dict[str, Check] = {
    "HEADER": _header,
    "BODY": _body,
    "FOOTER": _footer,
    "BUTTONS": _buttons,
    "CAROUSEL": _unchecked,
    "LIMITED_TIME_OFFER": _unchecked,
}
_CODE_CHECKS: dict[str, Check] = {
    "HEADER": _code_header,
    "BODY": _code_body,
    "FOOTER": _code_footer,
    "BUTTONS": _code_buttons,
}
_MOST_BUTTONS = {"URL": 2, "PHONE_NUMBER": 1, "COPY_CODE": 1}
_BUTTON_TYPES = (
    "QUICK_REPLY", "URL", "PHONE_NUMBER", "COPY_CODE", "OTP", "FLOW", "CATALOG", "MPM", "SPM", "VOICE_CALL", "ORDER_DETAILS",
)  # fmt: skip


def _long(part: JSONDict, what: str, most: int) -> Iterator[Fault]:
    text = part.get("text")
    if not isinstance(text, str) or not text.strip():
        yield Fault(("text",) if "text" in part else (), f"the {what} has no text")
    elif limits.length(text) > most:
        yield Fault(("text",), f"the {what} has {limits.length(text)} characters; Meta allows {most}")


def _variables(text: str, form: str) -> tuple[list[str], list[Fault]]:
    """Return the variables of a text in order, each once; and what is wrong with those that are none."""
    found = list(dict.fromkeys(inner.strip() for inner in _BRACES.findall(text)))
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


def _category(entry: JSONDict) -> str:
    return str(entry.get("category", "")).upper()


def _format(entry: JSONDict) -> str:
    return str(entry.get("parameter_format", "POSITIONAL")).upper()


def _text(holder: JSONDict, key: str) -> str:
    value = holder.get(key)
    return value if isinstance(value, str) else ""
