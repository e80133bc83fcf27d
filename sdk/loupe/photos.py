"""Which files `loupe ingest` sends: those of a folder, of a zip, or the ones named."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from loupe.errors import UsageError

CHUNK = 1024 * 1024
SKIPPED = {"Thumbs.db", "desktop.ini", "__MACOSX"}
MAX_MEMBER_BYTES = 1024 * 1024 * 1024  # of one file in a zip: more is a bomb, not a photo


@dataclass(frozen=True)
class Photo:
    """One file to send. `path` is relative, with forward slashes, and only ever a name."""

    path: str
    size: int
    opener: Callable[[], IO[bytes]] = field(repr=False, compare=False)

    def digest(self) -> str:
        """SHA-256 of the content."""
        state = hashlib.sha256()
        with self.opener() as file:
            while piece := file.read(CHUNK):
                state.update(piece)
        return state.hexdigest()


@contextmanager
def find(paths: list[Path]) -> Iterator[list[Photo]]:
    """All files under `paths`, sorted by name; hidden ones and those of operating systems are left out.

    Formats are the server's business: whatever else lies there is sent, and refused there with its reason.
    Raises UsageError if nothing is found, a path is missing or a zip is broken.
    """
    archives: list[zipfile.ZipFile] = []
    photos: dict[str, Photo] = {}
    try:
        for path in paths:
            for photo in _of(path, archives):
                if photo.path in photos:
                    raise UsageError(f"Two files would be called {photo.path}.", code="same_name")
                photos[photo.path] = photo
        if not photos:
            raise UsageError("There are no files to ingest.", code="no_files")
        yield [photos[name] for name in sorted(photos)]
    finally:
        for archive in archives:
            archive.close()


def _of(path: Path, archives: list[zipfile.ZipFile]) -> Iterator[Photo]:
    if path.is_dir():
        for file in path.rglob("*"):
            name = file.relative_to(path)
            if not _is_skipped(name.parts) and file.is_file():
                yield Photo(name.as_posix(), file.stat().st_size, _opener(file))
    elif path.suffix.lower() == ".zip" and path.is_file():
        try:
            archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            raise UsageError(f"{path} can't be read as a zip: {error}.", code="bad_zip") from error
        archives.append(archive)
        yield from _members(path, archive)
    elif path.is_file():
        yield Photo(path.name, path.stat().st_size, _opener(path))
    else:
        raise UsageError(f"There is no {path}.", code="no_such_file")


def _members(path: Path, archive: zipfile.ZipFile) -> Iterator[Photo]:
    for member in archive.infolist():
        name = PurePosixPath(member.filename.replace("\\", "/"))
        is_link = (member.external_attr >> 16) & 0o170000 == 0o120000
        if member.is_dir() or _is_skipped(name.parts):
            continue
        if name.is_absolute() or ".." in name.parts or ":" in name.parts[0] or is_link:
            raise UsageError(f"{path} holds {member.filename!r}, which is a link or lies outside.", code="unsafe_zip")
        if member.flag_bits & 1:
            raise UsageError(f"{path} is encrypted.", code="encrypted_zip")
        if member.file_size > MAX_MEMBER_BYTES:
            raise UsageError(f"{member.filename!r} in {path} is larger than 1 GiB.", code="zip_bomb")
        yield Photo(name.as_posix(), member.file_size, _member_opener(archive, member))


def _is_skipped(parts: tuple[str, ...]) -> bool:
    return any((part.startswith(".") and part != "..") or part in SKIPPED for part in parts)


def _opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: path.open("rb")


def _member_opener(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    return lambda: archive.open(member)
