"""The page for people: its files as they are, from memory, and what a browser may do with them."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType

import msgspec

from hubbub.dialects.base import Request, Response, Route
from hubbub.errors import NotFound


NO_PAGE: Mapping[str, bytes] = MappingProxyType({})
INDEX = "index.html"

SECURITY: Mapping[str, str] = {
    # No source but this listener, nothing inline, and no text that becomes code.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Headers of every file of the page."""

TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""Content type by the end of a file's name; what has another end is not served."""


class _File(msgspec.Struct, frozen=True):
    """One file, with its answers."""

    whole: Response
    unchanged: Response
    """To a browser that has it already."""
    tag: str


class Page:
    """``/`` and ``/page/<path>``."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """Serve files.

        Args:
            files: By their path, as it stands below ``/page/``; ``index.html`` is also ``/``.
        """
        self._files = {
            path: _file(content, kind)
            for path, content in files.items()
            if (kind := TYPES.get(PurePosixPath(path).suffix)) is not None
        }

    @property
    def routes(self) -> list[Route]:
        """Open routes: they are the same for everybody, and tell nothing of the room."""
        return [
            Route(method="GET", path="/", handler=self._answer),
            Route(method="GET", path="/page/{path:.*}", handler=self._answer),
        ]

    async def _answer(self, request: Request) -> Response:
        file = self._files.get(request.params.get("path", INDEX))
        if file is None:
            raise NotFound("path", request.path)
        return file.unchanged if request.headers.get("If-None-Match") == file.tag else file.whole


def _file(content: bytes, content_type: str) -> _File:
    """Make the answers of a file; a browser asks each time whether its copy is still good."""
    tag = f'"{base64.urlsafe_b64encode(hashlib.sha256(content).digest()[:12]).decode()}"'
    headers = {**SECURITY, "Cache-Control": "no-cache", "ETag": tag}
    return _File(
        whole=Response(body=content, content_type=content_type, headers=headers),
        unchanged=Response(status=304, headers=headers),
        tag=tag,
    )
