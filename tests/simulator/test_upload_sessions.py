"""The Resumable Upload API: sessions, pieces, handles, what is refused; and what a template's header takes of it."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import AUTHORISED, Simulator

pytestmark = pytest.mark.asyncio

UPLOADS = "/v26.0/300000000000001/uploads"
ACCOUNT = "/v26.0/200000000000001/message_templates"
OAUTH = {"Authorization": "OAuth demo-access-token"}
PNG = b"\x89PNG\r\n\x1a\n" + b"\xff" * 92
PDF = b"%PDF-1.4 ..."
FILE = {"file_name": "a.png", "file_length": "100", "file_type": "image/png"}


async def ask(simulator: Simulator, method: str, path: str, *, status: int = 200, **more: Any) -> dict[str, Any]:
    """Call the Graph API and hold the status against the expected one."""
    async with simulator.http.request(method, simulator.url(path), **{"headers": OAUTH, **more}) as answer:
        content: dict[str, Any] = await answer.json()
        assert answer.status == status, content
        return content


async def begun(simulator: Simulator, **changes: str) -> str:
    """Begin an upload; return its address."""
    return f"/v26.0/{(await ask(simulator, 'POST', UPLOADS, params=FILE | changes))['id']}"


async def take(simulator: Simulator, path: str, data: bytes, offset: int = 0, status: int = 200) -> dict[str, Any]:
    """Upload bytes from an offset on."""
    return await ask(simulator, "POST", path, data=data, headers=OAUTH | {"file_offset": str(offset)}, status=status)


async def uploaded(simulator: Simulator, data: bytes, **changes: str) -> str:
    """Upload a file; return its handle."""
    path = await begun(simulator, file_length=str(len(data)), **changes)
    return str((await take(simulator, path, data))["h"])


async def test_in_one_piece(simulator: Simulator) -> None:
    """A session, then the bytes, then a handle; the token may be shown as everywhere when it begins."""
    path = (await ask(simulator, "POST", UPLOADS, params=FILE, headers=AUTHORISED))["id"]
    assert path.startswith("upload:")
    assert "?sig=" in path
    assert (await ask(simulator, "GET", f"/v26.0/{path}")) == {"id": path, "file_offset": 0}
    assert (await take(simulator, f"/v26.0/{path}", PNG))["h"].startswith("4:")


async def test_in_two_pieces(simulator: Simulator) -> None:
    """The second begins where the first one ended, nowhere else."""
    path = await begun(simulator)
    assert (await take(simulator, path, PNG[:30]))["file_offset"] == 30
    for elsewhere in (20, 40):
        await take(simulator, path, PNG[40:], elsewhere, status=400)
    assert (await ask(simulator, "GET", path))["file_offset"] == 30
    assert "h" in await take(simulator, path, PNG[30:], 30)


@pytest.mark.parametrize(
    "changes",
    [{"file_type": "image/gif"}, {"file_length": "0"}, {"file_length": "1e3"}, {"file_length": "104857601"}, {"file_name": ""}],
    ids=["type", "no bytes", "no number", "too many bytes", "no name"],
)  # fmt: skip
async def test_what_cannot_be_begun(simulator: Simulator, changes: dict[str, str]) -> None:
    """Types and sizes are Meta's."""
    assert (await ask(simulator, "POST", UPLOADS, params=FILE | changes, status=400))["error"]["code"] == 100


async def test_who_may_upload(simulator: Simulator) -> None:
    """Another app, another token, the wrong word before it, a session that was never begun."""
    path = await begun(simulator)
    assert (await ask(simulator, "POST", "/v26.0/7/uploads", params=FILE, status=400))["error"]["error_subcode"] == 33
    await ask(simulator, "POST", UPLOADS, params=FILE, headers={"Authorization": "OAuth x"}, status=401)
    await ask(simulator, "POST", path, data=PNG, headers=AUTHORISED | {"file_offset": "0"}, status=401)
    assert (await ask(simulator, "GET", f"{path}x", status=400))["error"]["error_subcode"] == 33
    assert (await ask(simulator, "GET", path))["file_offset"] == 0


async def test_bytes_that_are_not_what_was_announced(simulator: Simulator) -> None:
    """More of them, or another kind."""
    await take(simulator, await begun(simulator), PNG + b"x", status=400)
    path = await begun(simulator, file_length=str(len(PDF)))
    assert "not of type image/png" in (await take(simulator, path, PDF, status=400))["error"]["error_data"]["details"]


async def test_a_sample_of_another_format(simulator: Simulator) -> None:
    """A handle that was given here is known; one of Meta's own is taken unseen."""
    picture = await uploaded(simulator, PNG)
    bill = await uploaded(simulator, PDF, file_type="application/pdf")
    for name, handle, status in (("a", bill, 400), ("b", picture, 200), ("c", "4::aW1n", 200)):
        header = {"type": "HEADER", "format": "image", "example": {"header_handle": [handle]}}
        body = {"type": "BODY", "text": f"Half price in our shop, {name}."}
        template = {"name": name, "language": "en", "category": "MARKETING", "components": [header, body]}
        answer = await ask(simulator, "POST", ACCOUNT, json=template, headers=AUTHORISED, status=status)
        if status == 400:
            assert (
                answer["error"]["error_user_msg"]
                == "The sample of a header of format IMAGE is of type application/pdf."
            )
