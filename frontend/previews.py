"""Small JPEGs of photos, decoded in a process that may be killed, and kept on disk."""

from __future__ import annotations

import contextlib
import os
import random
import tempfile
import threading
from pathlib import Path

import cv2
from django.conf import settings

from annotation.imaging.decoder_pool import DecoderPool
from annotation.imaging.refusal import ImageRefused
from annotation.queries.picture_access import StoredPhoto
from foundation import blobs
from foundation.errors import LoupeError

EDGES = (320, 1280)
QUALITY = 82
CACHE_BYTES = 2_000_000_000
SWEEP_EVERY = 500

_lock = threading.Lock()
_pool: DecoderPool | None = None


class NotDecodable(LoupeError):
    """The photo can't be shown, for the reason that its state tells."""

    code = "not_decodable"
    status = 404


def preview(photo: StoredPhoto, edge: int) -> bytes:
    """JPEG of the upright photo, its longer side at most `edge` pixels. Raises NotFound, NotDecodable."""
    path = _folder() / photo.digest[:2] / f"{photo.digest}-{edge}.jpg"
    with contextlib.suppress(OSError):
        return path.read_bytes()
    jpeg = _make(photo, edge)
    with contextlib.suppress(OSError):  # a full disk must not hide the picture
        _keep(path, jpeg)
    return jpeg


def _make(photo: StoredPhoto, edge: int) -> bytes:
    try:
        hashed = _decoders().decode(blobs.read(photo.blob), max_side=edge).result()
    except ImageRefused as refusal:
        raise NotDecodable(refusal.message) from refusal
    done, jpeg = cv2.imencode(".jpg", hashed.decoded.image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise NotDecodable("The preview could not be made.")
    return bytes(jpeg)


def _decoders() -> DecoderPool:
    # Made on first use: the web server forks its processes before that.
    global _pool
    with _lock:
        if _pool is None:
            _pool = DecoderPool(workers=1)
        return _pool


def _folder() -> Path:
    return Path(settings.LOUPE_HOME) / "cache" / "previews"


def _keep(path: Path, jpeg: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(prefix="loupe-", dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(jpeg)
    Path(partial).replace(path)
    if random.randrange(SWEEP_EVERY) == 0:  # noqa: S311 - how often to tidy is no secret
        sweep()


def sweep(limit: int = CACHE_BYTES) -> None:
    """Delete the oldest previews until at most `limit` bytes remain."""
    found = [(entry.stat(), entry) for entry in _folder().glob("*/*") if entry.is_file()]
    excess = sum(stat.st_size for stat, _ in found) - limit
    for stat, entry in sorted(found, key=lambda pair: pair[0].st_mtime):
        if excess <= 0:
            return
        entry.unlink(missing_ok=True)
        excess -= stat.st_size
