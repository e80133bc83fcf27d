"""Files that arrive over HTTP, kept until they are ingested."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePosixPath
from uuid import UUID

from django.conf import settings

from accounts.models import User
from annotation.imaging.sources.base import shown
from annotation.models import Upload
from foundation import blobs
from foundation.blobs import Readable
from foundation.errors import Conflict, InvalidInput


class _Counted:
    """A stream that counts, and stops at the limit."""

    def __init__(self, stream: Readable, limit: int) -> None:
        self._stream, self._limit, self.bytes = stream, limit, 0

    def read(self, size: int = blobs.CHUNK, /) -> bytes:
        piece = self._stream.read(size)
        self.bytes += len(piece)
        if self.bytes > self._limit:
            raise InvalidInput(f"The file is larger than {self._limit:,} bytes.", code="too_many_bytes")
        return piece


def store_upload(*, user: User, batch: UUID, path: str, content: Readable, expected: str | None = None) -> Upload:
    """Keep one uploaded file for the ingest of its batch. The same file under the same path again changes nothing.

    Args:
        path: as the client names it; only ever shown.
        expected: the SHA-256 that the client announced.

    Raises:
        InvalidInput: `too_many_bytes`, `digest_mismatch`, `no_name`.
        Conflict: `upload_differs`, `batch_taken`.
        StorageFull.
    """
    name = shown_path(path)
    if Upload.objects.filter(batch=batch).exclude(user=user).exists():
        raise Conflict("This batch belongs to somebody else.", code="batch_taken")
    counted = _Counted(content, settings.LOUPE_MAX_UPLOAD_BYTES)
    key = blobs.put("originals", counted, expected=expected)
    upload, created = Upload.objects.get_or_create(
        batch=batch,
        path=name,
        defaults={"digest": blobs.digest_of(key), "blob": key, "bytes": counted.bytes, "user": user},
    )
    if not created and upload.digest != blobs.digest_of(key):
        raise Conflict(f"{name} was uploaded before in this batch, with another content.", code="upload_differs")
    return upload


def shown_path(path: str) -> str:
    """A client's path made harmless: relative, without `..`, at most 500 characters. Raises InvalidInput if empty."""
    parts = [part for part in PurePosixPath(path.replace("\\", "/")).parts if part not in ("/", "..", ".")]
    if not parts:
        raise InvalidInput("An uploaded file needs a name.", code="no_name")
    return shown("/".join(parts))


def forget_uploads(*, batch: UUID, keep: Collection[int] = ()) -> int:
    """Drop the rows of a batch that was ingested; how many. Their bytes stay: photos share them.

    Args:
        keep: ids of uploads that failed and may be retried.
    """
    return Upload.objects.filter(batch=batch).exclude(pk__in=keep).delete()[0]
