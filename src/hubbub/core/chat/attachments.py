"""Files that come with a message: decoded, checked, and kept if they are images. Pure."""

import base64
import binascii
from collections.abc import Sequence

from hubbub.core.chat.conversation import Attachment
from hubbub.core.chat.messages import Image
from hubbub.errors import InvalidRequest, TooLarge


_SIGNATURES = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypavif", "image/avif"),
)
"""Offset, bytes and type by which an image is known, whatever its sender calls it."""


def images(attachments: Sequence[Attachment], *, max_bytes: int, max_count: int) -> list[Image]:
    """Give the images among attachments; what is empty or no image is left out.

    Raises:
        InvalidRequest: An attachment is not base64; the text names it.
        TooLarge: One is over ``max_bytes`` when decoded, or there are more than ``max_count``.
    """
    if len(attachments) > max_count:
        message = f"{len(attachments)} attachments in one message; {max_count} at most"
        raise TooLarge(message)
    found = []
    for number, attachment in enumerate(attachments, start=1):
        if not attachment.content:
            continue
        label = attachment.file_name or attachment.mime_type or str(number)
        data = _decoded(attachment.content, label, max_bytes)
        mime_type = sniff(data)
        if mime_type is not None:
            found.append(Image(base64.b64encode(data).decode(), mime_type))
    return found


def sniff(data: bytes) -> str | None:
    """Give the type of an image; ``None``: it is none that we know."""
    for offset, signature, mime_type in _SIGNATURES:
        if data.startswith(signature, offset):
            return mime_type
    return None


def _decoded(content: str, label: str, max_bytes: int) -> bytes:
    encoded = content.partition(",")[2] if content.startswith("data:") else content
    # Line breaks are common in base64; anything else that does not belong there is not.
    encoded = "".join(encoded.split())
    if len(encoded) * 3 // 4 > max_bytes + 2:
        raise _too_large(label, len(encoded) * 3 // 4, max_bytes)
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        message = f"attachment {label}: invalid base64 content"
        raise InvalidRequest(message) from None
    if len(data) > max_bytes:
        raise _too_large(label, len(data), max_bytes)
    return data


def _too_large(label: str, size: int, max_bytes: int) -> TooLarge:
    return TooLarge(f"attachment {label}: exceeds size limit ({size} > {max_bytes} bytes)")
