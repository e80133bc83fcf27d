"""Content-addressed blobs over a directory, over a storage without paths, and over a bucket."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import resource
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from foundation import blobs, bucket, files
from foundation.errors import InvalidInput, NotFound, StorageFull, Unavailable


@pytest.fixture(params=["directory", "memory"])
def store(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> str:
    """Both kinds of storage: with local paths, and without."""
    if request.param == "directory":
        default = {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "blobs"), "file_permissions_mode": 0o600},
        }
    else:
        default = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    settings.LOUPE_HOME = tmp_path / "home"
    return str(request.param)


@pytest.fixture
def root(settings: Any, tmp_path: Path) -> Path:
    location = tmp_path / "blobs"
    options = {"location": str(location)}
    default = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    return location


def leftovers(root: Path) -> list[Path]:
    return list((root / "incoming").glob("*"))


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(content=st.binary(max_size=5000), data=st.data())
def test_what_goes_in_comes_out(store: str, content: bytes, data: st.DataObject) -> None:
    digest = hashlib.sha256(content).hexdigest()
    key = blobs.put("packs", content)
    assert key == blobs.key_of("packs", digest) == f"packs/{digest[:2]}/{digest[2:4]}/{digest}"
    assert blobs.put("packs", io.BytesIO(content), expected=digest) == key
    assert blobs.digest_of(key) == digest
    assert blobs.read(key) == content
    assert blobs.size(key) == len(content)
    assert blobs.local_path(key).read_bytes() == content
    assert blobs.verify(key)
    offset = data.draw(st.integers(0, len(content)))
    length = data.draw(st.integers(0, len(content) - offset))
    assert blobs.read_range(key, offset, length) == content[offset : offset + length]


def test_namespaces_are_apart_and_deleting_is_idempotent(store: str) -> None:
    pack, vector = blobs.put("packs", b"same"), blobs.put("vectors", b"same")
    assert pack != vector
    blobs.delete(pack)
    blobs.delete(pack)
    assert not blobs.exists(pack)
    assert blobs.exists(vector)


def test_what_is_missing_says_so(store: str) -> None:
    key = blobs.key_of("packs", "0" * 64)
    for call in (blobs.read, blobs.size, blobs.local_path, blobs.verify, lambda k: blobs.read_range(k, 0, 1)):
        with pytest.raises(NotFound) as caught:
            call(key)
        assert caught.value.code == "blob_missing"


@pytest.mark.parametrize(
    "key", ["", "../../etc/passwd", "packs/ab/cd/" + "0" * 64, "other/00/00/" + "0" * 64, "packs/x"]
)
def test_no_other_file_can_be_reached(store: str, key: str) -> None:
    for call in (blobs.read, blobs.exists, blobs.delete, blobs.size, blobs.local_path):
        with pytest.raises(InvalidInput) as caught:
            call(key)
        assert caught.value.code == "invalid_blob_key"


def test_a_range_beyond_the_end_is_refused(store: str) -> None:
    key = blobs.put("packs", b"0123456789")
    for offset, length in ((5, 6), (11, 1), (-1, 2), (0, -1)):
        with pytest.raises(InvalidInput) as caught:
            blobs.read_range(key, offset, length)
        assert caught.value.code == "range_outside_blob"


def test_a_wrong_digest_stores_nothing(root: Path) -> None:
    wrong = hashlib.sha256(b"other").hexdigest()
    for content in (b"bytes", io.BytesIO(b"bytes")):
        with pytest.raises(InvalidInput) as caught:
            blobs.put("originals", content, expected=wrong)
        assert caught.value.code == "digest_mismatch"
    assert not blobs.exists(blobs.key_of("originals", hashlib.sha256(b"bytes").hexdigest()))
    assert leftovers(root) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_leaves_nothing_and_passes_later(root: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def full(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch, pytest.raises(StorageFull) as caught:
        patch.setattr(os, "fsync", full)
        blobs.put("packs", b"content")
    assert (caught.value.code, caught.value.permanent) == ("storage_full", False)
    assert leftovers(root) == []
    key = blobs.put("packs", b"content")
    assert blobs.read(key) == b"content"


def test_a_reader_that_breaks_leaves_nothing(root: Path) -> None:
    class Breaks:
        def __init__(self) -> None:
            self.pieces = [b"half of"]

        def read(self, size: int = -1, /) -> bytes:
            if self.pieces:
                return self.pieces.pop()
            raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        blobs.put("originals", Breaks())
    assert leftovers(root) == []
    assert [path for path in root.rglob("*") if path.is_file()] == []


def test_many_writers_of_the_same_bytes_store_one(root: Path) -> None:
    content = os.urandom(300_000)
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: blobs.put("packs", io.BytesIO(content)), range(32)))
    assert len(keys) == 1
    assert [path for path in root.rglob("*") if path.is_file()] == [root / keys.pop()]


def test_files_are_private(root: Path) -> None:
    path = root / blobs.put("originals", b"a face")
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_old_partials_are_swept_and_new_ones_kept(tmp_path: Path) -> None:
    old, new = tmp_path / "loupe-old", tmp_path / "loupe-new"
    old.touch()
    new.touch()
    day_ago = time.time() - files.STALE_SECONDS - 60
    os.utime(old, (day_ago, day_ago))
    files.sweep_once(tmp_path)
    assert not old.exists()
    assert new.exists()


def test_verify_sees_flipped_bits(root: Path) -> None:
    key = blobs.put("packs", b"content")
    (root / key).write_bytes(b"c0ntent")
    assert not blobs.verify(key)


def test_a_copy_for_this_machine_is_checked(settings: Any, tmp_path: Path) -> None:
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
    settings.LOUPE_HOME = tmp_path
    key = blobs.put("weights", b"weights")
    with storages["default"].open(key, "wb") as file:
        file.write(b"rotten!")
    with pytest.raises(InvalidInput):
        blobs.local_path(key)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


class ClientError(Exception):
    """Stands for botocore's, which is recognised by module and response."""

    __module__ = "botocore.exceptions"

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("NoSuchKey", FileNotFoundError),
        ("InvalidRange", InvalidInput),
        ("SlowDown", Unavailable),
        ("QuotaExceeded", StorageFull),
    ],
)
def test_bucket_errors_become_ours(code: str, error: type[Exception]) -> None:
    with pytest.raises(error), bucket.bucket_problems():
        raise ClientError(code)


def test_a_bucket_is_read_by_range() -> None:
    asked: list[tuple[str, str]] = []

    class Bucket:
        def Object(self, name: str) -> Any:
            class Handle:
                def get(self, Range: str) -> dict[str, io.BytesIO]:  # noqa: N803 boto3's name
                    asked.append((name, Range))
                    return {"Body": io.BytesIO(b"3456")}

            return Handle()

    class Located:
        location = "prefix/"

    assert bucket.read_bucket_range(Bucket(), Located(), "packs/k", 3, 4) == b"3456"
    assert asked == [("prefix/packs/k", "bytes=3-6")]


def test_the_kernel_refusing_to_write_more_is_storage_full(root: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(StorageFull):
            blobs.put("originals", io.BytesIO(bytes(3_000_000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert leftovers(root) == []
