"""The photos as the demo hands them in: mixed, some degraded, the true names left behind."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from annotation.imaging.decode import decode_file
from foundation.errors import LoupeError
from foundation.progress import Progress
from loop.demo.album import SourcePhoto
from loop.demo.options import DemoOptions

# Which tenth of the people (by the digest of their names) is kept out, and what for.
HELD_OUT = {0: "test", 1: "test", 2: "val_blackbox"}

Degrade = Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]]


@dataclass(frozen=True)
class Staged:
    """One photo as handed in.

    Attributes:
        path: relative to the staging folder; its first part is the group: pool, test or val_blackbox.
        person: the truth; None where it isn't known. Only measuring may look.
        source: for the degraded copy of a held-out photo, the path of the clean one.
    """

    path: str
    person: str | None
    source: str | None = None


def group_of(person: str | None) -> str:
    """pool, test or val_blackbox: steady by name, so the same people are held out in every run."""
    if person is None:
        return "pool"
    return HELD_OUT.get(int(hashlib.sha256(person.encode()).hexdigest(), 16) % 10, "pool")


def stage(
    photos: list[SourcePhoto], options: DemoOptions, *, folder: Path, degrade: Degrade, progress: Progress
) -> list[Staged]:
    """Write the photos below `folder`; goes on where an earlier run stopped. The list is the same every time.

    Held-out people's photos are handed in twice: clean and degraded. Of the pool, `options.degrade` are replaced by
    their degraded copies.
    """
    plan = _plan(photos, options)
    done = folder / "staged.json"
    if not done.exists():
        for index, (source, item, low) in enumerate(plan):
            _write(source, folder / item.path, low, np.random.SeedSequence([options.seed, index]), degrade)
            progress(index + 1, len(plan))
        folder.mkdir(parents=True, exist_ok=True)
        done.write_text(json.dumps([asdict(item) for _, item, _ in plan]))
    return [item for _, item, _ in plan]


def _plan(photos: list[SourcePhoto], options: DemoOptions) -> list[tuple[Path, Staged, bool]]:
    plan = []
    draw = np.random.default_rng(options.seed).random(len(photos))
    for index, photo in enumerate(photos):
        group = group_of(photo.person)
        # The number says nothing of the person: it follows the digest of the path.
        name = hashlib.sha256(f"{photo.person}/{photo.path.name}".encode()).hexdigest()[:16]
        low = group == "pool" and bool(draw[index] < options.degrade)
        clean = f"{group}/{name}{'.jpg' if low else photo.path.suffix.lower()}"
        plan.append((photo.path, Staged(clean, photo.person), low))
        if group != "pool":
            plan.append((photo.path, Staged(f"{group}/{name}-low.jpg", photo.person, source=clean), True))
    return plan


def _write(source: Path, target: Path, low: bool, seed: np.random.SeedSequence, degrade: Degrade) -> None:
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}")
    try:
        image = decode_file(source).image if low else None
    except LoupeError:
        image = None  # Handed in as it is: ingest says what is wrong with it.
    if image is None:
        part.write_bytes(source.read_bytes())
    else:
        shot = degrade(image, np.random.default_rng(seed))
        part.write_bytes(
            cv2.imencode(".jpg", cv2.cvtColor(shot, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
        )
    part.replace(target)
