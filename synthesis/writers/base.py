"""A folder that appears whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import shutil
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
from isal import isal_zlib

from foundation.errors import Conflict, InvalidInput, StorageFull
from synthesis.effects.base import Image
from synthesis.samples import Sample

# PNG's filter that keeps each row's difference from the one above. W3C, PNG specification, 9.2.
_UP: Final = 2


class Writer(ABC):
    """Writes samples into `target`, which must not exist. Used as a context manager.

    Everything goes into a hidden folder beside `target` that gets its name when the block ends without an error, and
    is removed when it doesn't. What a killed process leaves is removed by the next writer of the same target.

    Raises:
        Conflict: `target` exists.
        StorageFull: the disk is full.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        # What takes pictures instead of the folder, where they go on into a tar: a file each would cost more than its
        # picture's packing.
        self.pictures: Callable[[str, bytes], None] | None = None
        self.folder = target.with_name(f".{target.name}.partial")

    def __enter__(self) -> Self:
        if self.target.exists():
            raise Conflict(f"{self.target} exists already; nothing was written.", code="output_exists")
        with full_disk_is_named():
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                with full_disk_is_named():
                    self.finish()
                    self.folder.replace(self.target)
        finally:
            self.abandon()
            shutil.rmtree(self.folder, ignore_errors=True)

    def add(self, sample: Sample) -> None:
        """Write one sample. Raises StorageFull: the disk is full; the block should end with this error."""
        with full_disk_is_named():
            self._add(sample)

    def _put_picture(self, file: str, data: bytes) -> None:
        """Write what lies at `file` in the data set."""
        if self.pictures is not None:
            self.pictures(file, data)
            return
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    @abstractmethod
    def _add(self, sample: Sample) -> None:
        """`add` without its care for errors."""

    def finish(self) -> None:  # noqa: B027 - most writers have nothing to add
        """Write what comes after the last sample."""

    def abandon(self) -> None:  # noqa: B027 - most writers keep nothing open
        """Close what is open, whatever happened."""

    @classmethod  # noqa: B027 - most leave nothing to put together
    def merge(cls, parts: Sequence[Path], folder: Path) -> None:
        """Write into `folder` what a single writer would have written beside its pictures.

        Args:
            parts: what each of several writers wrote, in order, without the files that `is_picture` is true of; their
                samples' indices rise from part to part.
        """


def class_id(ids: Mapping[str, int], name: str) -> int:
    """The id of an instance's class. Raises InvalidInput: the recipe knows no such class."""
    if name not in ids:
        raise InvalidInput(f"{name!r} is no class of this recipe; there are {', '.join(ids)}.", code="bad_class")
    return ids[name]


def is_picture(file: Path) -> bool:
    """Whether a writer's file belongs to one sample or one shard, rather than describing all."""
    return file.suffix in (".png", ".jpg", ".tar", ".npy", ".exr")


def encode_png(image: Image) -> bytes:
    """uint8 RGB (h, w, 3) as PNG, packed fast: noise hardly gets smaller with more effort."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise InvalidInput("The image can't be written as PNG.", code="bad_image")
    height, width = image.shape[:2]
    flat = image.reshape(height, 3 * width)
    rows = np.empty((height, 1 + 3 * width), np.uint8)
    rows[:, 0] = _UP
    rows[0, 1:] = flat[0]
    np.subtract(flat[1:], flat[:-1], out=rows[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits, RGB
    chunks = ((b"IHDR", header), (b"IDAT", isal_zlib.compress(rows.tobytes(), 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", isal_zlib.crc32(name + data))


def plain_json(value: Any) -> str:
    """JSON with sorted keys; arrays become lists rounded to thousandths."""
    return json.dumps(value, default=_plain, ensure_ascii=False, sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return np.round(value.astype(np.float64), 3).tolist() if value.dtype.kind == "f" else value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is no JSON value")


def replace_file(path: Path, data: bytes) -> None:
    """Write a file so that its name only ever stands for all of it."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)


@contextmanager
def full_disk_is_named() -> Iterator[None]:
    """Turns "no space left" into a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull("The disk is full; nothing incomplete was left behind.") from error
        raise
