"""A zip archive, whose every claim about itself is doubted."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path, PurePosixPath

from annotation.imaging.refusal import ImageRefused
from annotation.imaging.sources.base import Entry, is_junk, shown
from foundation.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class ZipLimits:
    """What one archive may hold.

    Attributes:
        entries: files; those beyond are refused together.
        total: unpacked bytes in all, as declared; files past it are refused.
        ratio: unpacked to packed size of a file of more than a megabyte. Pictures hardly shrink when packed.
        directory: bytes of the archive's own table, which is held in memory.
    """

    entries: int = 500_000
    total: int = 1 << 40
    ratio: int = 200
    directory: int = 256 * 1024 * 1024


class BadArchive(InvalidInput):
    """The file as a whole is no zip that can be read."""

    code = "bad_archive"


class ZipSource:
    """Locators are positions in the archive's table, as decimal text."""

    def __init__(self, path: Path, *, limits: ZipLimits | None = None) -> None:
        """Open an archive.

        Raises:
            BadArchive: it is none, is damaged, or its table is larger than the limit.
        """
        self._limits = limits or ZipLimits()
        try:
            if _table_bytes(path) > self._limits.directory:
                raise BadArchive("The archive's table of files is larger than the limit.")
            self._archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, struct.error, ValueError, NotImplementedError) as failure:
            raise BadArchive(f"The file is not a readable zip archive ({failure}).") from failure
        self._infos = self._archive.infolist()
        # Declared unpacked bytes of all entries before each one.
        self._before = [0, *accumulate(info.file_size for info in self._infos)]

    def close(self) -> None:
        self._archive.close()

    def entries(self) -> Iterator[Entry]:
        """See `Source.entries`. Forbidden entries are listed too, and refused when they are read."""
        seen: dict[str, int] = {}
        files = 0
        for index, info in enumerate(self._infos):
            if info.is_dir() or is_junk(info.filename):
                continue
            files += 1
            if files > self._limits.entries:
                yield Entry(f"({len(self._infos) - index} more files)", "-1")
                return
            path = shown(info.filename.replace("\\", "/").lstrip("/") or "(no name)")
            seen[path] = seen.get(path, 0) + 1
            yield Entry(path if seen[path] == 1 else f"{path}#{seen[path]}", str(index), info.file_size)

    def read(self, locator: str, *, max_bytes: int) -> bytes:
        """See `Source.read`."""
        index = int(locator)
        if index < 0:
            raise ImageRefused("too_many_entries")
        info = self._infos[index]
        self._check(info, index, max_bytes)
        try:
            with self._archive.open(info) as member:
                data = member.read(max_bytes + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, struct.error) as failure:
            raise ImageRefused(
                "corrupt_archive_entry", f"The file is damaged within the archive ({failure})."
            ) from failure
        except (NotImplementedError, RuntimeError) as failure:
            raise ImageRefused("unsupported_compression") from failure
        if len(data) > max_bytes:
            raise ImageRefused("too_many_bytes")
        return data

    def _check(self, info: zipfile.ZipInfo, index: int, max_bytes: int) -> None:
        name = info.filename.replace("\\", "/")
        if name.startswith("/") or ".." in PurePosixPath(name).parts or name[1:3] == ":/":
            raise ImageRefused("outside_root")
        mode = info.external_attr >> 16
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            raise ImageRefused("not_a_file")
        if info.flag_bits & 1:
            raise ImageRefused("encrypted")
        if info.file_size > max_bytes:
            raise ImageRefused("too_many_bytes", f"The file has {info.file_size:,} bytes; the limit is {max_bytes:,}.")
        if info.file_size > 1 << 20 and info.file_size > self._limits.ratio * max(1, info.compress_size):
            raise ImageRefused("zip_bomb")
        if self._before[index] + info.file_size > self._limits.total:
            raise ImageRefused("archive_too_large")


def _table_bytes(path: Path) -> int:
    """Size of the central directory as the end record gives it (APPNOTE.TXT 4.3.14 and 4.3.16)."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 65_557 - 76))
        tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0:
        raise zipfile.BadZipFile("it has no end record")
    table = int(struct.unpack_from("<I", tail, end + 12)[0])
    if table == 0xFFFFFFFF:
        large = tail.rfind(b"PK\x06\x06", 0, end)
        table = int(struct.unpack_from("<Q", tail, large + 40)[0]) if large >= 0 else size
    return table
