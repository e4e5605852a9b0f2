"""Which files WhatsApp takes from a business, as what, and how big (fact sheet 9; M:business-phone-numbers/media).

Pure. A file's type is what its sender says; only a sticker is looked into, as moving ones may be bigger.
"""

from __future__ import annotations

MIB = 1024 * 1024
KIB = 1024
_OFFICE = "application/vnd.openxmlformats-officedocument"

# kind -> (MIME types, most bytes)
KINDS: dict[str, tuple[tuple[str, ...], int]] = {
    "audio": (("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"), 16 * MIB),
    "document": (
        (
            "text/plain",
            "application/pdf",
            "application/msword",
            "application/vnd.ms-excel",
            "application/vnd.ms-powerpoint",
            f"{_OFFICE}.wordprocessingml.document",
            f"{_OFFICE}.spreadsheetml.sheet",
            f"{_OFFICE}.presentationml.presentation",
        ),
        100 * MIB,
    ),
    "image": (("image/jpeg", "image/png"), 5 * MIB),
    "sticker": (("image/webp",), 500 * KIB),
    "video": (("video/mp4", "video/3gpp"), 16 * MIB),
}
STILL_STICKER_BYTES = 100 * KIB
TYPES = tuple(sorted(mime for mimes, _ in KINDS.values() for mime in mimes))


def essence(mime_type: str) -> str:
    """Return a MIME type without its parameters: `audio/ogg; codecs=opus` is `audio/ogg`."""
    return mime_type.partition(";")[0].strip().lower()


def kind_of(mime_type: str) -> str | None:
    """Return as what a file of this type can be uploaded, or None."""
    return next((kind for kind, (types, _) in KINDS.items() if essence(mime_type) in types), None)


def size_problem(mime_type: str, data: bytes) -> str | None:
    """Return why a file is too big or too small, or None."""
    kind = kind_of(mime_type)
    if not data:
        return "the file is empty"
    if kind is None:
        return None
    most = KINDS[kind][1]
    if kind == "sticker" and not is_animated(data):
        most = STILL_STICKER_BYTES
    return f"a {kind} has at most {most} bytes, received {len(data)}" if len(data) > most else None


def is_animated(webp: bytes) -> bool:
    """Tell whether a WebP file moves: the second bit of its VP8X chunk's flags."""
    return webp[:4] == b"RIFF" and webp[8:16] == b"WEBPVP8X" and len(webp) > 20 and bool(webp[20] & 0x02)


def can_be_sent_as(kind: str, mime_type: str) -> bool:
    """Tell whether a stored file of this type can be sent as a kind; as a document anything can."""
    return kind == "document" or kind_of(mime_type) == kind
