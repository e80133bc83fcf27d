"""What a file is, by its first bytes. Its name is never trusted."""

from __future__ import annotations

from pathlib import PurePath

from annotation.imaging.refusal import ImageRefused

HEADER_BYTES = 32

# first bytes -> MIME type
_MAGIC: dict[bytes, str] = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"BM": "image/bmp",
    b"II*\0": "image/tiff",
    b"MM\0*": "image/tiff",
}
# Brands of the ISO base media container.
_BRANDS: dict[bytes, str] = {
    **dict.fromkeys([b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"], "image/heic"),
    **dict.fromkeys([b"avif", b"avis"], "image/avif"),
}
_UNSUPPORTED: dict[bytes, str] = {
    b"8BPS": "Photoshop",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"\0\0\1\0": "icon",
    b"v/1\1": "OpenEXR",
    b"FUJIFILMCCD-RAW": "Fujifilm raw",
    b"<svg": "SVG",
}
_SUFFIXES: dict[str, frozenset[str]] = {
    "image/jpeg": frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"}),
    "image/png": frozenset({".png", ".apng"}),
    "image/gif": frozenset({".gif"}),
    "image/bmp": frozenset({".bmp", ".dib"}),
    "image/tiff": frozenset({".tif", ".tiff"}),
    "image/webp": frozenset({".webp"}),
    "image/heic": frozenset({".heic", ".heif", ".hif"}),
    "image/avif": frozenset({".avif"}),
}


def sniff(header: bytes) -> str:
    """The MIME type of a supported image from its first `HEADER_BYTES` bytes.

    Raises:
        ImageRefused: `empty_file`, `unsupported_format` or `not_an_image`.
    """
    if not header:
        raise ImageRefused("empty_file")
    if header[:4] == b"II*\0" and header[8:10] == b"CR":
        raise ImageRefused("unsupported_format", "Canon raw files are not supported; export them as JPEG.")
    for magic, mime in _MAGIC.items():
        if header.startswith(magic):
            return mime
    if header[:4] == b"RIFF" and header[8:12] == b"WEBP":
        return "image/webp"
    if header[4:8] == b"ftyp" and header[8:12] in _BRANDS:
        return _brand(header)
    for magic, name in _UNSUPPORTED.items():
        if header.startswith(magic):
            raise ImageRefused("unsupported_format", f"{name} files are not supported.")
    raise ImageRefused("not_an_image")


def suffix_fits(name: str, mime: str) -> bool:
    """Whether the file's name agrees with what it is."""
    return PurePath(name).suffix.lower() in _SUFFIXES[mime]


def _brand(header: bytes) -> str:
    # "mif1" and "msf1" only say "some coded image"; a compatible brand then names the codec.
    compatible = [header[at : at + 4] for at in range(16, min(len(header), HEADER_BYTES) - 3, 4)]
    if header[8:12] in {b"mif1", b"msf1"} and {b"avif", b"avis"} & set(compatible):
        return "image/avif"
    return _BRANDS[header[8:12]]
