"""Carries out the calls that manage an account's templates: for the command line, which may wait.

The token goes to the configured address alone: redirects are not followed, neither is an address in an answer. Only what changes
nothing is repeated by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import requests
from urllib3.exceptions import NewConnectionError

from rasa_whatsapp import __version__
from rasa_whatsapp.cloud.providers import BusinessAccount
from rasa_whatsapp.cloud.templates import calls
from rasa_whatsapp.cloud.templates.calls import AccountTemplate, Created, ManagementCall
from rasa_whatsapp.cloud.templates.management_errors import STALE_CURSOR, Failure, Scope, read_failure
from rasa_whatsapp.cloud.wire import JSONDict, MalformedField
from rasa_whatsapp.errors import WhatsAppError

_CONNECT_SECONDS, _ANSWER_SECONDS, _UPLOADED_SECONDS = 10.0, 30.0, 120.0
_PAUSES_SECONDS = (1.0, 3.0, 10.0)  # before what changes nothing is asked again, or a broken upload goes on
_LISTINGS = 3
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file to upload, as Meta is told of it."""

    name: str
    mime_type: str
    content: bytes = field(repr=False)


class CallFailed(WhatsAppError):
    """Meta refused a call, or its fate is not known; `failure` says what that means for the calls after it."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.text)


class _Credentials(requests.auth.AuthBase):
    """Sets the token; without it, requests would prefer a password for the host in ~/.netrc."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request


class TemplateAccount:
    """The templates of a WhatsApp Business Account; close it at the end."""

    def __init__(self, account: BusinessAccount, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._account = account
        self._sleep = sleep
        self._session = requests.Session()
        self._session.auth = _Credentials(account.headers)
        self._upload_auth = _Credentials(account.upload_headers)
        self._session.headers["User-Agent"] = f"rasa-whatsapp/{__version__}"

    @property
    def app_id(self) -> str | None:
        """Return the app that files are uploaded for, if it is known."""
        return self._account.app_id

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def listed(self) -> list[AccountTemplate]:
        """Return all templates, each language apart; raises CallFailed."""
        for _ in range(_LISTINGS - 1):
            try:
                return self._list_once()
            except CallFailed as problem:
                if problem.failure.code != STALE_CURSOR:
                    raise
        return self._list_once()

    def create(self, declared: JSONDict) -> Created:
        """Hand a template in for review; raises CallFailed."""
        call = calls.creation(self._account.account_id, declared)
        return _understood(calls.read_created, self._answer(call))

    def edit(self, template_id: str, changes: JSONDict) -> None:
        """Change a template, which is reviewed again then; raises CallFailed."""
        self._answer(calls.edit(template_id, changes))

    def delete(self, name: str, template_id: str | None = None) -> None:
        """Delete a template in all languages, or the one translation with this id; raises CallFailed."""
        self._answer(calls.deletion(self._account.account_id, name, template_id))

    def upload(self, file: MediaFile) -> str:
        """Return the handle of a file, uploaded for the account's app; raises CallFailed.

        Where the connection broke, it goes on from the offset that Meta tells. A template that needs the file was not handed in then,
        so nothing uncertain is left behind.
        """
        try:
            return self._upload(file)
        except CallFailed as problem:
            failure = problem.failure
            scope = Scope.TEMPLATE if failure.scope is Scope.TEMPLATE else Scope.ACCOUNT
            text = f"the sample {file.name} is not uploaded: {failure.text}"
            raise CallFailed(replace(failure, scope=scope, text=text)) from None

    def _upload(self, file: MediaFile) -> str:
        session, offset = self._announced(file), 0
        for pause in _PAUSES_SECONDS:
            try:
                return self._continued(session, file, offset)
            except CallFailed as problem:
                if not (problem.failure.again or problem.failure.scope is Scope.UNCERTAIN):
                    raise
            self._sleep(pause)
            offset = _understood(calls.read_offset, self._answer(calls.upload_state(session)))
            if offset >= len(file.content):
                # All is there, only the handle was lost, and nothing but an upload tells it.
                session, offset = self._announced(file), 0
        return self._continued(session, file, offset)

    def _announced(self, file: MediaFile) -> str:
        assert self._account.app_id is not None  # as the plan has seen to
        call = calls.upload_session(
            self._account.app_id, name=file.name, mime_type=file.mime_type, size=len(file.content)
        )
        return _understood(calls.read_session, self._answer(call))

    def _continued(self, session: str, file: MediaFile, offset: int) -> str:
        return _understood(calls.read_handle, self._once(calls.upload(session, file.content[offset:], offset)))

    def _list_once(self) -> list[AccountTemplate]:
        found: list[AccountTemplate] = []
        cursors: set[str | None] = set()
        after: str | None = None
        while after not in cursors:
            cursors.add(after)
            page = _understood(calls.read_page, self._answer(calls.listing(self._account.account_id, after)))
            found += page.templates
            if page.after is None:
                return found
            after = page.after
        raise CallFailed(
            Failure(Scope.ACCOUNT, "Meta's list leads back to a page that was read already: try again later")
        )

    def _answer(self, call: ManagementCall) -> bytes:
        for pause in _PAUSES_SECONDS if call.is_safe else ():
            try:
                return self._once(call)
            except CallFailed as problem:
                if not problem.failure.again:
                    raise
            self._sleep(pause)
        return self._once(call)

    def _once(self, call: ManagementCall) -> bytes:
        try:
            response = self._session.request(
                call.method,
                f"{self._account.version_url}/{call.path}",
                params=call.query,
                json=call.body,
                data=call.data,
                headers=None if call.offset is None else {"file_offset": str(call.offset)},
                auth=self._upload_auth if call.uploads else None,
                timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS if call.data is None else _UPLOADED_SECONDS),
                allow_redirects=False,
            )
        except requests.RequestException as problem:
            raise CallFailed(_broken(call, problem)) from None
        if not 200 <= response.status_code < 300:
            raise CallFailed(read_failure(response.status_code, response.content, of_upload=call.uploads))
        return response.content


def _broken(call: ManagementCall, problem: requests.RequestException) -> Failure:
    kind = type(problem).__name__
    if call.is_safe or _never_left(problem):
        return Failure(
            Scope.ACCOUNT, f"Meta cannot be reached ({kind}): check the connection and graph_url", again=True
        )
    return Failure(Scope.UNCERTAIN, f"the connection broke before Meta's answer ({kind})")


def _never_left(problem: requests.RequestException) -> bool:
    if isinstance(problem, requests.exceptions.ConnectTimeout):
        return True
    cause = problem.args[0] if problem.args else None
    return isinstance(getattr(cause, "reason", None), NewConnectionError)


def _understood(read: Callable[[bytes], T], body: bytes) -> T:
    try:
        return read(body)
    except MalformedField as problem:
        raise CallFailed(Failure(Scope.UNCERTAIN, f"Meta's answer is not understood: {problem}")) from None
