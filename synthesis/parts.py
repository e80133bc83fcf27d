"""Part of a data set: the samples of a range of indices, in one format. Parts don't know of each other."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from foundation.errors import LoupeError
from foundation.progress import Progress, silent
from synthesis.samples import Generator, Sample, make_samples
from synthesis.writers.formats import part_writer

log = logging.getLogger(__name__)
# So many failures with nothing made: it is the recipe or the machine, not the items.
HOPELESS: Final = 20


@dataclass(frozen=True, slots=True)
class Failure:
    """An item that could not be made."""

    index: int
    code: str
    reason: str


@dataclass(slots=True)
class Made:
    """What became of a part's items."""

    made: int = 0
    failures: list[Failure] = field(default_factory=list)


def write_part(
    generator: Generator,
    *,
    format: str,
    seed: int,
    indices: range,
    ordinal: int,
    target: Path,
    progress: Progress = silent,
    seen: Callable[[Sample], None] = lambda sample: None,
    pictures: Callable[[str, bytes], None] | None = None,
) -> Made:
    """Make the samples of `indices` and write them into the folder `target`, which appears whole or not at all.

    An item that fails is listed and left out. Errors that may pass (no memory, no disk) end the whole part.

    Args:
        seen: called with each sample that was written.
        pictures: takes the pictures' paths and bytes, where the writer can do without their files.

    Raises:
        StorageFull: the disk is full.
        LoupeError: nothing can be made; the reason is that of the last item.
    """
    found = Made()
    with part_writer(format, target, ordinal, generator.classes()) as writer:
        writer.pictures = pictures
        for done, (index, made) in enumerate(make_samples(generator, seed, indices)):
            if isinstance(made, Exception):
                failure = _failure(made, index)
                found.failures.append(failure)
                if not found.made and len(found.failures) >= min(HOPELESS, len(indices)):
                    raise LoupeError(failure.reason, code=failure.code) from made
                continue
            writer.add(made)
            seen(made)
            found.made += 1
            progress(done + 1, len(indices))
    return found


def _failure(error: Exception, index: int) -> Failure:
    """What to list, or the error raised again if it is not the item's."""
    if isinstance(error, LoupeError):
        if not error.permanent or error.code in ("cancelled", "interrupted"):
            raise error
        return Failure(index, error.code, error.message)
    if isinstance(error, MemoryError | OSError):
        raise error
    log.error("item %d raised %s", index, type(error).__name__, exc_info=error)
    return Failure(index, "unexpected_error", f"{type(error).__name__}: {error}"[:500])
