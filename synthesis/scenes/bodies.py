"""Dressed people as files, made when a scene needs them and kept: NumPy archives named by a digest of the person."""

from __future__ import annotations

import hashlib
import io
import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.spatial import ConvexHull

from foundation.errors import StorageFull, Unavailable
from synthesis.scenes.people import Person

VERSION: Final = 1  # rises when the same person would look different
INSTALL: Final = "pip install --no-deps -r synthesis/scenes/requirements-people.txt"
UNIT: Final = 1e-4  # metres; coordinates are whole multiples


class PeopleMissing(Unavailable):
    """The wheel that makes bodies isn't installed."""

    code = "people_missing"


def check_people() -> None:
    """Raises PeopleMissing: the wheel `anny` isn't installed; the message holds the line to run."""
    if find_spec("anny") is None:
        raise PeopleMissing(f"Scenes with people need the wheel anny: {INSTALL}")


def body_name(person: Person) -> str:
    """The file's name."""
    text = json.dumps([VERSION, person], sort_keys=True)
    return f"person-{hashlib.sha256(text.encode()).hexdigest()[:24]}.npz"


def keep_body(folder: Path, person: Person) -> None:
    """Make sure that the person's file is in the folder: for each part `NAME_K_vertices` (int16, units of 0.1 mm),
    `_faces` (uint16), `_colours` (uint8 sRGB); `head`, int16 corners of the head's convex hull.

    Raises:
        PeopleMissing: see `check_people`.
        StorageFull: it can't be written.
    """
    path = folder / body_name(person)
    if path.is_file():
        return
    from synthesis.scenes.outfits import dress  # torch and the body model load only when somebody is to be made

    parts, head = dress(person)
    arrays: dict[str, Any] = {"head": _packed(head[ConvexHull(head).vertices])}
    for place, part in enumerate(parts):
        arrays[f"{part.name}_{place}_vertices"] = _packed(part.vertices)
        arrays[f"{part.name}_{place}_faces"] = part.faces.astype(np.uint16)
        arrays[f"{part.name}_{place}_colours"] = part.colours
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(content.getvalue())
        partial.replace(path)
    except OSError as error:
        raise StorageFull(f"The person {path.name} can't be written: {error.strerror}.") from error


def _packed(points: Any) -> Any:
    return np.round(points / UNIT).astype(np.int16)
