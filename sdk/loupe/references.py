"""Names of versions: `people@v12`, `people@latest`, `people@champion`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from loupe.errors import UsageError

_REFERENCE = re.compile(r"([A-Za-z0-9_-]{1,100})(?:@([A-Za-z0-9_-]{1,60}))?")


@dataclass(frozen=True)
class Reference:
    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


def parse(text: str) -> Reference:
    """`people` alone means `people@latest`. Raises UsageError."""
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} is no reference; they look like people@v12 or people@latest.")
    return Reference(match[1], match[2] or "latest")
