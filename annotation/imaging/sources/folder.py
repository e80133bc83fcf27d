"""A folder on this machine, with everything below it. Links are never followed."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

from annotation.imaging.refusal import ImageRefused
from annotation.imaging.sources.base import Entry, is_junk, shown

_MAX_DEPTH = 64
_REASONS = {
    errno.EACCES: "no_permission",
    errno.EPERM: "no_permission",
    errno.ENOENT: "missing_file",
    errno.ENOTDIR: "missing_file",
    errno.ELOOP: "not_a_file",
    errno.ENXIO: "not_a_file",
    errno.EISDIR: "not_a_file",
}


class FolderSource:
    """Locators are paths relative to the root, percent-encoded, as names need not be valid Unicode."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def entries(self) -> Iterator[Entry]:
        """See `Source.entries`. Folders that may not be listed, links and devices come as entries too."""
        return self._walk("", 0)

    def chosen(self, paths: Iterable[str]) -> Iterator[Entry]:
        """Entries for given relative paths, there or not."""
        for path in paths:
            yield Entry(shown(path), _locator(path))

    def read(self, locator: str, *, max_bytes: int) -> bytes:
        """See `Source.read`."""
        path = os.fsdecode(unquote_to_bytes(locator))
        parts = path.split("/")
        if path.startswith("/") or ".." in parts or "\0" in path:
            raise ImageRefused("outside_root")
        try:
            descriptor = self._open(parts)
        except OSError as failure:
            raise _refusal(failure) from failure
        try:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                raise ImageRefused("not_a_file")
            if facts.st_size > max_bytes:
                raise ImageRefused(
                    "too_many_bytes", f"The file has {facts.st_size:,} bytes; the limit is {max_bytes:,}."
                )
            with os.fdopen(os.dup(descriptor), "rb") as file:
                data = file.read(max_bytes + 1)  # a file that grows meanwhile can't get past the limit either
        except OSError as failure:
            raise _refusal(failure) from failure
        finally:
            os.close(descriptor)
        if len(data) > max_bytes:
            raise ImageRefused("too_many_bytes")
        return data

    def _open(self, parts: list[str]) -> int:
        """Open step by step without following any link, so that nothing can be swapped for a way out meanwhile."""
        folder = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for part in parts[:-1]:
                below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
                os.close(folder)
                folder = below
            # Non-blocking, or a named pipe would keep us waiting for ever.
            return os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        finally:
            os.close(folder)

    def _walk(self, below: str, depth: int) -> Iterator[Entry]:
        try:
            with os.scandir(self._root / below) as found:
                children = sorted(found, key=lambda child: child.name)
        except OSError:
            # Reading it as a file says why.
            yield Entry(shown(below or "."), _locator(below or "."))
            return
        for child in children:
            path = f"{below}/{child.name}" if below else child.name
            if child.is_dir(follow_symlinks=False) and depth < _MAX_DEPTH and not is_junk(f"{path}/x"):
                yield from self._walk(path, depth + 1)
            elif not is_junk(path):
                yield Entry(shown(path), _locator(path), _size(child))


def _locator(path: str) -> str:
    return quote_from_bytes(os.fsencode(path))


def _size(child: os.DirEntry[str]) -> int:
    try:
        return child.stat(follow_symlinks=False).st_size
    except OSError:
        return 0


def _refusal(failure: OSError) -> ImageRefused:
    code = _REASONS.get(failure.errno or 0, "read_failed")
    return ImageRefused(code, "" if code != "read_failed" else f"The file could not be read: {failure.strerror}.")
