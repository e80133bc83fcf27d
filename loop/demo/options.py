"""What the demo was asked to do."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from foundation.errors import InvalidInput


@dataclass(frozen=True)
class DemoOptions:
    """Options of `manage.py demo`, checked.

    Attributes:
        photos: folder of photos; None means LFW, or the offline album where that can't be fetched.
        rounds: how many rounds the loop shall have made in the end, >= 0.
        until_settled: `rounds` is the most; no further one once labels have stopped changing.
        limit: at most so many photos, people with the most photos first; None means all.
        degrade: share of the pool's photos that are made low-quality first, 0..1.
        truth: "folders" if folder names are the true persons, else "".
        seed: of everything drawn.
    """

    photos: Path | None = None
    rounds: int = 1
    until_settled: bool = False
    limit: int | None = None
    degrade: float = 0.0
    truth: str = ""
    seed: int = 20_100

    def __post_init__(self) -> None:
        if self.photos is not None and not self.photos.is_dir():
            raise InvalidInput(f"PHOTOS: {self.photos} is not a folder.")
        if self.rounds < 0:
            raise InvalidInput("ROUNDS must be 0 or more.")
        if self.limit is not None and self.limit < 1:
            raise InvalidInput("LIMIT must be 1 or more.")
        if not 0 <= self.degrade <= 1:
            raise InvalidInput("DEGRADE must lie between 0 and 1.")
        if self.truth not in ("", "folders"):
            raise InvalidInput("TRUTH can only be `folders`.")

    def key(self) -> str:
        """Short digest of everything that shapes the photos: the same demo run twice continues."""
        parts = [str(self.photos and self.photos.resolve()), self.limit, self.degrade, self.truth, self.seed]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]
