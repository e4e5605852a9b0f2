"""What a phone shows of a message, in either direction: text, header, footer, buttons, a list, a template's name.

Pure data. `to_json` is the part of the control API's chat messages that concerns appearance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """Something that can be tapped; `id` is what a tap names, `payload` what a template's button sends back."""

    id: str
    title: str
    kind: str = "reply"
    payload: str | None = None
    url: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the button as the control API shows it; what it has not is left out."""
        shown = {"id": self.id, "title": self.title, "kind": self.kind, "payload": self.payload, "url": self.url}
        return {name: value for name, value in shown.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """One message as it looks."""

    text: str
    header: str | None = None
    footer: str | None = None
    buttons: tuple[Button, ...] = ()
    menu: dict[str, Any] | None = None  # {"button": str, "sections": [...]}, as it was sent
    template: dict[str, str] | None = None  # {"name", "language", "category"}

    def to_json(self) -> dict[str, Any]:
        """Return the bubble as the control API shows it."""
        shown: dict[str, Any] = {"text": self.text, "buttons": [button.to_json() for button in self.buttons]}
        optional = {"header": self.header, "footer": self.footer, "list": self.menu, "template": self.template}
        return shown | {name: value for name, value in optional.items() if value is not None}


def from_customer(message: dict[str, Any]) -> Bubble:
    """Return what the phone shows of a message that the customer sent (a webhook's `messages[]` object)."""
    kind = message.get("type")
    content = message.get(str(kind))
    if not isinstance(content, dict):
        return Bubble(text=f"[{kind}]")
    if kind == "text":
        return Bubble(text=str(content.get("body", "")))
    if kind == "button":
        return Bubble(text=str(content.get("text", "")))
    if kind == "interactive":
        return _from_answer(content)
    if kind == "reaction":
        return Bubble(text=str(content.get("emoji") or "[reaction removed]"))
    return Bubble(text=str(content.get("caption") or f"[{kind}]"))


def _from_answer(content: dict[str, Any]) -> Bubble:
    answer = content.get(str(content.get("type")))
    if not isinstance(answer, dict):
        return Bubble(text="[interactive]")
    description = answer.get("description")
    return Bubble(text=str(answer.get("title", "[interactive]")), footer=str(description) if description else None)
