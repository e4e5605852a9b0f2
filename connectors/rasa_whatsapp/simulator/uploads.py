"""An upload: from a multipart request to a checked file (M:business-phone-numbers/media).

The part's own Content-Type says what the file is; a `type` beside it must agree.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import BodyPartReader, web

from rasa_whatsapp.simulator.media_kinds import KINDS, TYPES, essence, kind_of, size_problem
from rasa_whatsapp.simulator.refusals import Refused

MOST_BYTES = max(most for _, most in KINDS.values())
_PARAMETER_BYTES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedFile:
    """A file that WhatsApp takes."""

    data: bytes
    mime_type: str
    filename: str | None


async def read_upload(request: web.Request) -> UploadedFile:
    """Return the file in a request, or raise `Refused`."""
    if request.content_type != "multipart/form-data":
        raise Refused(100, "The parameter file is required.")
    parameters: dict[str, str] = {}
    file: UploadedFile | None = None
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise Refused(100, "The request body is not a flat form")
            if part.name == "file":
                data = await _bounded(part, MOST_BYTES)
                file = UploadedFile(data=data, mime_type=part.headers.get("Content-Type", ""), filename=part.filename)
            elif part.name:
                parameters[part.name] = (await _bounded(part, _PARAMETER_BYTES)).decode("utf-8", "replace")
    except (ValueError, AssertionError):
        raise Refused(100, "The request body is not a valid form") from None
    return _checked(file, parameters)


def _checked(file: UploadedFile | None, parameters: dict[str, str]) -> UploadedFile:
    if parameters.get("messaging_product") != "whatsapp":
        raise Refused(100, "The parameter messaging_product is required.")
    if file is None:
        raise Refused(100, "The parameter file is required.")
    declared = parameters.get("type")
    if declared is None:
        raise Refused(100, "The parameter type is required.")
    if kind_of(file.mime_type) is None:
        received = essence(file.mime_type) or "none"
        raise Refused(
            100,
            f"Param file must be a file with one of the following types: {', '.join(TYPES)}."
            f" Received file of type '{received}'.",
        )
    if essence(declared) != essence(file.mime_type):
        raise Refused(100, f"Param type ({essence(declared)}) differs from the file's ({essence(file.mime_type)}).")
    problem = size_problem(file.mime_type, file.data)
    if problem is not None:
        raise Refused(131053, problem)
    return file


async def _bounded(part: BodyPartReader, most: int) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk():
        data += chunk
        if len(data) > most:
            raise Refused(131053, f"a file has at most {most} bytes")
    return bytes(part.decode(bytes(data)))
