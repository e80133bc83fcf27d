from __future__ import annotations

import hashlib
import io
import tarfile

import numpy as np
import pytest

from annotation.imaging.pack import CorruptPack, decode_crop, encode_crop, read_pack, write_pack


def crops(count: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 255, (count, 112, 112, 3), dtype=np.uint8)


def test_rows_come_back_exactly_in_order_and_by_range() -> None:
    images = crops(5)
    pack = write_pack([(f"{row}.png", encode_crop(image)) for row, image in enumerate(images)])
    assert (read_pack(io.BytesIO(pack.data)) == images).all()
    for place, image in zip(pack.crops, images, strict=True):
        png = pack.data[place.offset : place.offset + place.length]
        assert hashlib.sha256(png).hexdigest() == place.digest
        assert (decode_crop(png) == image).all()
    assert pack.digest == hashlib.sha256(pack.data).hexdigest()


def test_same_crops_same_bytes_and_any_tar_reads_it() -> None:
    members = [(f"{row}.png", encode_crop(image)) for row, image in enumerate(crops(3))]
    pack = write_pack(members)
    assert pack.data == write_pack(members).data
    with tarfile.open(fileobj=io.BytesIO(pack.data)) as tar:
        assert [(info.name, info.mtime, info.uid, info.mode) for info in tar] == [
            (f"{row}.png", 0, 0, 0o644) for row in range(3)
        ]


def test_no_crop_is_a_pack_of_shape_zero() -> None:
    assert read_pack(io.BytesIO(write_pack([]).data)).shape == (0, 112, 112, 3)


def test_damaged_packs_are_refused() -> None:
    pack = write_pack([("0.png", encode_crop(crops(1)[0]))])
    damaged = bytearray(pack.data)
    damaged[pack.crops[0].offset + 60] ^= 0xFF
    for data in (b"no tar at all" * 100, pack.data[:700], bytes(damaged)):
        with pytest.raises(CorruptPack):
            read_pack(io.BytesIO(data))
