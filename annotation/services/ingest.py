"""Photos in: starting an ingest, and taking one batch of files from bytes to faces in a pack.

Whatever is killed whenever, a photo is one row by its digest, and its faces, their pack and its state are committed
together. Blobs written by a batch that never committed stay behind and harm nothing.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from django.conf import settings

from accounts.models import User
from accounts.permissions import can
from accounts.roles import Capability
from annotation.imaging.decode import MAX_BYTES, check_header
from annotation.imaging.faces import FaceFinder, File
from annotation.imaging.refusal import ImageRefused
from annotation.imaging.sources import Source
from annotation.models import Collection, Photo, Upload
from annotation.services import engines
from annotation.services.ingest_rows import Found, Sighting, commit_photos, record_sightings
from foundation import blobs
from foundation.errors import Forbidden, InvalidInput
from foundation.progress import Progress, silent
from jobs import services as jobs
from jobs.models import Job
from models_zoo.models import ModelRelease

# A chunk of files is read, and asked about in one query, before any of them is decoded.
_CHUNK_FILES = 16
_CHUNK_BYTES = 64 << 20
# A batch of crowded photos is committed in parts, so that its crops never fill the memory.
_MOST_FACES = 1024
# Nothing can come of these bytes later, so they are not kept.
_NOT_KEPT = frozenset({"empty_file", "not_an_image"})
_DONE = (Photo.State.READY, Photo.State.NO_FACES)


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a batch: its path as shown, and where its source finds it."""

    path: str
    locator: str


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What came of a batch, by path: reasons why there is no photo, and remarks on photos that are there."""

    refusals: dict[str, ImageRefused] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)


def start_ingest(
    *,
    user: User | None,
    folder: str | None = None,
    archive: str | None = None,
    batch: UUID | None = None,
    collection: Collection | None = None,
    trusted: bool = False,
) -> Job:
    """Start the job that ingests a folder or a zip on the server, or a batch of uploads.

    Args:
        collection: takes all photos; without it each top folder becomes an album.
        trusted: the caller has a shell on the server anyway, so any path will do.

    Raises:
        InvalidInput: not exactly one source, or it is not there.
        Forbidden: the user may not ingest, or the path is outside of LOUPE_INGEST_ROOTS.
    """
    if not trusted and not can(user, Capability.INGEST):
        raise Forbidden("You may not add photos.")
    if sum(source is not None for source in (folder, archive, batch)) != 1:
        raise InvalidInput("Name a folder, a zip, or a batch of uploads.", code="no_source")
    params: dict[str, Any] = {}
    if batch is not None:
        mine = Upload.objects.filter(batch=batch) if trusted else Upload.objects.filter(batch=batch, user=user)
        if not mine.exists():
            raise InvalidInput("Nothing was uploaded under this batch.", code="empty_batch")
        params["batch"] = str(batch)
    elif folder is not None:
        params["folder"] = str(_allowed(folder, trusted=trusted, want_folder=True))
    elif archive is not None:
        params["zip"] = str(_allowed(archive, trusted=trusted, want_folder=False))
    if collection is not None:
        params["collection"] = collection.pk
    return jobs.enqueue(kind="ingest", params=params, user=user)


def ingest_batch(
    *,
    source: Source,
    items: Sequence[Item],
    collection_of: Callable[[str], int],
    detector: ModelRelease,
    progress: Progress = silent,
) -> Outcomes:
    """Take files to photos, faces, and packs of crops; done before or done twice at once, the result is the same.

    Files that were refused are in the outcomes; those with readable bytes are photos too, `failed` with the reason.

    Args:
        collection_of: path to id of its collection, asked only for files whose bytes could be read.

    Raises:
        StorageFull, Unavailable: nothing of the uncommitted part counts; call again.
    """
    outcomes = Outcomes()
    reading = _Reading(source, items, outcomes)
    finder = FaceFinder(engines.decoders(), engines.detector_of(detector))
    ready: list[Found] = []
    with finder, reading:
        for done, looked in enumerate(finder.look(reading.unknown_files())):
            ready.append(Found(looked, reading.stored_blob(looked.key)))
            progress(done, len(items))
            if sum(len(found.looked.pngs) for found in ready) >= _MOST_FACES:
                commit_photos(ready, detector=detector)
                reading.remember(ready)
                ready = []
        commit_photos(ready, detector=detector)
        reading.remember(ready)
    record_sightings([Sighting(collection_of(item.path), item.path, digest) for digest, item in reading.seen()])
    progress(len(items), len(items))
    return outcomes


class _Reading:
    """Reads files in chunks, passes on those that are not photos yet, and stores their bytes meanwhile."""

    def __init__(self, source: Source, items: Sequence[Item], outcomes: Outcomes) -> None:
        self._source, self._items, self._outcomes = source, items, outcomes
        self._by_digest: defaultdict[str, list[Item]] = defaultdict(list)
        self._storing: dict[str, Future[str]] = {}
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="store")

    def unknown_files(self) -> Iterator[File]:
        """Each content once, in order."""
        chunk: dict[str, File] = {}
        for item in self._items:
            try:
                data = self._source.read(item.locator, max_bytes=MAX_BYTES)
            except ImageRefused as refusal:
                self._outcomes.refusals[item.path] = refusal
                continue
            digest = hashlib.sha256(data).hexdigest()
            if digest not in self._by_digest:
                chunk[digest] = File(digest, item.path, data)
            self._by_digest[digest].append(item)
            if len(chunk) >= _CHUNK_FILES or sum(len(file.data) for file in chunk.values()) >= _CHUNK_BYTES:
                yield from self._unknown(chunk)
                chunk = {}
        yield from self._unknown(chunk)

    def stored_blob(self, digest: str) -> str:
        """The key of the original, once it is stored."""
        return self._storing.pop(digest).result()

    def remember(self, committed: Sequence[Found]) -> None:
        """Note reasons and remarks under every path of each content."""
        for found in committed:
            for item in self._by_digest[found.digest]:
                looked = found.looked
                if looked.refusal is not None:
                    self._outcomes.refusals[item.path] = looked.refusal
                elif looked.hashed is not None and looked.hashed.decoded.notes:
                    self._outcomes.notes[item.path] = list(looked.hashed.decoded.notes)

    def seen(self) -> Iterator[tuple[str, Item]]:
        """(digest, item) of every file whose bytes could be read."""
        for digest, items in self._by_digest.items():
            for item in items:
                yield digest, item

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _unknown(self, chunk: dict[str, File]) -> Iterator[File]:
        done = set(Photo.objects.filter(digest__in=chunk, state__in=_DONE).values_list("digest", flat=True))
        for digest, file in chunk.items():
            if digest not in done:
                self._storing[digest] = self._threads.submit(_store, file.data)
                yield file


def _store(data: bytes) -> str:
    try:
        check_header(data)
    except ImageRefused as refusal:
        if refusal.code in _NOT_KEPT:
            return ""
    return blobs.put("originals", data)


def _allowed(text: str, *, trusted: bool, want_folder: bool) -> Path:
    """The real path; links in it are resolved before it is compared with the roots."""
    noun = "folder" if want_folder else "file"
    path = Path(text)
    if not path.is_absolute() and not trusted:
        raise InvalidInput(f"Name the {noun} by its absolute path.", code=f"{noun}_not_absolute")
    roots = [Path(root).resolve() for root in settings.LOUPE_INGEST_ROOTS]
    real = path.resolve()
    if not trusted and not any(real.is_relative_to(root) for root in roots):
        # Said before looking, so that nobody can feel their way through the server's disk.
        listed = ", ".join(map(str, roots)) or "none are configured"
        raise Forbidden(f"Only files below LOUPE_INGEST_ROOTS can be ingested ({listed}).", code="path_not_allowed")
    if not (real.is_dir() if want_folder else real.is_file()):
        raise InvalidInput(f"There is no {noun} {text}.", code=f"{noun}_missing")
    return real
