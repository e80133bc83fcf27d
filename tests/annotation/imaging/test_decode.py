from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from annotation.imaging.decode import decode
from annotation.imaging.refusal import REASONS, ImageRefused
from tests.annotation.imaging.pictures import encode, exif, gradient, png_that_claims


def refused(data: bytes, **limits: int) -> str:
    with pytest.raises(ImageRefused) as caught:
        decode(data, **limits)
    assert caught.value.code in REASONS
    assert caught.value.message.endswith(".")
    return caught.value.code


@pytest.mark.parametrize(
    ("form", "mime", "tolerance"),
    [
        ("JPEG", "image/jpeg", 12),
        ("PNG", "image/png", 0),
        ("WEBP", "image/webp", 24),
        ("GIF", "image/gif", 40),
        ("BMP", "image/bmp", 0),
        ("TIFF", "image/tiff", 0),
        ("HEIF", "image/heic", 24),
        ("AVIF", "image/avif", 24),
    ],
)
def test_every_format_gives_the_same_pixels(form: str, mime: str, tolerance: int) -> None:
    decoded = decode(encode(gradient(), form))
    assert decoded.mime == mime
    assert decoded.image.dtype == np.uint8
    assert (decoded.width, decoded.height) == (64, 48)
    assert np.abs(decoded.image.astype(int) - gradient()).max() <= tolerance
    assert decoded.notes == ()


def test_wrong_suffix_is_noted_and_tolerated() -> None:
    decoded = decode(encode(gradient(), "PNG"), name="holiday.JPG")
    assert decoded.mime == "image/png"
    assert decoded.notes == ("wrong_suffix",)
    assert decode(encode(gradient(), "JPEG"), name="holiday.JPG").notes == ()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_exif_orientation_is_undone_as_pillow_undoes_it(orientation: int, form: str) -> None:
    data = encode(gradient(), form, exif=exif(orientation), **({} if form == "PNG" else {"quality": 95}))
    decoded = decode(data)
    with Image.open(__import__("io").BytesIO(data)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    assert decoded.orientation == orientation
    assert (decoded.height, decoded.width) == expected.shape[:2]
    assert np.abs(decoded.image.astype(int) - expected).max() <= 6


def test_exif_time_with_zone_without_zone_and_nonsense() -> None:
    def taken(time: str, zone: str = "") -> datetime | None:
        return decode(encode(gradient(), "JPEG", exif=exif(1, time, zone))).taken_at

    assert taken("2021:07:03 14:05:06") == datetime(2021, 7, 3, 14, 5, 6, tzinfo=UTC)
    assert taken("2021:07:03 14:05:06", "+02:00") == datetime(2021, 7, 3, 12, 5, 6, tzinfo=UTC)
    assert taken("2021:07:03 14:05:06", "nonsense") == datetime(2021, 7, 3, 14, 5, 6, tzinfo=UTC)
    assert taken("0000:00:00 00:00:00") is None
    assert taken("") is None


def test_damaged_exif_does_not_refuse_the_image() -> None:
    data = encode(gradient(), "JPEG", exif=b"Exif\0\0" + b"\xff" * 60)
    assert decode(data).taken_at is None


@pytest.mark.parametrize(
    ("max_side", "size"), [(1280, (1280, 960)), (500, (500, 375)), (0, (4000, 3000)), (9000, (4000, 3000))]
)
def test_large_jpegs_come_reduced_and_know_their_full_size(max_side: int, size: tuple[int, int]) -> None:
    decoded = decode(encode(gradient(4000, 3000), "JPEG", quality=90), max_side=max_side)
    assert (decoded.width, decoded.height) == (4000, 3000)
    assert decoded.image.shape[:2] == size[::-1]
    full = gradient(*size)
    assert np.abs(decoded.image.astype(int) - full).mean() < 3
    assert decoded.scale == pytest.approx((size[0] / 4000, size[1] / 3000))


def test_cmyk_16_bit_palette_alpha_and_bilevel() -> None:
    picture = Image.fromarray(gradient())
    cmyk = decode(encode(picture.convert("CMYK"), "JPEG", quality=95))
    assert cmyk.notes == ("cmyk",)
    assert np.abs(cmyk.image.astype(int) - gradient()).mean() < 8

    deep = np.linspace(0, 65535, 64, dtype=np.uint16)[None].repeat(48, 0)
    decoded = decode(encode(Image.fromarray(deep), "PNG"))
    assert decoded.notes == ("16_bit",)
    assert np.abs(decoded.image[0, :, 0].astype(int) - np.linspace(0, 255, 64)).max() <= 1

    floats = decode(encode(Image.fromarray(np.linspace(0, 1, 64, dtype=np.float32)[None].repeat(48, 0)), "TIFF"))
    assert floats.image[0, -1].tolist() == [255, 255, 255]

    palette = decode(encode(picture.quantize(64), "PNG"))
    assert np.abs(palette.image.astype(int) - gradient()).mean() < 20

    clear = picture.convert("RGBA")
    clear.putalpha(0)
    seen = decode(encode(clear, "PNG"))
    assert seen.notes == ("alpha",)
    assert (seen.image == 255).all()
    assert set(np.unique(decode(encode(picture.convert("1"), "PNG")).image)) <= {0, 255}


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_animations_give_their_first_frame(form: str) -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "lime", "blue")]
    data = encode(frames[0], form, save_all=True, append_images=frames[1:], duration=50)
    decoded = decode(data)
    assert "animated" in decoded.notes
    assert np.abs(decoded.image[10, 10].astype(int) - [255, 0, 0]).max() < 12


