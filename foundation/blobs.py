"""Content-addressed files over Django's `storages["default"]`: a directory, or a bucket.

A key is `<namespace>/<ab>/<cd>/<sha256>`; what lies under it never changes. `put` is atomic (a reader sees all of a
blob or nothing, also after a power cut) and idempotent (the same bytes twice are stored once, by however many
processes).
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage, storages

from foundation.bucket import bucket_of, bucket_problems, read_bucket_range
from foundation.errors import InvalidInput, NotFound
from foundation.files import disk_problems, move_into_place, sweep_once

NAMESPACES = ("originals", "packs", "vectors", "shards", "weights")
CHUNK = 1024 * 1024
_KEY = re.compile(rf"({'|'.join(NAMESPACES)})/([0-9a-f]{{2}})/([0-9a-f]{{2}})/(\2\3[0-9a-f]{{60}})")


class Readable(Protocol):
    """Anything with `read(n)`: an open file, an upload, a socket."""

    def read(self, size: int = ..., /) -> bytes: ...


def key_of(namespace: str, digest: str) -> str:
    """The key of the blob with this SHA-256 (64 lower-case hexadecimal digits). Raises InvalidInput."""
    key = f"{namespace}/{digest[:2]}/{digest[2:4]}/{digest}"
    _check(key)
    return key


def digest_of(key: str) -> str:
    """The SHA-256 in a key. Raises InvalidInput if it is no key."""
    return _check(key)


def put(namespace: str, content: bytes | Readable, *, expected: str | None = None) -> str:
    """Store bytes, or all that a stream still gives; returns the key.

    Args:
        namespace: one of NAMESPACES.
        content: streams are read once, in pieces, and never held in memory as a whole.
        expected: the SHA-256 that the sender promised; nothing is stored if the bytes differ.

    Raises:
        InvalidInput: `digest_mismatch`, or no such namespace.
        StorageFull: no room; nothing is left behind, the same call works later.
        Unavailable: the bucket does not answer.
    """
    if namespace not in NAMESPACES:
        raise InvalidInput(f"There are no blobs called {namespace!r}.", code="unknown_namespace")
    if isinstance(content, bytes):
        digest = _expect(hashlib.sha256(content).hexdigest(), expected)
        if exists(key := key_of(namespace, digest)):
            return key
    storage = _storage()
    root = _local_root(storage)
    with disk_problems(), _incoming(root) as partial:
        digest = _expect(_spool(content, partial), expected)
        key = key_of(namespace, digest)
        if not exists(key):
            if root is not None:
                move_into_place(partial, root / key)
            else:
                _send(storage, key, partial)
    return key


def open(key: str) -> BinaryIO:
    """Open for reading; the caller closes it. Raises NotFound (`blob_missing`)."""
    _check(key)
    with _found(key):
        return cast(BinaryIO, _storage().open(key, "rb"))


def read(key: str) -> bytes:
    """All bytes of a blob. Raises NotFound."""
    with open(key) as file:
        return file.read()


def read_range(key: str, offset: int, length: int) -> bytes:
    """`length` bytes from `offset`, in one read.

    Raises NotFound, or InvalidInput (`range_outside_blob`) if the blob ends before.
    """
    _check(key)
    if offset < 0 or length < 0:
        raise InvalidInput("Offset and length can't be negative.", code="range_outside_blob")
    if length == 0:
        return b""
    storage = _storage()
    root = _local_root(storage)
    with _found(key):
        if root is not None:
            with (root / key).open("rb", buffering=0) as file:
                data = os.pread(file.fileno(), length, offset)
        elif (bucket := bucket_of(storage)) is not None:
            data = read_bucket_range(bucket, storage, key, offset, length)
        else:
            with storage.open(key, "rb") as file:
                file.seek(offset)
                data = file.read(length)
    if len(data) != length:
        raise InvalidInput("The blob ends before the end of this range.", code="range_outside_blob")
    return data


def exists(key: str) -> bool:
    """Whether the whole blob is there; a half-written one never is."""
    _check(key)
    with bucket_problems():
        return _storage().exists(key)


def size(key: str) -> int:
    """Bytes of a blob. Raises NotFound."""
    _check(key)
    with _found(key):
        return _storage().size(key)


def local_path(key: str) -> Path:
    """A file with these bytes on this machine, for memory-mapping and native libraries. Never write to it.

    Where the storage is a directory, that is the blob itself; otherwise it is copied once, checked against its digest,
    to `LOUPE_HOME/cache/blobs`, which may be emptied whenever nothing runs. Raises NotFound, StorageFull.
    """
    digest = _check(key)
    storage = _storage()
    root = _local_root(storage)
    if root is not None:
        if not (root / key).is_file():
            raise _missing(key)
        return root / key
    cache = Path(settings.LOUPE_HOME) / "cache" / "blobs"
    if not (cache / key).is_file():
        with disk_problems(), _incoming(cache) as partial, open(key) as file:
            _expect(_spool(file, partial), digest)
            move_into_place(partial, cache / key)
    return cache / key


def delete(key: str) -> None:
    """Remove a blob; removing what is not there is fine."""
    _check(key)
    with bucket_problems():
        _storage().delete(key)


def verify(key: str) -> bool:
    """Whether the bytes still have the digest in their key. Raises NotFound."""
    digest = _check(key)
    state = hashlib.sha256()
    with open(key) as file:
        while piece := file.read(CHUNK):
            state.update(piece)
    return state.hexdigest() == digest


def _storage() -> Storage:
    return storages["default"]


def _local_root(storage: Storage) -> Path | None:
    return Path(storage.location) if isinstance(storage, FileSystemStorage) else None


def _check(key: str) -> str:
    match = _KEY.fullmatch(key)
    if match is None:
        raise InvalidInput("This is no key of a blob.", code="invalid_blob_key")
    return match[4]


def _expect(digest: str, expected: str | None) -> str:
    if expected is not None and digest != expected.lower():
        raise InvalidInput("The bytes received do not have the digest that was announced.", code="digest_mismatch")
    return digest


def _spool(content: bytes | Readable, path: Path) -> str:
    """Write to `path`, down to the disk; returns the SHA-256."""
    state = hashlib.sha256()
    with path.open("wb") as file:
        pieces = iter((content,)) if isinstance(content, bytes) else iter(lambda: content.read(CHUNK), b"")
        for piece in pieces:
            state.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return state.hexdigest()


@contextmanager
def _incoming(root: Path | None) -> Iterator[Path]:
    """A file name to write to, on the file system of `root`; what is still there at the end is removed."""
    folder = Path(tempfile.gettempdir()) if root is None else root / "incoming"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if root is not None:
        sweep_once(folder)
    handle, name = tempfile.mkstemp(prefix="loupe-", dir=folder)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _send(storage: Storage, key: str, partial: Path) -> None:
    with bucket_problems(), partial.open("rb") as file:
        stored = storage.save(key, File(file))
        if stored != key:  # somebody else was faster and the storage chose another name
            storage.delete(stored)


@contextmanager
def _found(key: str) -> Iterator[None]:
    try:
        with bucket_problems():
            yield
    except FileNotFoundError as error:
        raise _missing(key) from error


def _missing(key: str) -> NotFound:
    return NotFound(f"The file {key} is missing from the storage.", code="blob_missing")
