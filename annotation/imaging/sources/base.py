"""What a source of files is."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

# A unit's key and a sighting's path have room for more; a name that is longer ends in a digest of the whole.
MAX_PATH = 500
# What operating systems leave in folders; nobody means to ingest it.
_JUNK_NAMES = frozenset({".DS_Store", "Thumbs.db", "thumbs.db", "desktop.ini", ".directory"})
_JUNK_FOLDERS = frozenset({"__MACOSX", "@eaDir", ".Trashes", ".git"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a source.

    Attributes:
        path: as shown, with `/`, unique in the source, valid Unicode without control characters, at most MAX_PATH long.
        locator: how the source finds it again; JSON text.
        bytes: size as listed, 0 where unknown.
    """

    path: str
    locator: str
    bytes: int = 0


class Source(Protocol):
    """A folder or an archive. The process that reads is usually not the one that listed."""

    def entries(self) -> Iterator[Entry]:
        """All files in a steady order, the unreadable and the forbidden ones included: `read` says what is wrong."""
        ...

    def read(self, locator: str, *, max_bytes: int) -> bytes:
        """The bytes of one file.

        Raises:
            ImageRefused: it may not or can't be read, with the reason as its code.
        """
        ...


def shown(raw: str) -> str:
    """A path fit to be stored and shown, from whatever a file system or archive calls a file."""
    text = raw.encode("utf-8", "backslashreplace").decode()
    text = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    if len(text) > MAX_PATH or text != raw:
        # Two names may look the same once they are cleaned or cut.
        digest = hashlib.sha256(
            os.fsencode(raw) if _encodable(raw) else raw.encode("utf-8", "surrogatepass")
        ).hexdigest()
        text = f"{text[: MAX_PATH - 9]}#{digest[:8]}"
    return text


def is_junk(path: str) -> bool:
    """Whether an operating system put this file there for its own use."""
    parts = PurePosixPath(path).parts
    return bool(parts) and (
        parts[-1] in _JUNK_NAMES or parts[-1].startswith("._") or not _JUNK_FOLDERS.isdisjoint(parts)
    )


def _encodable(raw: str) -> bool:
    try:
        os.fsencode(raw)
    except UnicodeEncodeError:
        return False
    return True
