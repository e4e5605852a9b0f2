"""What Meta demands of a template before it reviews it, told offline: one entry of the catalogue in, what is wrong with it out.

Not checked: that the wording suits the category. Meta publishes no number for too many variables in a short text (2388293); several
providers found that n variables need 2n + 1 words.
https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from rasa_whatsapp.cloud import limits
from rasa_whatsapp.cloud.scalars import kind_of
from rasa_whatsapp.cloud.templates.part_rules import (
    BUTTON_FORMAT,
    FORMATS,
    Fault,
    body_faults,
    buttons_faults,
    footer_faults,
    header_faults,
    length_faults,
    sign_faults,
    text_of,
)
from rasa_whatsapp.cloud.templates.promotion_rules import carousel_faults, neighbour_faults, offer_faults
from rasa_whatsapp.cloud.wire import JSONDict

CATEGORIES = ("UTILITY", "MARKETING", "AUTHENTICATION")

NAME = re.compile(r"[a-z0-9_]+")
LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2,3})?")
# category -> the seconds that Meta may try to deliver (message_send_ttl_seconds); -1 means 30 days, not for marketing
SECONDS = {"AUTHENTICATION": (30, 900), "UTILITY": (30, 43_200), "MARKETING": (43_200, 2_592_000)}
CODE_MINUTES = range(1, 91)
OTP_TYPES_FOR_APPS = ("ONE_TAP", "ZERO_TAP")
OTP_TYPES = ("COPY_CODE", *OTP_TYPES_FOR_APPS)
APP = ("package_name", "signature_hash")


def faults(entry: JSONDict) -> list[Fault]:
    """Return all that Meta would refuse in a template in one language."""
    return [*_of_the_whole(entry), *_of_components(entry)]


def _of_the_whole(entry: JSONDict) -> Iterator[Fault]:
    yield from _of_the_name(entry)
    yield from _of_the_language(entry)
    if _category(entry) not in CATEGORIES:
        yield Fault(("category",), f"category {entry.get('category')!r}: it is one of {', '.join(CATEGORIES)}")
    if _format(entry) not in FORMATS:
        yield Fault(
            ("parameter_format",), f"parameter_format {entry['parameter_format']!r}: it is one of {', '.join(FORMATS)}"
        )
    yield from _of_the_lifetime(entry)


def _of_the_name(entry: JSONDict) -> Iterator[Fault]:
    name = text_of(entry, "name")
    if _is_no_text(entry, "name"):
        yield _unquoted(entry, "name")
    elif not NAME.fullmatch(name) or len(name) > limits.TEMPLATE_NAME:
        yield Fault(
            ("name",),
            f"name {name!r}: small letters a-z, digits and underscores only, at most {limits.TEMPLATE_NAME}",
        )


def _of_the_language(entry: JSONDict) -> Iterator[Fault]:
    language = text_of(entry, "language")
    if _is_no_text(entry, "language"):
        yield _unquoted(entry, "language")
    elif not LANGUAGE.fullmatch(language):
        hint = language.replace("-", "_")
        remedy = f"Meta writes {hint!r}" if LANGUAGE.fullmatch(hint) else "as en, en_US or pt_BR"
        yield Fault(("language",), f"language {language!r} is no code of Meta's: {remedy}")


def _is_no_text(entry: JSONDict, key: str) -> bool:
    return entry.get(key) is not None and not isinstance(entry[key], str)


def _unquoted(entry: JSONDict, key: str) -> Fault:
    """Return that YAML makes something else than a text of what stands under a key."""
    value = entry[key]
    if isinstance(value, (dict, list)):
        return Fault((key,), f"{key} is {kind_of(value)}, not a text")
    written = str(value).lower() if isinstance(value, bool) else value
    return Fault((key,), f"{key} {written} is no text in YAML but {kind_of(value)}: put it in quotes")


def _of_the_lifetime(entry: JSONDict) -> Iterator[Fault]:
    seconds, category = entry.get("message_send_ttl_seconds"), _category(entry)
    if seconds is None or category not in SECONDS:
        return
    least, most = SECONDS[category]
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
    kinds = [text_of(part, "type").upper() for part in components]
    for kind, count in Counter(kinds).items():
        if kind not in CHECKS:
            yield Fault(("components", kinds.index(kind)), f"component type {kind!r}: it is one of {', '.join(CHECKS)}")
        elif count > 1:
            yield Fault(("components",), f"{count} components of type {kind}; there may be one")
    if "BODY" not in kinds:
        yield Fault(("components",), "there is no BODY: each template needs one")
    for position, (kind, part) in enumerate(zip(kinds, components, strict=True)):
        check = _CODE_CHECKS.get(kind, CHECKS.get(kind)) if _category(entry) == "AUTHENTICATION" else CHECKS.get(kind)
        for fault in check(part, _format(entry)) if check else ():
            yield Fault(("components", position, *fault.where), fault.text)
    yield from neighbour_faults({kind: kinds.index(kind) for kind in kinds}, components, _category(entry))
    if _category(entry) == "AUTHENTICATION" and "BUTTONS" not in kinds:
        yield Fault(("components",), "an AUTHENTICATION template has one button of type OTP")


def _code_body(part: JSONDict, _: str) -> Iterator[Fault]:
    if "text" in part:
        yield Fault(("text",), "the body of an AUTHENTICATION template is Meta's: leave out text")
    if not isinstance(part.get("add_security_recommendation", False), bool):
        yield Fault(("add_security_recommendation",), "add_security_recommendation is true or false")


def _code_footer(part: JSONDict, _: str) -> Iterator[Fault]:
    if "text" in part:
        yield Fault(("text",), "the footer of an AUTHENTICATION template is Meta's: leave out text")
        if "code_expiration_minutes" not in part:
            return
    minutes = part.get("code_expiration_minutes")
    if isinstance(minutes, bool) or not isinstance(minutes, int) or minutes not in CODE_MINUTES:
        yield Fault(
            ("code_expiration_minutes",), f"code_expiration_minutes {minutes!r}: it is 1 to {max(CODE_MINUTES)}"
        )


def _code_buttons(part: JSONDict, _: str) -> Iterator[Fault]:
    buttons = part.get("buttons")
    is_one = isinstance(buttons, list) and len(buttons) == 1 and isinstance(buttons[0], dict)
    if not isinstance(buttons, list) or not is_one or text_of(buttons[0], "type").upper() != "OTP":
        yield Fault(("buttons",), "an AUTHENTICATION template has one button of type OTP")
        return
    button = buttons[0]
    for fault in _code_button(button):
        yield Fault(("buttons", 0, *fault.where), fault.text)


def _code_button(button: JSONDict) -> Iterator[Fault]:
    """Yield what is wrong with a button for a code; who hands the code to an app has to name it, and for ZERO_TAP to accept terms.

    https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/authentication-templates/zero-tap-authentication-templates
    """
    kind = text_of(button, "otp_type").upper()
    if kind not in OTP_TYPES:
        yield Fault(("otp_type",), f"otp_type {button.get('otp_type')!r}: it is one of {', '.join(OTP_TYPES)}")
    if "text" in button:
        yield from length_faults(button, "button", limits.TEMPLATE_BUTTON)
        yield from sign_faults(button, "label of a button", BUTTON_FORMAT)
    if kind in OTP_TYPES_FOR_APPS and not _names_apps(button):
        yield Fault(
            ("supported_apps",) if "supported_apps" in button else (),
            f"otp_type {kind} needs supported_apps: a list with {' and '.join(APP)} of each app",
        )
    if kind == "ZERO_TAP" and button.get("zero_tap_terms_accepted") is not True:
        yield Fault(
            ("zero_tap_terms_accepted",) if "zero_tap_terms_accepted" in button else (),
            "otp_type ZERO_TAP needs zero_tap_terms_accepted: true, which accepts Meta's terms for it",
        )


def _names_apps(button: JSONDict) -> bool:
    """Tell whether a button names an app; Meta's older form has the one app on the button itself."""
    apps = button.get("supported_apps", [button])
    is_list = isinstance(apps, list) and bool(apps) and all(isinstance(app, dict) for app in apps)
    return is_list and all(text_of(app, key) for app in apps for key in APP)


def _code_header(_: JSONDict, __: str) -> Iterator[Fault]:
    yield Fault((), "an AUTHENTICATION template has no header")


Check = Callable[[JSONDict, str], Iterable[Fault]]
CHECKS: dict[str, Check] = {
    "HEADER": header_faults,
    "BODY": body_faults,
    "FOOTER": footer_faults,
    "BUTTONS": buttons_faults,
    "CAROUSEL": carousel_faults,
    "LIMITED_TIME_OFFER": offer_faults,
}
_CODE_CHECKS: dict[str, Check] = {
    "HEADER": _code_header,
    "BODY": _code_body,
    "FOOTER": _code_footer,
    "BUTTONS": _code_buttons,
}


def _category(entry: JSONDict) -> str:
    return str(entry.get("category", "")).upper()


def _format(entry: JSONDict) -> str:
    return str(entry.get("parameter_format", "POSITIONAL")).upper()
