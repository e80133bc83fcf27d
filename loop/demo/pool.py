"""How right the pool's labels are, measured against the truth that only measuring sees."""

from __future__ import annotations

from typing import Any

import numpy as np

from annotation.clustering.metrics import Score, agreement
from annotation.models import CollectionPhoto, Label
from annotation.services.imported_labels import main_faces
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
    main = main_faces(list(person_of))
    identity_of = dict(Label.objects.filter(face__in=main.values()).values_list("face_id", "identity_id"))
    people = {name: number for number, name in enumerate(sorted(set(person_of.values())))}
    true = np.array([people[person_of[photo]] for photo in main], dtype=np.int64)
    given = np.array([identity_of.get(face) or -1 for face in main.values()], dtype=np.int64)
    measured = agreement(given, true)
    return {
        "faces": len(true),
        "people": len(people),
        "labelled": float(np.mean(given > 0)) if len(given) else 0.0,
        "bcubed": _figures(measured.bcubed),
        "pairwise": _figures(measured.pairwise),
    }


def _figures(score: Score) -> dict[str, float]:
    return {"precision": score.precision, "recall": score.recall, "f": score.f}
