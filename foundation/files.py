"""Writing files so that a crash, a full disk or a second writer never leaves half of one."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from foundation.errors import StorageFull

STALE_SECONDS = 24 * 3600
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_swept: set[Path] = set()


@contextmanager
def disk_problems() -> Iterator[None]:
    """Turn "no space left", "quota exceeded" and "file too large" into StorageFull."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull("There is no room left where files are stored.") from error
        raise


def move_into_place(partial: Path, target: Path) -> None:
    """Rename a finished, synced file to its name, and make the rename itself survive a power cut."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial.replace(target)
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def sweep_once(folder: Path) -> None:
    """Once per process, remove what killed processes left half-written in `folder` more than a day ago."""
    if folder in _swept:
        return
    _swept.add(folder)
    limit = time.time() - STALE_SECONDS
    for path in folder.glob("loupe-*"):
        try:
            if path.stat().st_mtime < limit:
                path.unlink()
        except FileNotFoundError:  # another process was faster
            continue
