"""How pure code tells how far it is: a plain callback, `progress(done, total)`; raising from it stops the work."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """The progress callback that ignores what it is told."""
