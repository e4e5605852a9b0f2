"""The only sockets out: carries out described requests and says what is known of their fate; fetches files where it may.

What carries a token is not redirected: a message goes to its number's account alone, a fetch leaves the token behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from yarl import URL

from rasa_whatsapp import __version__
from rasa_whatsapp.cloud.answers import Answer, Refused, read, read_upload
from rasa_whatsapp.cloud.graph_errors import Disposition
from rasa_whatsapp.cloud.outbound import GraphRequest
from rasa_whatsapp.cloud.providers import Account
from rasa_whatsapp.cloud.web_addresses import read_address
from rasa_whatsapp.errors import MediaRefused, MediaUnavailable

_USER_AGENT = f"rasa-whatsapp/{__version__}"
_UPLOAD_SECONDS = 120.0
_IDLE_SECONDS = 30.0
_PIECE = 256 * 1024
_REDIRECTS = (301, 302, 303, 307, 308)
_BROKEN = (
    aiohttp.ClientError,
    asyncio.TimeoutError,
    ConnectionError,
    ValueError,
)  # ValueError: a Location that is no address


class Graph:
    """The connections to Graph for the accounts of a bot, by number id; made inside a running event loop."""

    def __init__(self, accounts: Mapping[str, Account], *, timeout_seconds: float = 30.0) -> None:
        self._accounts = accounts
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),  # how many send at once, the lanes decide
            timeout=aiohttp.ClientTimeout(total=timeout_seconds),
            headers={"User-Agent": _USER_AGENT},
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def post(self, request: GraphRequest) -> Answer:
        """Return what became of the request; a lost connection is an answer too, never an exception."""
        account = self._accounts.get(request.number_id)
        if account is None:
            return _no_account(request.number_id)
        try:
            async with self._session.post(
                account.url(request.node), json=request.body, headers=account.headers, allow_redirects=False
            ) as response:
                return read(response.status, await response.read())
        except aiohttp.ClientConnectorError:
            return Refused(Disposition.RETRY, 0, "Graph cannot be reached: it was not sent")
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as problem:
            return _unknown(problem)

    async def upload(self, number_id: str, file: Path, *, mime_type: str) -> str | Refused:
        """Return the media id of a file, which holds for 30 days and this number; whatever went wrong is an answer too."""
        account = self._accounts.get(number_id)
        if account is None:
            return _no_account(number_id)
        try:
            with file.open("rb") as opened:
                form = aiohttp.FormData({"messaging_product": "whatsapp", "type": mime_type})
                form.add_field("file", opened, filename=file.name, content_type=mime_type)
                async with self._session.post(
                    account.url("media"),
                    data=form,
                    headers=account.headers,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=_UPLOAD_SECONDS),
                ) as response:
                    return read_upload(response.status, await response.read())
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as problem:
            return Refused(Disposition.RETRY, 0, f"the upload to Graph broke off ({type(problem).__name__})")

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """What a fetch may do: whom it may ask, how much it takes, how long and how often it is sent on."""

    may_ask: Callable[[str], bool]
    most_bytes: int
    timeout_seconds: float
    redirects: int = 3
    wants_errors: bool = False  # takes the body whatever the status is


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was answered: the HTTP status, and the Content-Type if there was one."""

    status: int
    content_type: str | None


async def fetch(url: str, rules: Fetch, into: Callable[[bytes], object], *, headers: Mapping[str, str]) -> Fetched:
    """Hand the bytes at an address to `into`, piece by piece in a thread; of an answer other than 200 only if that is wanted.

    `headers` go to the first address only: whoever redirects does not pass a token on. Raises MediaRefused for an address that
    may not be asked (its host is told, no more) and for too much, MediaUnavailable for a lost connection and for time run out.
    """
    async with aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=rules.timeout_seconds, sock_read=_IDLE_SECONDS),
        headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "identity"},
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,  # packed bytes would be counted and hashed as something else
    ) as session:
        try:
            return await _follow(session, url, rules, into, headers)
        except _BROKEN as problem:
            raise MediaUnavailable(f"the connection failed ({type(problem).__name__}): try again later") from None


async def _follow(
    session: aiohttp.ClientSession,
    url: str,
    rules: Fetch,
    into: Callable[[bytes], object],
    headers: Mapping[str, str],
) -> Fetched:
    for _ in range(rules.redirects + 1):
        _check_address(url, rules)
        address = URL(url, encoded=url.isascii())
        async with session.get(address, headers=headers, allow_redirects=False) as response:
            if response.status not in _REDIRECTS or "Location" not in response.headers:
                return await _take(response, rules, into)
            url = str(response.url.join(URL(response.headers["Location"])))
        headers = {}
    raise MediaRefused(f"it is redirected more than {rules.redirects} times")


def _check_address(url: str, rules: Fetch) -> None:
    if not rules.may_ask(url):
        address = read_address(url)
        place = address.origin if address else "no web address"
        raise MediaRefused(f"its address is not allowed ({place}): see media_hosts and upload_hosts")


async def _take(response: aiohttp.ClientResponse, rules: Fetch, into: Callable[[bytes], object]) -> Fetched:
    fetched = Fetched(response.status, response.headers.get("Content-Type"))
    if response.status != 200 and not rules.wants_errors:
        return fetched
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise MediaRefused("it comes packed, though nobody asked for that")
    _check_size(response.content_length or 0, rules)
    size = 0
    async for piece in response.content.iter_chunked(_PIECE):
        size += len(piece)
        _check_size(size, rules)
        await asyncio.to_thread(into, piece)
    return fetched


def _check_size(size: int, rules: Fetch) -> None:
    if size > rules.most_bytes:
        raise MediaRefused(f"it is larger than the {rules.most_bytes} bytes allowed")


def _unknown(problem: Exception) -> Refused:
    explanation = f"the connection to Graph broke before its answer ({type(problem).__name__}); it may have been sent"
    return Refused(Disposition.UNCERTAIN, 0, explanation)


def _no_account(number_id: str) -> Refused:
    explanation = f"no account has the phone_number_id …{number_id[-4:]}: it left the credentials' numbers"
    return Refused(Disposition.GIVE_UP, 0, explanation)
