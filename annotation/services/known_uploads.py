"""Uploading by name alone what is stored already."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from accounts.models import User
from annotation.models import Upload
from annotation.queries.known_files import stored_blobs
from annotation.services.uploads import shown_path
from foundation.errors import Conflict, InvalidInput


def name_stored_files(*, user: User, batch: UUID, files: Sequence[tuple[str, str]]) -> list[Upload]:
    """Add (path, digest) of stored files to a batch, all or none; the same again changes nothing.

    Raises:
        InvalidInput: `unknown_file`, where the bytes are not here and must be sent.
        Conflict: `upload_differs`, `batch_taken`.
    """
    stored = stored_blobs({digest for _, digest in files})
    for path, digest in files:
        if digest not in stored:
            raise InvalidInput(f"The bytes of {path} are not here; send them.", code="unknown_file")
    with transaction.atomic():
        if Upload.objects.filter(batch=batch).exclude(user=user).exists():
            raise Conflict("This batch belongs to somebody else.", code="batch_taken")
        rows = [
            Upload(batch=batch, path=shown_path(path), digest=digest, blob=key, bytes=size, user=user)
            for path, digest in files
            for key, size in [stored[digest]]
        ]
        Upload.objects.bulk_create(rows, ignore_conflicts=True)
        made = {row.path: row for row in Upload.objects.filter(batch=batch, path__in=[row.path for row in rows])}
        for row in rows:
            if made[row.path].digest != row.digest:
                raise Conflict(
                    f"{row.path} was uploaded before in this batch, with another content.", code="upload_differs"
                )
    return [made[row.path] for row in rows]
