"""Send photos in bounded batches; those that the server has by their digest are only named, not sent."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypeVar

from loupe.client import Client
from loupe.photos import Photo

BATCH_FILES = 200
BATCH_BYTES = 64 * 1024 * 1024
BATCH_DIGESTS = 1000
Progress = Callable[[int, int], None]
T = TypeVar("T")


@dataclass(frozen=True)
class Uploaded:
    """One upload, ready to be ingested as a whole."""

    batch: str
    files: int
    bytes_sent: int
    files_known: int


def upload(client: Client, photos: Sequence[Photo], progress: Progress = lambda done, total: None) -> Uploaded:
    """Stage all photos under one batch. Interrupted, the next call sends only what is still missing."""
    total = 2 * sum(photo.size for photo in photos)  # read once for the digests, once to send
    done = 0

    def advance(step: int) -> None:
        nonlocal done
        done += step
        progress(done, total)

    digests: dict[str, str] = {}
    for photo in photos:
        digests[photo.path] = photo.digest()
        advance(photo.size)
    known = _known(client, sorted(set(digests.values())))
    batch = str(uuid.uuid4())
    sent = 0
    first_of: set[str] = set(known)
    missing: list[Photo] = []
    named: list[Photo] = []
    for photo in photos:  # the same bytes under two names are sent once
        (named if digests[photo.path] in first_of else missing).append(photo)
        first_of.add(digests[photo.path])
    for group in _batches(missing):
        _send(client, batch, group, digests)
        sent += sum(photo.size for photo in group)
        for photo in group:
            advance(photo.size)
    for names in _slices(named, BATCH_DIGESTS):
        _name(client, batch, names, digests)
        for photo in names:
            advance(photo.size)
    return Uploaded(batch, len(photos), sent, len(named))


def _known(client: Client, digests: list[str]) -> set[str]:
    known: set[str] = set()
    for some in _slices(digests, BATCH_DIGESTS):
        known.update(client.post("uploads/known", {"digests": list(some)})["known"])
    return known


def _send(client: Client, batch: str, photos: Sequence[Photo], digests: dict[str, str]) -> None:
    with ExitStack() as opened:
        files = [
            ("files", (f"{index}", opened.enter_context(photo.opener()), "application/octet-stream"))
            for index, photo in enumerate(photos)
        ]
        listed = [{"path": photo.path, "digest": digests[photo.path]} for photo in photos]
        client.post("uploads", fields={"batch": batch, "listing": json.dumps(listed)}, files=files)


def _name(client: Client, batch: str, photos: Sequence[Photo], digests: dict[str, str]) -> None:
    listed = [{"path": photo.path, "digest": digests[photo.path]} for photo in photos]
    client.post("uploads/by-digest", {"batch": batch, "listing": listed})


def _batches(photos: Sequence[Photo]) -> Iterator[list[Photo]]:
    group: list[Photo] = []
    size = 0
    for photo in photos:
        if group and (len(group) == BATCH_FILES or size + photo.size > BATCH_BYTES):
            yield group
            group, size = [], 0
        group.append(photo)
        size += photo.size
    if group:
        yield group


def _slices(items: Sequence[T], length: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), length):
        yield items[start : start + length]
