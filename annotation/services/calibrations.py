"""The thresholds of a space, from the faces that are in it now."""

from __future__ import annotations

from typing import Any

import numpy as np

from annotation.clustering.calibration import Calibration, calibrate
from annotation.clustering.constraints import Constraints
from annotation.clustering.impostors import ImpostorModel
from annotation.models import EmbeddingSpace
from annotation.queries.vectors import FaceVectors
from models_zoo.specs import known_impostors

# Random directions have a spread of 1 / sqrt(d); embedders crowd their vectors together. Only used for fewer people
# than a fit needs, in a space that has never seen more, of a network nobody measured: rather too strict than joining
# strangers.
CROWDING = 1.5


def calibrate_space(*, space: EmbeddingSpace, faces: FaceVectors, constraints: Constraints) -> Calibration:
    """Estimate the thresholds, and remember them with the space: the calibration's record, in which `core_distance` and
    `merge_similarity` stand at the top as well."""
    found = calibrate(faces.vectors, constraints=constraints, prior=_prior(space))
    record: dict[str, Any] = {
        **found.record(),
        "core_distance": found.thresholds.core_distance,
        "merge_similarity": found.thresholds.merge_similarity,
    }
    for model in ("random", "same_photo"):  # kept as the prior for a day with fewer faces
        record[model] = record[model] or space.calibration.get(model)
    EmbeddingSpace.objects.filter(pk=space.pk).update(calibration=record)
    space.calibration = record
    return found


def _prior(space: EmbeddingSpace) -> ImpostorModel:
    stored = space.calibration.get("random") or space.calibration.get("same_photo")
    if stored is None:
        mean, spread = known_impostors(space.release.architecture) or (0.0, CROWDING / np.sqrt(space.dimension))
        return ImpostorModel(np.ones(1), np.array([mean]), np.array([spread]))
    return ImpostorModel(*(np.array(stored[name], np.float64) for name in ("shares", "means", "spreads")))
