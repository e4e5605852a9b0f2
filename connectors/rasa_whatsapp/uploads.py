"""Hand files to Meta that it cannot fetch itself: a link at one of our own hosts becomes a media id.

The bot's server is asked for the file, so only for hosts that the operator named (`upload_hosts`), redirects included.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from rasa_whatsapp.cloud.answers import Refused
from rasa_whatsapp.cloud.media import MOST_BYTES, TYPES, bare_type
from rasa_whatsapp.cloud.media_links import MediaLink
from rasa_whatsapp.cloud.web_addresses import is_at, read_address
from rasa_whatsapp.errors import MediaRefused, MediaUnavailable, UploadFailed
from rasa_whatsapp.transport import Fetch, Fetched, fetch

# What a server says of a file that it does not know; the commonest reason for which Meta does not take a link.
_NO_TYPE = (None, "application/octet-stream", "binary/octet-stream")


class MediaApi(Protocol):
    """Whoever takes files to Meta."""

    async def upload(self, number_id: str, file: Path, *, mime_type: str) -> str | Refused:
        """Return the media id of a file, or why it got none."""


class Uploads:
    """Fetches the files of links and uploads them, each for one business number."""

    def __init__(self, graph: MediaApi, upload_hosts: Collection[str], *, timeout_seconds: float = 60.0) -> None:
        self._graph = graph
        self._hosts = frozenset(upload_hosts)
        self._timeout_seconds = timeout_seconds

    def may_fetch(self, link: str) -> bool:
        """Tell whether a link is at one of the upload hosts."""
        return is_at(link, self._hosts)

    async def upload(self, number_id: str, media: MediaLink) -> str:
        """Return the media id of the link's file; it holds for 30 days and this number.

        Raises UploadFailed with the reason: the link is at no upload host, the file is not to be had, too large for its kind or
        of a type that Meta does not take, or Meta refused it.
        """
        try:
            with tempfile.TemporaryDirectory(prefix="rasa-whatsapp-") as folder:
                return await self._upload(number_id, media, Path(folder) / "file")
        except (MediaRefused, MediaUnavailable) as problem:
            raise UploadFailed(f"the link's {media.kind} cannot be uploaded: {problem}") from problem
        except asyncio.TimeoutError:
            raise UploadFailed(f"the link's {media.kind} did not come in {self._timeout_seconds:g} seconds") from None
        except OSError as problem:
            raise UploadFailed(f"the link's {media.kind} cannot be kept meanwhile ({problem.strerror})") from problem

    async def _upload(self, number_id: str, media: MediaLink, part: Path) -> str:
        fetched = await asyncio.wait_for(self._fetch(media, part), self._timeout_seconds)
        if fetched.status != 200:
            raise UploadFailed(f"the link's {media.kind} cannot be uploaded: HTTP {fetched.status} from its host")
        mime_type = _type_of(media, fetched)
        name = part.with_name(f"{media.kind}{TYPES[media.kind][mime_type]}")
        file = await asyncio.to_thread(part.rename, name)
        answer = await self._graph.upload(number_id, file, mime_type=mime_type)
        if isinstance(answer, Refused):
            raise UploadFailed(f"the link's {media.kind} was not taken: {answer.explanation}")
        return answer

    async def _fetch(self, media: MediaLink, part: Path) -> Fetched:
        rules = Fetch(may_ask=self.may_fetch, most_bytes=MOST_BYTES[media.kind], timeout_seconds=self._timeout_seconds)
        with part.open("wb") as file:
            return await fetch(media.link, rules, file.write, headers={})


def _type_of(media: MediaLink, fetched: Fetched) -> str:
    """Return the MIME type that Meta gets to hear: the server's, or by the link's extension if the server knows none."""
    served = bare_type(fetched.content_type)
    if served in TYPES[media.kind]:
        return str(served)
    if served in _NO_TYPE:
        address = read_address(media.link)
        path = address.rest.partition("?")[0].lower() if address else ""
        for mime_type, extension in TYPES[media.kind].items():
            if path.endswith((extension, extension.replace(".jpg", ".jpeg"))):
                return mime_type
    raise MediaRefused(f"it is served as {served or 'no type'}, which is none that Meta takes for this kind")
