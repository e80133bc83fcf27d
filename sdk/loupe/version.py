"""What the server says about a dataset version, and what `version.json` in a pulled directory holds."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loupe.errors import Damaged, NotFound

_DIGEST = re.compile(r"[0-9a-f]{64}")
VERSION_FILE = "version.json"
MANIFEST_FILE = "manifest.parquet"
SHARDS = "shards"


@dataclass(frozen=True)
class Blob:
    """A file by its SHA-256 and its length in bytes."""

    digest: str
    bytes: int


@dataclass(frozen=True)
class Version:
    """One immutable version. `raw` is the server's whole description, kept as it came."""

    name: str
    version: int
    digest: str
    manifest: Blob
    shards: tuple[Blob, ...]
    raw: dict[str, Any]

    @property
    def reference(self) -> str:
        return f"{self.name}@v{self.version}"

    @property
    def bytes(self) -> int:
        return self.manifest.bytes + sum(shard.bytes for shard in self.shards)


def parse(raw: dict[str, Any]) -> Version:
    """Check a description before any of it becomes a file name. Raises Damaged."""
    try:
        return Version(
            name=str(raw["name"]),
            version=int(raw["version"]),
            digest=_digest(raw["digest"]),
            manifest=_blob(raw["manifest"]),
            shards=tuple(_blob(shard) for shard in raw["shards"]),
            raw=raw,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Damaged(f"This description of a version can't be read: {error}.", code="bad_version") from error


def read(folder: Path) -> Version:
    """The version pulled into `folder`. Raises NotFound, Damaged."""
    path = folder / VERSION_FILE
    try:
        return parse(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise NotFound(f"{folder} holds no pulled dataset (no {VERSION_FILE}).", code="no_dataset") from error
    except (OSError, ValueError) as error:
        raise Damaged(f"{path} can't be read: {error}.", code="bad_version") from error


def shard_path(folder: Path, digest: str) -> Path:
    return folder / SHARDS / f"{_digest(digest)}.tar"


def _blob(raw: Any) -> Blob:
    blob = Blob(_digest(raw["digest"]), int(raw["bytes"]))
    if blob.bytes < 0:
        raise ValueError("a length is negative")
    return blob


def _digest(text: Any) -> str:
    if not isinstance(text, str) or not _DIGEST.fullmatch(text):
        raise ValueError(f"{text!r} is no SHA-256")
    return text
