"""Plain tars whose bytes follow from their files alone, and where each file lies in them."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from synthesis.writers.base import full_disk_is_named


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a tar: its path there, where its bytes are, and their SHA-256."""

    path: str
    offset: int
    bytes: int
    digest: str


class Tar:
    """A tar being written, as a context manager; the same files in the same order give the same bytes.

    Attributes:
        members: what is in it so far, by path. A path that is there already is left as it is.

    Raises:
        StorageFull: the disk is full.
    """

    def __init__(self, target: Path) -> None:
        self.members: dict[str, Member] = {}
        with full_disk_is_named():
            self._tar = tarfile.open(target, "w", format=tarfile.PAX_FORMAT)  # noqa: SIM115 closed by __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with full_disk_is_named():
            self._tar.close()

    def add(self, path: str, data: bytes) -> None:
        """Put a file in."""
        if path in self.members:
            return
        entry = tarfile.TarInfo(path)  # no time, no owner
        entry.size = len(data)
        with full_disk_is_named():
            self._tar.addfile(entry, io.BytesIO(data))
        padded = -len(data) % tarfile.BLOCKSIZE + len(data)
        offset = self._tar.offset - padded
        self.members[path] = Member(path, offset, len(data), hashlib.sha256(data).hexdigest())


def write_tar(folder: Path, files: Iterable[Path], target: Path) -> list[Member]:
    """Pack files of `folder`, sorted, into an uncompressed tar. Raises StorageFull."""
    with Tar(target) as tar:
        for file in sorted(files):
            tar.add(file.relative_to(folder).as_posix(), file.read_bytes())
    return list(tar.members.values())
