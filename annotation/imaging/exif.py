"""The two things we take from EXIF: which way is up, and when. Damaged metadata never refuses an image."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ExifTags import IFD, Base

_TIMES = ((IFD.Exif, Base.DateTimeOriginal, Base.OffsetTimeOriginal), (None, Base.DateTime, Base.OffsetTime))


def read(image: Image.Image) -> tuple[datetime | None, int]:
    """(time taken or None, orientation 1..8)."""
    try:
        tags = image.getexif()
        orientation = tags.get(Base.Orientation, 1)
        taken_at = _taken_at(tags)
    except Exception:  # hostile metadata raises nearly anything, and the picture is fine without it
        return None, 1
    return taken_at, orientation if orientation in range(1, 9) else 1


def swaps_sides(orientation: int) -> bool:
    """Whether the upright picture has its width and height exchanged."""
    return orientation >= 5


def upright(array: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo an EXIF orientation (JEITA CP-3451, tag 0x0112): (h, w, 3) -> upright (h, w, 3) or (w, h, 3), a view."""
    if swaps_sides(orientation):
        array = array.transpose(1, 0, 2)
    if orientation in {2, 3, 6, 7}:
        array = array[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        array = array[::-1]
    return array


def _taken_at(tags: Image.Exif) -> datetime | None:
    for group, time_tag, offset_tag in _TIMES:
        values = tags.get_ifd(group) if group else tags
        text, offset = values.get(time_tag), values.get(offset_tag)
        if not isinstance(text, str):
            continue
        zone = offset.strip("\0 ") if isinstance(offset, str) else ""
        moment = _parsed(text.strip("\0 "), zone) or _parsed(text.strip("\0 "), "+00:00")
        if moment is not None:
            return moment.astimezone(UTC)
    return None


def _parsed(text: str, zone: str) -> datetime | None:
    try:
        return datetime.strptime(text + zone, "%Y:%m:%d %H:%M:%S%z")
    except ValueError:
        return None
