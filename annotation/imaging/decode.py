"""One image file to upright RGB pixels, with limits. Runs in `decode_worker`, since decoders can hang or crash."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from annotation.imaging import exif, pixels
from annotation.imaging.jpeg import decode_jpeg
from annotation.imaging.refusal import ImageRefused
from annotation.imaging.sniff import HEADER_BYTES, sniff, suffix_fits

MAX_BYTES = 256 * 1024 * 1024
MAX_PIXELS = 100_000_000

# The declared size is checked here, before anything is decoded; Pillow's own guard would only warn.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, slots=True)
class Decoded:
    """An image, possibly smaller than it is in the file.

    Attributes:
        image: (h, w, 3) uint8 RGB, upright.
        width, height: of the whole upright image in the file, pixels.
        orientation: EXIF orientation that was undone, 1..8.
        taken_at: EXIF time; UTC where the file names no zone.
        notes: what was unusual but tolerated: `wrong_suffix`, `animated`, `16_bit`, `cmyk`, `alpha`.
    """

    image: NDArray[np.uint8]
    width: int
    height: int
    orientation: int
    taken_at: datetime | None
    mime: str
    notes: tuple[str, ...]

    @property
    def scale(self) -> tuple[float, float]:
        """(x, y): pixels here per pixel of the file, 0..1."""
        return self.image.shape[1] / self.width, self.image.shape[0] / self.height


def decode(
    data: bytes, *, name: str = "", max_side: int = 0, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS
) -> Decoded:
    """Decode the first frame.

    Args:
        data: the file.
        name: its name, only to note a wrong suffix.
        max_side: the longer side is averaged down to this many pixels; 0 keeps the full size. JPEGs are then decoded
            at reduced scale to begin with, which is several times faster.

    Raises:
        ImageRefused: with the reason as its code.
    """
    mime = check_header(data, max_bytes=max_bytes)
    notes = [] if not name or suffix_fits(name, mime) else ["wrong_suffix"]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks on odd metadata
            return _decode(data, mime, notes, max_side, max_pixels)
    except (ImageRefused, MemoryError):
        raise
    except Exception as failure:  # decoders raise nearly anything on hostile bytes
        raise _refusal(failure) from failure


def decode_file(path: Path, *, max_side: int = 0) -> Decoded:
    """`decode` for a trusted file on disk, in this process. Raises ImageRefused, or `read_failed` for the file."""
    try:
        return decode(path.read_bytes(), name=path.name, max_side=max_side)
    except OSError as failure:
        raise ImageRefused("read_failed", f"{path.name} could not be read: {failure.strerror}.") from failure


def check_header(data: bytes, *, max_bytes: int = MAX_BYTES) -> str:
    """MIME type of the file; raises ImageRefused for what need not be sent to a decoder at all."""
    if len(data) > max_bytes:
        raise ImageRefused("too_many_bytes", f"The file has {len(data):,} bytes; the limit is {max_bytes:,}.")
    return sniff(data[:HEADER_BYTES])


def _decode(data: bytes, mime: str, notes: list[str], max_side: int, max_pixels: int) -> Decoded:
    image = _open(data, mime)
    width, height = image.size
    if width * height > max_pixels:
        raise ImageRefused(
            "too_many_pixels", f"The image has {width} x {height} pixels; the limit is {max_pixels:,} in all."
        )
    if width * height == 0:
        raise ImageRefused("corrupt")
    taken_at, orientation = exif.read(image)
    array = decode_jpeg(data, image.size, max_side) if mime == "image/jpeg" and image.mode in {"L", "RGB"} else None
    if array is None:
        notes += pixels.remarks(image)
        array = pixels.to_rgb(image, max_side)
    array = exif.upright(pixels.shrink(array, max_side), orientation)
    if exif.swaps_sides(orientation):
        width, height = height, width
    return Decoded(np.ascontiguousarray(array), width, height, orientation, taken_at, mime, tuple(notes))


def _open(data: bytes, mime: str) -> Image.Image:
    if mime == "image/heic":
        import pillow_heif  # here, because most workers never see such a file and start faster without it

        pillow_heif.register_heif_opener(thumbnails=False)
    # cv2 is told nothing of the name and Pillow only tries the one format that the bytes claim to be.
    formats = {"image/jpeg": ["JPEG", "MPO"], "image/heic": ["HEIF"]}.get(mime, [mime.removeprefix("image/").upper()])
    return Image.open(io.BytesIO(data), formats=formats)


def _refusal(failure: Exception) -> ImageRefused:
    text = str(failure).lower()
    if any(word in text for word in ("truncated", "end of file", "unexpected end", "eof", "not enough data")):
        return ImageRefused("truncated")
    if isinstance(failure, cv2.error) and "insufficient memory" in text:
        return ImageRefused("out_of_memory")
    return ImageRefused("corrupt", f"The image is damaged ({_brief(failure)}).")


def _brief(failure: Any) -> str:
    return f"{type(failure).__name__}: {failure}"[:160].replace("\n", " ")
