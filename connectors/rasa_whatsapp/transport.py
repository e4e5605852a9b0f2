"""The only outbound socket to Graph: carries out a described request and says what is known of its fate.

It talks to the configured host alone: redirects are not followed, so the token cannot travel elsewhere.
"""

from __future__ import annotations

import asyncio

import aiohttp

from rasa_whatsapp import __version__
from rasa_whatsapp.cloud.graph_errors import Disposition
from rasa_whatsapp.cloud.outbound import GraphRequest
from rasa_whatsapp.cloud.responses import Answer, Refused, read

DEFAULT_GRAPH_URL = "https://graph.facebook.com"
DEFAULT_API_VERSION = "v26.0"


class Graph:
    """A connection to the Graph API for one access token; made inside a running event loop."""

    def __init__(self, *, url: str, api_version: str, access_token: str, timeout_seconds: float = 30.0) -> None:
        self._base = f"{url.rstrip('/')}/{api_version}"
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=timeout_seconds),
            headers={"Authorization": f"Bearer {access_token}", "User-Agent": f"rasa-whatsapp/{__version__}"},
        )

    async def post(self, request: GraphRequest) -> Answer:
        """Return what became of the request; a lost connection is an answer too, never an exception."""
        try:
            async with self._session.post(
                f"{self._base}/{request.path}", json=request.body, allow_redirects=False
            ) as response:
                return read(response.status, await response.read())
        except aiohttp.ClientConnectorError:
            return Refused(Disposition.RETRY, 0, "Graph cannot be reached: it was not sent")
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as problem:
            return _unknown(problem)

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()


def _unknown(problem: Exception) -> Refused:
    explanation = f"the connection to Graph broke before its answer ({type(problem).__name__}); it may have been sent"
    return Refused(Disposition.UNCERTAIN, 0, explanation)
