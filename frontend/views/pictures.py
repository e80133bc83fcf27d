"""Crops, previews and originals: checked per object, bounded in size, never with a type that a user chose."""

from __future__ import annotations

import re
from hashlib import sha256

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.views.decorators.http import require_safe

from accounts.permissions import requires
from accounts.roles import Capability
from annotation.imaging.sheet import make_sheet
from annotation.queries.picture_access import find_crop, find_crops, find_photo
from foundation import blobs
from foundation.errors import NotFound
from foundation.serving import dressed
from frontend import previews

MOST = 50  # faces on one sheet
LISTED = re.compile(r"[1-9]\d{0,17}(,[1-9]\d{0,17})*")
SUFFIXES = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/heic": "heic",
    "image/heif": "heif",
}


@require_safe
@requires(Capability.REVIEW)
def crop(request: HttpRequest, face_id: int) -> HttpResponseBase:
    """One aligned crop: a range read from its pack. It never changes, so browsers keep it for ever."""
    found = find_crop(face_id)
    if found is None:
        raise Http404
    tag = f'"{found.digest}"'
    if request.headers.get("If-None-Match") == tag:
        return dressed(HttpResponseNotModified(), tag)
    try:
        png = blobs.read_range(found.blob, found.offset, found.length)
    except NotFound as error:
        raise Http404 from error
    return dressed(HttpResponse(png, content_type="image/png"), tag)


@require_safe
@requires(Capability.REVIEW)
def sheet(request: HttpRequest) -> HttpResponseBase:
    """The crops of up to `MOST` faces in one picture, made of just these: it never changes either."""
    listed = request.GET.get("faces", "")
    faces = [int(face) for face in listed.split(",")] if LISTED.fullmatch(listed) else []
    found = find_crops(faces) if 0 < len(faces) <= MOST else None
    if found is None:
        raise Http404
    tag = f'"{sha256("".join(one.digest for one in found).encode()).hexdigest()}"'
    if request.headers.get("If-None-Match") == tag:
        return dressed(HttpResponseNotModified(), tag)
    try:
        jpeg = make_sheet([blobs.read_range(one.blob, one.offset, one.length) for one in found])
    except NotFound as error:
        raise Http404 from error
    return dressed(HttpResponse(jpeg, content_type="image/jpeg"), tag)


@require_safe
@requires(Capability.REVIEW)
def preview(request: HttpRequest, photo_id: int, edge: int) -> HttpResponseBase:
    """The upright photo, at most `edge` pixels wide and high, as JPEG."""
    if edge not in previews.EDGES:
        raise Http404
    found = find_photo(photo_id)
    if found is None:
        raise Http404
    tag = f'"{found.digest}-{edge}"'
    if request.headers.get("If-None-Match") == tag:
        return dressed(HttpResponseNotModified(), tag)
    try:
        jpeg = previews.preview(found, edge)
    except (NotFound, previews.NotDecodable) as error:
        raise Http404 from error
    return dressed(HttpResponse(jpeg, content_type="image/jpeg"), tag)


@require_safe
@requires(Capability.CURATE)
def original(request: HttpRequest, photo_id: int) -> HttpResponseBase:
    """The file as it was ingested, to download; its type is the one that our decoder found, or none."""
    found = find_photo(photo_id)
    if found is None:
        raise Http404
    try:
        file = blobs.open(found.blob)
    except NotFound as error:
        raise Http404 from error
    suffix = SUFFIXES.get(found.mime)
    response = FileResponse(
        file,
        as_attachment=True,
        filename=f"{found.digest[:16]}.{suffix or 'bin'}",
        content_type=found.mime if suffix else "application/octet-stream",
    )
    return dressed(response, f'"{found.digest}"')
