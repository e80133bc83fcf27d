"""What a setting may be, told once, in its type: `read: Annotated[Range, Within(0, 128)] = (2.0, 8.0)`.

Recipes are checked against it when they are read, and forms offer no more. Python code that makes parts itself isn't.
"""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from typing import Annotated, Any


@dataclass(frozen=True, slots=True)
class Within:
    """A number, or both ends of a range, from `least` to `greatest`, both included."""

    least: float
    greatest: float

    def problem(self, value: Any) -> str:
        """What is wrong with a number or a range; empty if nothing is."""
        for number in value if isinstance(value, tuple) else (value,):
            if not self.least <= number <= self.greatest:
                return f"{number:.12g} is out of bounds; it may be {self.least:.12g} to {self.greatest:.12g}"
        return ""


@dataclass(frozen=True, slots=True)
class Among:
    """One of these words."""

    words: tuple[str, ...]

    def problem(self, value: Any) -> str:
        """What is wrong with a word; empty if nothing is."""
        if value in self.words:
            return ""
        return f"{value!r} is unknown; it may be {', '.join(word or 'empty' for word in self.words)}"


@dataclass(frozen=True, slots=True)
class NotEmpty:
    """A list or a text with something in it."""

    def problem(self, value: Sized) -> str:
        """What is wrong with a list or a text; empty if nothing is."""
        return "" if len(value) else "at least one is needed"


Bound = Within | Among | NotEmpty
Share = Annotated[float, Within(0, 1)]
Shares = Annotated[tuple[float, float], Within(0, 1)]
