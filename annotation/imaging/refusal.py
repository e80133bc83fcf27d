"""Why a file did not become an image: one code per reason, shown to people and relied on by clients."""

from __future__ import annotations

from foundation.errors import InvalidInput

# code -> the sentence shown when there is nothing more exact to say
REASONS: dict[str, str] = {
    "empty_file": "The file is empty.",
    "too_many_bytes": "The file is larger than the limit.",
    "not_an_image": "The file is not an image.",
    "unsupported_format": "The file is an image of a kind that is not supported.",
    "too_many_pixels": "The image has more pixels than the limit.",
    "truncated": "The image ends before it is complete.",
    "corrupt": "The image is damaged.",
    "decode_timeout": "Decoding took longer than the limit and was stopped.",
    "decode_crashed": "The decoder crashed on this file.",
    "out_of_memory": "Decoding needs more memory than the limit.",
    "no_permission": "The file may not be read.",
    "missing_file": "The file is no longer there.",
    "not_a_file": "This is a link, a device or a pipe, not a plain file.",
    "outside_root": "The path leads out of the folder or archive.",
    "read_failed": "The file could not be read.",
    "encrypted": "The file is encrypted.",
    "zip_bomb": "The file claims to unpack to far more than any picture would.",
    "archive_too_large": "The archive unpacks to more than the limit; this file lies beyond it.",
    "too_many_entries": "The archive holds more files than the limit.",
    "corrupt_archive_entry": "The file is damaged within the archive.",
    "bad_archive": "The file is a zip archive that can't be read.",
    "unsupported_compression": "The file is packed in a way that is not supported.",
}


class ImageRefused(InvalidInput):
    """One file was refused; `code` is a key of `REASONS`. The files beside it are not affected."""

    code = "corrupt"

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or REASONS[code], code=code)
