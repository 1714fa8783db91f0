"""Attachments: decoded, checked, kept if they are images."""

import base64

import pytest

from hubbub.core.chat.attachments import images, sniff
from hubbub.core.chat.conversation import Attachment
from hubbub.core.chat.messages import Image
from hubbub.errors import InvalidRequest, TooLarge


PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
ENCODED = base64.b64encode(PNG).decode()


def kept(*attachments: Attachment, max_bytes: int = 1000) -> list[Image]:
    """Check attachments with small limits."""
    return images(attachments, max_bytes=max_bytes, max_count=3)


@pytest.mark.parametrize(
    "content", [ENCODED, f"data:image/gif;base64,{ENCODED}", f"{ENCODED[:8]}\n {ENCODED[8:]}"]
)
def test_image_is_kept_under_its_real_type(content: str) -> None:
    """Base64 and data URLs are taken, and what the bytes say counts, not what the sender says."""
    assert kept(Attachment(content=content, mime_type="image/gif")) == [Image(ENCODED, "image/png")]


def test_what_is_no_image_is_dropped() -> None:
    """A text file and an attachment without content leave no trace and no error."""
    text = base64.b64encode(b"hello").decode()
    assert kept(Attachment(content=text), Attachment(content="")) == []


@pytest.mark.parametrize(
    ("attachment", "label"),
    [
        (Attachment(content="no base64!", file_name="a.png", mime_type="image/png"), "a.png"),
        (Attachment(content="AAA", mime_type="image/png"), "image/png"),
        (Attachment(content="ä"), "1"),
    ],
)
def test_bad_base64_is_refused_by_name(attachment: Attachment, label: str) -> None:
    """The error names the file, else its type, else its number."""
    with pytest.raises(InvalidRequest, match=f"^attachment {label}: invalid base64 content$"):
        kept(attachment)


@pytest.mark.parametrize("size", [101, 5000])
def test_large_attachment_is_refused(size: int) -> None:
    """One byte too many is too many, also where it shows only after decoding."""
    content = base64.b64encode(b"0" * size).decode()
    with pytest.raises(TooLarge, match="exceeds size limit"):
        kept(Attachment(content=content), max_bytes=100)
    assert kept(Attachment(content=base64.b64encode(b"0" * 100).decode()), max_bytes=100) == []


def test_too_many_attachments_are_refused() -> None:
    """There is a limit on their number."""
    with pytest.raises(TooLarge, match="4 attachments in one message; 3 at most"):
        kept(*[Attachment(content=ENCODED)] * 4)


@pytest.mark.parametrize(
    ("data", "mime_type"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF0000WEBP", "image/webp"),
        (b"%PDF-1.4", None),
        (b"", None),
    ],
)
def test_sniff_knows_images_by_their_bytes(data: bytes, mime_type: str | None) -> None:
    """Signatures are looked for where they stand."""
    assert sniff(data) == mime_type
