"""Made-up pictures of every awkward kind."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image

pillow_heif.register_heif_opener()


def gradient(width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    """uint8 RGB (height, width, 3): red grows to the right, green downwards, blue is 40."""
    red = np.linspace(0, 255, width, dtype=np.uint8)[None, :].repeat(height, 0)
    green = np.linspace(0, 255, height, dtype=np.uint8)[:, None].repeat(width, 1)
    return np.dstack([red, green, np.full_like(red, 40)])


def encode(image: Image.Image | NDArray[np.uint8], form: str, **options: Any) -> bytes:
    picture = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    """A well-formed, tiny PNG whose header claims any size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


def exif(orientation: int = 1, time: str = "", zone: str = "") -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    if time:
        tags.get_ifd(0x8769)[0x9003] = time
    if zone:
        tags.get_ifd(0x8769)[0x9011] = zone
    return tags.tobytes()
