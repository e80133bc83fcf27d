"""The source that an ingest job's parameters name, opened in whichever process works on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from annotation.imaging.refusal import ImageRefused
from annotation.imaging.sources import Entry, FolderSource, Source, ZipSource
from annotation.imaging.sources.zipped import BadArchive
from annotation.models import Upload
from foundation import blobs
from foundation.errors import InvalidInput, NotFound

_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")


def open_source(params: Mapping[str, Any]) -> Source:
    """The source of an ingest job. Raises InvalidInput, BadArchive."""
    if "folder" in params:
        return FolderSource(Path(params["folder"]))
    if "zip" in params:
        return _open_zip(Path(params["zip"]))
    if "batch" in params:
        return UploadSource(params["batch"])
    raise InvalidInput("An ingest needs a folder, a zip or a batch of uploads.", code="no_source")


def list_entries(params: Mapping[str, Any]) -> Iterator[Entry]:
    """The files to ingest: those that the parameters name, or all of the source."""
    source = open_source(params)
    if isinstance(source, FolderSource) and params.get("paths") is not None:
        return source.chosen(params["paths"])
    return source.entries()


def default_album(params: Mapping[str, Any]) -> str:
    """The album of files that lie in no folder of their own."""
    if "folder" in params:
        return Path(params["folder"]).resolve().name or "Photos"
    if "zip" in params:
        return Path(params["zip"]).stem
    first = Upload.objects.filter(batch=params["batch"]).order_by("path").first()
    return PurePosixPath(first.path).stem if first and _is_zip(first) else "Uploads"


class UploadSource:
    """Uploaded files; zips among them are opened. Locators: `<upload>` or `<upload>/<position in the zip>`."""

    def __init__(self, batch: str) -> None:
        self._batch = batch

    def entries(self) -> Iterator[Entry]:
        """See `Source.entries`. Files of a zip lie below its name, unless it is all that was uploaded."""
        uploads = list(Upload.objects.filter(batch=self._batch).order_by("path"))
        for upload in uploads:
            try:
                archive = _open_zip(blobs.local_path(upload.blob)) if _is_zip(upload) else None
            except (BadArchive, NotFound):
                archive = None
            if archive is None:
                yield Entry(upload.path, str(upload.pk), upload.bytes)
                continue
            below = "" if len(uploads) == 1 else f"{PurePosixPath(upload.path).stem}/"
            for entry in archive.entries():
                yield Entry(below + entry.path, f"{upload.pk}/{entry.locator}", entry.bytes)

    def read(self, locator: str, *, max_bytes: int) -> bytes:
        """See `Source.read`."""
        number, _, inner = locator.partition("/")
        upload = Upload.objects.filter(pk=int(number)).first()
        if upload is None:
            raise ImageRefused("missing_file")
        try:
            if inner:
                return _open_zip(blobs.local_path(upload.blob)).read(inner, max_bytes=max_bytes)
            if _is_zip(upload):
                raise ImageRefused("bad_archive")
            if upload.bytes > max_bytes:
                raise ImageRefused("too_many_bytes")
            return blobs.read(upload.blob)
        except NotFound as failure:
            raise ImageRefused("missing_file") from failure


def _is_zip(upload: Upload) -> bool:
    return upload.bytes >= 22 and blobs.read_range(upload.blob, 0, 4) in _ZIP_STARTS


def _open_zip(path: Path) -> ZipSource:
    try:
        facts = path.stat()
    except OSError as failure:
        raise BadArchive(f"The archive can't be opened: {failure.strerror}.") from failure
    return _open_zip_as_it_is(path, facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=4)
def _open_zip_as_it_is(path: Path, changed: int, size: int) -> ZipSource:
    # A large archive's table takes a second to read, and every batch of files needs it.
    return ZipSource(path)
