"""How right the pool's labels are, measured against the truth that only measuring sees."""

from __future__ import annotations

from typing import Any

import numpy as np

from annotation.clustering.metrics import bcubed, pairwise
from annotation.models import CollectionPhoto, Face, Label
from loop.demo.staging import Staged

EMPTY: dict[str, Any] = {
    "bcubed": {"precision": None, "recall": None, "f": None},
    "pairwise": {"precision": None, "recall": None, "f": None},
}


def measure_pool(*, collection_id: int, staged: list[Staged]) -> dict[str, Any]:
    """BCubed and pairwise precision, recall and F of the pool's effective labels.

    One face a photo counts: the one whose person the folder name gives, taken to be the largest weighed by how central
    it is. A face without a label stands for a person of its own.
    """
    truth = {item.path: item.person for item in staged if item.path.startswith("pool/") and item.person is not None}
    if not truth:
        return EMPTY
    sightings = CollectionPhoto.objects.filter(collection_id=collection_id).values_list("path", "photo_id")
    person_of = {photo: truth[path] for path, photo in sightings if path in truth}
    main = _main_faces(list(person_of))
    identity_of = dict(Label.objects.filter(face__in=main.values()).values_list("face_id", "identity_id"))
    people = {name: number for number, name in enumerate(sorted(set(person_of.values())))}
    true = np.array([people[person_of[photo]] for photo in main], dtype=np.int64)
    given = np.array([identity_of.get(face) or -face for face in main.values()], dtype=np.int64)
    return {
        "faces": len(true),
        "people": len(people),
        "labelled": float(np.mean(given > 0)) if len(given) else 0.0,
        "bcubed": bcubed(given, true).as_dict(),
        "pairwise": pairwise(given, true).as_dict(),
    }


def _main_faces(photo_ids: list[int]) -> dict[int, int]:
    """{photo: its main face}, photos without a face left out."""
    best: dict[int, tuple[float, int]] = {}
    rows = Face.objects.filter(photo__in=photo_ids).values_list(
        "photo_id", "id", "x", "y", "width", "height", "photo__width", "photo__height"
    )
    for photo, face, x, y, width, height, photo_width, photo_height in rows:
        off = np.hypot((x + width / 2) / photo_width - 0.5, (y + height / 2) / photo_height - 0.5)
        best[photo] = max(best.get(photo, (-np.inf, 0)), (width * height * float(np.exp(-4 * off)), face))
    return {photo: face for photo, (_, face) in best.items()}
