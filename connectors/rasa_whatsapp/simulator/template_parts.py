"""The components of a template that is being created, each held against Meta's rules (fact sheet 6.3). Pure.

A reader returns the component as Meta lists it later: types in upper case, and the texts that are Meta's own filled in.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import groupby
from typing import Any

from rasa_whatsapp.simulator import template_texts as texts
from rasa_whatsapp.simulator.kinds.fields import units
from rasa_whatsapp.simulator.template_texts import BODY, FOOTER, HEADER, LABEL, LENGTH, OTHER, SIGNS, bounded, refused

BODY_LENGTH = 1024
LINE_LENGTH = 60
LABEL_LENGTH = 25
URL_LENGTH = 2000
PHONE_LENGTH = 20
CODE_LENGTH = 20
BUTTONS = 10
MOST = {"URL": 2, "PHONE_NUMBER": 1, "COPY_CODE": 1}
MEDIA = ("IMAGE", "VIDEO", "DOCUMENT", "GIF")
BUTTON_TYPES = (
    "QUICK_REPLY", "URL", "PHONE_NUMBER", "COPY_CODE", "FLOW", "CATALOG", "MPM", "SPM", "VOICE_CALL", "ORDER_DETAILS",
)  # fmt: skip
OTP_TYPES = ("COPY_CODE", "ONE_TAP", "ZERO_TAP")
FLOWS = ("flow_id", "flow_name", "flow_json")
COUPON_LABEL = "Copy offer code"  # WhatsApp's own
_HEADER_SIGNS = "The header can't have new lines, formatting characters, emojis or asterisks."
_LABEL_SIGNS = "Buttons can't have any variables, newlines, emojis, or formatting characters."
# Resumable Upload handles begin like this; a media id is none.
_HANDLE = re.compile(r"\d+:.+", re.DOTALL)
_ADDRESS = re.compile(r"https?://[^/\s{}]+\S*")
_PHONE = re.compile(r"\+?[0-9]{5,19}")

Part = dict[str, Any]
Reader = Callable[[Part, str], Part]


def read_components(components: Any, category: str, form: str) -> tuple[Part, ...]:
    """Return the checked components of a template; `form` is its parameter format."""
    if not isinstance(components, list) or not all(isinstance(part, dict) for part in components):
        raise refused("components must be a list of objects.")
    readers = _OF_CODES if category == "AUTHENTICATION" else _OF_TEXTS
    kinds = [_upper(part, "type") for part in components]
    for kind in kinds:
        if kind not in readers:
            raise refused(f"A component of type {kind or 'none'} is not allowed in a template of category {category}.")
        if kinds.count(kind) > 1:
            raise refused(f"Only one component of type {kind} is allowed.")
    if "BODY" not in kinds:
        raise refused("The template needs a component of type BODY.", BODY)
    if category == "AUTHENTICATION" and "BUTTONS" not in kinds:
        raise refused("A template of category AUTHENTICATION needs one button of type OTP.")
    return tuple({**readers[kind](part, form), "type": kind} for kind, part in zip(kinds, components, strict=True))


def _header(part: Part, form: str) -> Part:
    kind = _upper(part, "format")
    if kind in MEDIA:
        example = part.get("example")
        handles = example.get("header_handle") if isinstance(example, dict) else None
        if not isinstance(handles, list) or len(handles) != 1 or not _HANDLE.fullmatch(str(handles[0])):
            raise refused(f"A header of format {kind} needs an example in header_handle, from an upload.", HEADER)
    elif kind == "TEXT":
        text = bounded(part, "text", "header", LINE_LENGTH, HEADER)
        names = texts.variables(text, form, "header", HEADER)
        texts.check_signs(text, _HEADER_SIGNS, SIGNS)
        if len(texts.BRACES.findall(text)) > 1:
            raise refused("The header may have one variable.", HEADER)
        if form == "POSITIONAL":
            texts.check_positions(names, "header", HEADER)
        texts.check_examples(part, "header", names, form, HEADER)
    elif kind not in ("LOCATION", "PRODUCT"):
        raise refused(f"The header's format must be one of TEXT, LOCATION, PRODUCT, {', '.join(MEDIA)}.", HEADER)
    return {**part, "format": kind}


def _body(part: Part, form: str) -> Part:
    text = bounded(part, "text", "body", BODY_LENGTH, BODY)
    names = texts.variables(text, form, "body", BODY)
    if form == "POSITIONAL":
        texts.check_positions(names, "body", BODY)
    texts.check_running_text(text, len(names))
    texts.check_examples(part, "body", names, form, BODY)
    return part


def _footer(part: Part, form: str) -> Part:
    text = bounded(part, "text", "footer", LINE_LENGTH, FOOTER)
    if texts.variables(text, form, "footer", FOOTER):
        raise refused("The footer must not have variables.", FOOTER)
    return part


def _buttons(part: Part, form: str) -> Part:
    buttons = _list_of_buttons(part)
    kinds = [_upper(button, "type") for button in buttons]
    if len(buttons) > BUTTONS:
        raise refused(f"There are {len(buttons)} buttons, at most {BUTTONS} are allowed.")
    for kind, most in MOST.items():
        if kinds.count(kind) > most:
            raise refused(f"There are {kinds.count(kind)} buttons of type {kind}, at most {most} are allowed.")
    if [is_quick for is_quick, _ in groupby(kind == "QUICK_REPLY" for kind in kinds)].count(True) > 1:
        raise refused("Quick replies must stand together, not between other buttons.")
    named = [button for kind, button in zip(kinds, buttons, strict=True) if kind != "COPY_CODE"]
    labels = [str(button.get("text", "")).strip() for button in named]
    if len(set(labels)) < len(labels):
        raise refused("You can't enter the same text for multiple buttons.")
    read = [_button(kind, button, form) for kind, button in zip(kinds, buttons, strict=True)]
    return {**part, "buttons": read}


def _button(kind: str, button: Part, form: str) -> Part:
    if kind not in BUTTON_TYPES:
        raise refused(f"A button of type {kind or 'none'} is not allowed; it is one of {', '.join(BUTTON_TYPES)}.")
    if kind == "COPY_CODE":
        _coupon(button)
        return {"text": COUPON_LABEL, **button, "type": kind}
    label = bounded(button, "text", "button", LABEL_LENGTH, OTHER)
    if texts.variables(label, form, "label of a button", LABEL):
        raise refused(_LABEL_SIGNS, LABEL)
    texts.check_signs(label, _LABEL_SIGNS, LABEL)
    if kind == "URL":
        _address(button, form)
    elif kind == "FLOW" and not any(button.get(key) for key in FLOWS):
        raise refused(f"A button of type FLOW needs one of {', '.join(FLOWS)}.")
    elif kind == "PHONE_NUMBER" and not _PHONE.fullmatch(str(button.get("phone_number", ""))):
        raise refused(f"phone_number must be a number with its country code, at most {PHONE_LENGTH} characters.")
    return {**button, "type": kind}


def _coupon(button: Part) -> None:
    example = button.get("example")
    code = example[0] if isinstance(example, list) and len(example) == 1 else example
    if not isinstance(code, str) or not code:
        raise refused("A button of type COPY_CODE needs an example of the code.")
    if units(code) > CODE_LENGTH:
        raise refused(f"The code has {units(code)} characters, at most {CODE_LENGTH} are allowed.", LENGTH)


def _address(button: Part, form: str) -> None:
    url = bounded(button, "url", "address of a button", URL_LENGTH, OTHER)
    if not _ADDRESS.fullmatch(url):
        raise refused("url must be an address that begins with https:// or http:// and a host.")
    # A send gives the end of an address no name, so {{1}} is lawful in a NAMED template, too.
    is_numbered = [name.strip() for name in texts.BRACES.findall(url)] == ["1"]
    names = texts.variables(url, "POSITIONAL" if is_numbered else form, "address of a button", OTHER)
    if len(texts.BRACES.findall(url)) > 1 or (names and not url.endswith("}}")):
        raise refused("The address of a button may have one variable, at its end.")
    example = button.get("example")
    if names and not (isinstance(example, list) and len(example) == 1 and isinstance(example[0], str) and example[0]):
        raise refused("The address of a button has a variable and needs an example, a list with one address.")


def _code_body(part: Part, _: str) -> Part:
    if "text" in part:
        raise refused("The text of an AUTHENTICATION template is fixed, leave text out.", BODY)
    advice = part.get("add_security_recommendation", False)
    if not isinstance(advice, bool):
        raise refused("add_security_recommendation must be true or false.", BODY)
    text = "*{{1}}* is your verification code." + (" For your security, do not share this code." if advice else "")
    return {**part, "text": text, "example": {"body_text": [["123456"]]}}


def _code_footer(part: Part, _: str) -> Part:
    minutes = part.get("code_expiration_minutes")
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= 90 or "text" in part:
        raise refused("The footer of an AUTHENTICATION template has code_expiration_minutes, 1 to 90, only.", FOOTER)
    return {**part, "text": f"This code expires in {minutes} minutes."}


def _code_buttons(part: Part, _: str) -> Part:
    buttons = _list_of_buttons(part)
    if len(buttons) != 1 or _upper(buttons[0], "type") != "OTP" or _upper(buttons[0], "otp_type") not in OTP_TYPES:
        raise refused(f"An AUTHENTICATION template needs one button of type OTP, its otp_type {', '.join(OTP_TYPES)}.")
    label = {"text": "Copy code", **buttons[0]}
    texts.check_signs(bounded(label, "text", "button", LABEL_LENGTH, OTHER), _LABEL_SIGNS, LABEL)
    _check_apps(label, _upper(label, "otp_type"))
    return {**part, "buttons": [{**label, "type": "OTP", "otp_type": _upper(label, "otp_type")}]}


def _check_apps(button: Part, kind: str) -> None:
    """Refuse a button that hands the code to an app and names none; the older form has its one app on the button itself."""
    if kind == "COPY_CODE":
        return
    apps = button.get("supported_apps", [button])
    named = [
        isinstance(app, dict)
        and all(isinstance(app.get(key), str) and app[key] for key in ("package_name", "signature_hash"))
        for app in (apps if isinstance(apps, list) else ())
    ]
    if not named or not all(named):
        raise refused(f"A button of otp_type {kind} needs supported_apps, each with package_name and signature_hash.")
    if kind == "ZERO_TAP" and button.get("zero_tap_terms_accepted") is not True:
        raise refused("A button of otp_type ZERO_TAP needs zero_tap_terms_accepted, true.")


def _list_of_buttons(part: Part) -> list[Part]:
    buttons = part.get("buttons")
    if not isinstance(buttons, list) or not buttons or not all(isinstance(button, dict) for button in buttons):
        raise refused("buttons must be a list of objects.")
    return buttons


def _upper(holder: Part, name: str) -> str:
    """Types and formats come in upper or lower case."""
    return str(holder.get(name, "")).upper()


def _unjudged(part: Part, _: str) -> Part:
    return part


_OF_TEXTS: dict[str, Reader] = {
    "HEADER": _header,
    "BODY": _body,
    "FOOTER": _footer,
    "BUTTONS": _buttons,
    "CAROUSEL": _unjudged,
    "LIMITED_TIME_OFFER": _unjudged,
}
_OF_CODES: dict[str, Reader] = {"BODY": _code_body, "FOOTER": _code_footer, "BUTTONS": _code_buttons}
