"""Bytes over HTTP: blobs that never change, whole or by range, with validators."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeVar

from django.http import FileResponse, HttpResponse, HttpResponseBase, HttpResponseNotModified, StreamingHttpResponse
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from foundation import blobs
from foundation.problems import Problem

PIECE = 1024 * 1024
FOREVER = "private, max-age=31536000, immutable"
# What is served is data, whatever it claims to be.
LOCKED_DOWN = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}
R = TypeVar("R", bound=HttpResponseBase)
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class AnyAccept(BaseContentNegotiation):
    """For views that answer with files: whatever the client accepts, errors are problem+json."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type or "application/json"


def piece_of_blob(
    request: Request, key: str, offset: int, length: int, *, digest: str, content_type: str
) -> HttpResponse:
    """A few bytes out of a blob as a file of their own, known by their digest. Raises NotFound."""
    tag = f'"{digest}"'
    if _has(request, tag):
        return dressed(HttpResponseNotModified(), tag)
    return dressed(HttpResponse(blobs.read_range(key, offset, length), content_type=content_type), tag)


def whole_blob(request: Request, key: str, *, content_type: str = "application/octet-stream") -> HttpResponseBase:
    """A blob, or the one range of it that was asked for, never held in memory. Raises NotFound."""
    tag = f'"{blobs.digest_of(key)}"'
    if _has(request, tag):
        return dressed(HttpResponseNotModified(), tag)
    size = blobs.size(key)
    wanted = _range(request, tag, size)
    if wanted is None:
        whole = FileResponse(blobs.open(key), content_type=content_type)
        return dressed(whole, tag, {"Content-Length": str(size), "Accept-Ranges": "bytes"})
    start, end = wanted
    if start >= end:
        problem = Problem(416, "range_outside_blob", f"The file has {size} bytes.").response()
        problem.headers["Content-Range"] = f"bytes */{size}"
        return problem
    part = StreamingHttpResponse(_pieces(key, start, end), status=206, content_type=content_type)
    headers = {
        "Content-Length": str(end - start),
        "Content-Range": f"bytes {start}-{end - 1}/{size}",
        "Accept-Ranges": "bytes",
    }
    return dressed(part, tag, headers)


def made_anew(request: Request, facts: str, make: Callable[[], bytes], *, content_type: str) -> HttpResponse:
    """What is made of other things and changes with them: asked for each time, sent only if its facts are others."""
    tag = f'"{hashlib.sha256(facts.encode()).hexdigest()}"'
    headers = {"Cache-Control": "private, no-cache"}
    if _has(request, tag):
        return dressed(HttpResponseNotModified(), tag, headers)
    return dressed(HttpResponse(make(), content_type=content_type), tag, headers)


def dressed(response: R, tag: str, headers: Mapping[str, str] = MappingProxyType({})) -> R:
    """The headers of what never changes and belongs to one person's eyes."""
    for name, value in {"ETag": tag, "Cache-Control": FOREVER, **LOCKED_DOWN, **headers}.items():
        response.headers[name] = value
    return response


def _has(request: Request, tag: str) -> bool:
    listed = request.headers.get("If-None-Match", "")
    return listed.strip() == "*" or tag in (one.strip().removeprefix("W/") for one in listed.split(","))


def _range(request: Request, tag: str, size: int) -> tuple[int, int] | None:
    """The half-open range that was asked for, cut to the blob; None for all of it."""
    header, condition = request.headers.get("Range", ""), request.headers.get("If-Range", tag)
    match = _RANGE.fullmatch(header.strip())
    if match is None or condition != tag or match[1] == match[2] == "":
        return None  # also for several ranges at once, which a server may answer whole
    if match[1] == "":
        return max(0, size - int(match[2])), size
    start, end = int(match[1]), min(size, int(match[2]) + 1 if match[2] else size)
    return None if match[2] and int(match[2]) < start else (start, end)


def _pieces(key: str, start: int, end: int) -> Iterator[bytes]:
    for at in range(start, end, PIECE):
        yield blobs.read_range(key, at, min(PIECE, end - at))
