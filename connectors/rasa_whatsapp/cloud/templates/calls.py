"""The calls of Meta's template management as values, and what their answers say. No socket here; templates/account.py of the package has it.

https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-management
https://developers.facebook.com/docs/graph-api/guides/upload
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from rasa_whatsapp.cloud.wire import (
    JSONDict,
    MalformedField,
    as_object,
    optional_text,
    read_json,
    required_id,
    required_number,
    required_text,
)

# Without asking, Meta leaves out the quality and why a template was rejected (fact sheet 6.2).
_FIELDS = "id,name,language,status,category,parameter_format,components,message_send_ttl_seconds,quality_score,rejected_reason"
_PER_PAGE = 100
_CREATED_WITH = (
    "name",
    "language",
    "category",
    "parameter_format",
    "components",
    "message_send_ttl_seconds",
    "library_template_name",
    "library_template_button_inputs",
    "library_template_body_inputs",
)
_SESSION = re.compile(r"upload:[^\s#?]+(\?[^\s#]*)?")
_MOST_BYTES = 2**40
IN_REVIEW = ("PENDING", "IN_APPEAL")
GONE = ("DELETED", "PENDING_DELETION")


@dataclass(frozen=True, slots=True)
class ManagementCall:
    """One call: its path below the version of the API, its query, and its JSON body if it has one.

    `offset` is that of the bytes `data` in a file; whoever `uploads` shows the token in another way.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: JSONDict | None = None
    data: bytes | None = field(default=None, repr=False)
    offset: int | None = None
    uploads: bool = False
    is_safe: bool = False  # repeating it changes nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTemplate:
    """A template in one language, as the account has it; `content` is all that Meta says of it."""

    id: str
    name: str
    language: str
    status: str
    category: str
    quality: str | None
    rejected_reason: str | None
    content: JSONDict

    @property
    def key(self) -> tuple[str, str]:
        """Return what tells it from all others."""
        return self.name, self.language


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the account's templates; `after` is the cursor of the next part, None behind the last one."""

    templates: tuple[AccountTemplate, ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class Created:
    """What Meta made of a creation; its category may differ from the one that was asked for."""

    id: str
    status: str
    category: str | None


def listing(account_id: str, after: str | None = None) -> ManagementCall:
    """Return the call for a part of the account's templates.

    The next part is asked for by its cursor: the address that Meta writes under `paging.next` is not followed.
    """
    query = {"fields": _FIELDS, "limit": str(_PER_PAGE)} | ({"after": after} if after else {})
    return ManagementCall("GET", f"{account_id}/message_templates", query, is_safe=True)


def creation(account_id: str, declared: JSONDict) -> ManagementCall:
    """Return the call that hands a declared template in for review; what is the catalogue's alone stays here."""
    body = {key: declared[key] for key in _CREATED_WITH if declared.get(key) is not None}
    return ManagementCall("POST", f"{account_id}/message_templates", body=body)


def edit(template_id: str, changes: JSONDict) -> ManagementCall:
    """Return the call that changes a template: its components, category or lifetime. It is reviewed again."""
    return ManagementCall("POST", template_id, body=changes)


def deletion(account_id: str, name: str, template_id: str | None = None) -> ManagementCall:
    """Return the call that deletes a template in all languages, or the one translation with this id."""
    query = {"name": name} | ({"hsm_id": template_id} if template_id else {})
    return ManagementCall("DELETE", f"{account_id}/message_templates", query)


def upload_session(app_id: str, *, name: str, mime_type: str, size: int) -> ManagementCall:
    """Return the call that announces a file of so many bytes; an announcement that nothing follows is nobody's harm."""
    query = {"file_name": name, "file_length": str(size), "file_type": mime_type}
    return ManagementCall("POST", f"{app_id}/uploads", query, uploads=True, is_safe=True)


def upload(session: str, data: bytes, offset: int) -> ManagementCall:
    """Return the call that uploads a file from an offset on."""
    return ManagementCall("POST", session, data=data, offset=offset, uploads=True)


def upload_state(session: str) -> ManagementCall:
    """Return the call that asks from where on an upload is to be continued."""
    return ManagementCall("GET", session, uploads=True, is_safe=True)


def read_page(body: bytes) -> Page:
    """Return the templates of an answer; raises MalformedField, also for a body that is no JSON."""
    content = _opened(body)
    data = content.get("data")
    if not isinstance(data, list):
        raise MalformedField("data is missing or not a list")
    templates = tuple(_template(as_object(item, "data")) for item in data)
    paging = content.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return Page(templates, None)
    return Page(templates, required_text(as_object(paging.get("cursors"), "paging.cursors"), "after"))


def read_created(body: bytes) -> Created:
    """Return what Meta made of a creation; raises MalformedField."""
    content = _opened(body)
    status = (optional_text(content, "status") or "PENDING").upper()
    category = optional_text(content, "category")
    return Created(required_id(content, "id"), status, category.upper() if category else None)


def read_session(body: bytes) -> str:
    """Return the id of an announced upload, which may end with a signature (`?sig=`); raises MalformedField."""
    session = required_text(_opened(body), "id")
    if not _SESSION.fullmatch(session):
        raise MalformedField("id is none of an upload")
    return session


def read_offset(body: bytes) -> int:
    """Return how many bytes of an upload have arrived; raises MalformedField."""
    return int(required_number(_opened(body), "file_offset", least=0, most=_MOST_BYTES))


def read_handle(body: bytes) -> str:
    """Return the handle of a file that is uploaded; raises MalformedField."""
    return required_text(_opened(body), "h")


def _opened(body: bytes) -> JSONDict:
    try:
        return as_object(read_json(body), "the answer")
    except ValueError:
        raise MalformedField("the answer is no JSON") from None


def _template(item: JSONDict) -> AccountTemplate:
    score = item.get("quality_score")
    reason = optional_text(item, "rejected_reason")
    return AccountTemplate(
        id=required_id(item, "id"),
        name=required_text(item, "name"),
        # Some of Meta's samples write en-US where the API takes en_US (fact sheet 4.1).
        language=required_text(item, "language").replace("-", "_"),
        status=required_text(item, "status").upper(),
        category=required_text(item, "category").upper(),
        quality=optional_text(score, "score") if isinstance(score, dict) else None,
        rejected_reason=None if reason == "NONE" else reason,
        content=item,
    )
