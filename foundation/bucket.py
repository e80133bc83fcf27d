"""What the S3 storage of django-storages does not do itself: ranged reads, and errors of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.files.storage import Storage

from foundation.errors import InvalidInput, StorageFull, Unavailable

_MISSING = {"404", "NoSuchKey", "NotFound"}
_FULL = {"QuotaExceeded", "XMinioStorageFull", "InsufficientCapacity"}


def bucket_of(storage: Storage) -> Any | None:
    """The boto3 Bucket behind a storage, or None if it has none."""
    return getattr(storage, "bucket", None)


def read_bucket_range(bucket: Any, storage: Any, key: str, offset: int, length: int) -> bytes:
    """One ranged GET, instead of fetching the whole object as the storage's own files do."""
    name = "/".join(part for part in (getattr(storage, "location", "").strip("/"), key) if part)
    with bucket_problems():
        answer = bucket.Object(name).get(Range=f"bytes={offset}-{offset + length - 1}")
        data: bytes = answer["Body"].read()
    return data


@contextmanager
def bucket_problems() -> Iterator[None]:
    """Turn the S3 client's errors into FileNotFoundError, StorageFull and Unavailable."""
    try:
        yield
    except Exception as error:
        # By name, so that who stores in a directory never imports the S3 client.
        if not type(error).__module__.startswith(("botocore", "boto3")):
            raise
        code = str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))
        if code in _MISSING:
            raise FileNotFoundError(code) from error
        if code == "InvalidRange":
            raise InvalidInput("The blob ends before this range.", code="range_outside_blob") from error
        if code in _FULL:
            raise StorageFull("There is no room left in the bucket.") from error
        raise Unavailable("The file storage does not answer.", code="storage_unavailable") from error