def test_each_refusal_has_its_code() -> None:
    assert refused(b"") == "empty_file"
    assert refused(b"%PDF-1.7 no picture") == "not_an_image"
    assert refused(b"just words") == "not_an_image"
    assert refused(b"8BPS" + bytes(40)) == "unsupported_format"
    assert refused(b"II*\0\x10\0\0\0CR\2\0" + bytes(40)) == "unsupported_format"
    assert refused(encode(gradient(), "PNG"), max_bytes=100) == "too_many_bytes"
    assert refused(png_that_claims(30_000, 30_000)) == "too_many_pixels"
    assert refused(encode(gradient(100, 100), "JPEG"), max_pixels=9_999) == "too_many_pixels"
    assert refused(b"\x89PNG\r\n\x1a\n" + b"rubbish" * 9) in {"corrupt", "truncated"}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "HEIF"])
@pytest.mark.parametrize("part", [0.3, 0.7, 0.95])
def test_truncated_files_are_refused_not_filled_with_grey(form: str, part: float) -> None:
    noise = np.random.default_rng(5).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    data = encode(noise, form)
    assert refused(data[: int(len(data) * part)]) in {"truncated", "corrupt"}


def test_a_truncated_jpeg_with_a_thumbnail_is_still_seen_to_be_truncated() -> None:
    thumbnail = encode(gradient(32, 24), "JPEG")
    tags = b"Exif\0\0" + thumbnail
    data = encode(gradient(800, 600), "JPEG", exif=tags, quality=95)
    assert decode(data).width == 800
    assert refused(data[: len(data) * 2 // 3]) == "truncated"


def test_every_damaged_byte_ends_in_pixels_or_a_known_refusal() -> None:
    random = np.random.default_rng(3)
    for form in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"):
        original = encode(gradient(), form)
        for _ in range(60):
            data = bytearray(original)
            for at in random.integers(0, len(data), 3):
                data[at] = random.integers(256)
            try:
                decoded = decode(bytes(data), max_pixels=1_000_000)
            except ImageRefused as refusal:
                assert refusal.code in REASONS
            else:
                assert decoded.image.ndim == 3


def test_real_photos_decode_like_pillow(test_data: Path) -> None:
    for path in sorted((test_data / "groups" / "photos").iterdir())[:12]:
        decoded = decode(path.read_bytes(), name=path.name)
        with Image.open(path) as image:
            expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        if not decoded.notes:
            assert np.abs(decoded.image.astype(int) - expected).mean() < 1.0
