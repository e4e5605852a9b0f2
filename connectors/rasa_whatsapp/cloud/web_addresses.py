"""Read web addresses strictly, for everything that decides where a request may go.

Only what every reader of addresses takes for the same host is an address here: no user part, no backslash, no blank.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

_ADDRESS = re.compile(
    r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?(?=[/?#]|$)([^\\\s\x00-\x1f\x7f]*)",
    re.IGNORECASE | re.ASCII,
)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class WebAddress:
    """An http or https address; `rest` is its path and query, without a fragment."""

    scheme: str
    host: str
    port: int
    rest: str

    @property
    def origin(self) -> str:
        """Return scheme, host and port, for instance `https://graph.facebook.com`."""
        return f"{self.scheme}://{self.place}"

    @property
    def place(self) -> str:
        """Return the host, with its port if that is not the scheme's own."""
        return self.host if self.port == _PORTS[self.scheme] else f"{self.host}:{self.port}"

    def is_at(self, hosts: Collection[str]) -> bool:
        """Tell whether it is at one of these hosts; another port than the scheme's own must be named (`host:port`)."""
        return self.place in {host.lower() for host in hosts}

    def __str__(self) -> str:
        return f"{self.origin}{self.rest}"


def read_address(text: str) -> WebAddress | None:
    """Return the address that a text is, None if it is none."""
    found = _ADDRESS.fullmatch(text)
    if found is None:
        return None
    scheme, host, port, rest = found[1].lower(), found[2].lower(), found[3], found[4].partition("#")[0]
    number = int(port) if port else _PORTS[scheme]
    return WebAddress(scheme, host, number, rest) if 0 < number < 65536 else None


def is_at(text: str, hosts: Collection[str]) -> bool:
    """Tell whether a text is an address at one of these hosts."""
    address = read_address(text)
    return address is not None and address.is_at(hosts)
