"""The thresholds of a space, from the faces that are in it now."""

from __future__ import annotations

from typing import Any

import numpy as np

from annotation.clustering.answered import Answers
from annotation.clustering.calibration import Calibration, calibrate
from annotation.clustering.constraints import Constraints
from annotation.clustering.impostors import ImpostorModel
from annotation.ledger.entries import Kind
from annotation.ledger.state import State
from annotation.models import ClusterRun, Decision, EmbeddingSpace
from annotation.queries.vectors import FaceVectors
from models_zoo.specs import known_impostors

# Random directions have a spread of 1 / sqrt(d); embedders crowd their vectors together. Only used for fewer people
# than a fit needs, in a space that has never seen more, of a network nobody measured: rather too strict than joining
# strangers.
CROWDING = 1.5
CENTROIDS = "centroids"  # in a decision's evidence: how alike two clusters were when a person was asked about them


def calibrate_space(
    *, space: EmbeddingSpace, faces: FaceVectors, constraints: Constraints, state: State
) -> Calibration:
    """Estimate the thresholds, refined by people's answers, and remember them with the space: the calibration's record,
    in which `core_distance` and `merge_similarity` stand at the top as well."""
    answers = answers_in(space=space, state=state)
    found = calibrate(faces.vectors, constraints=constraints, prior=prior_of(space), answers=answers)
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


def answers_in(*, space: EmbeddingSpace, state: State) -> Answers:
    """The answers that still hold to questions that were asked because two clusters of this space were near.

    What was asked for other reasons is left out: labels that seem wrong, people who seem to be two, and pairs that
    somebody happened on say little about clusters at that similarity, however right the answer is.
    """
    holds = {entry: same for pairs, same in ((state.must, True), (state.cannot, False)) for entry in pairs.values()}
    runs = set(ClusterRun.objects.filter(space=space).values_list("pk", flat=True))
    asked = Decision.objects.filter(evidence__page="review", kind__in=(Kind.SAME, Kind.DIFFERENT))
    rows = asked.values_list("pk", "evidence").iterator(chunk_size=20_000)
    found = [
        (float(evidence[CENTROIDS]), holds[pk])
        for pk, evidence in rows
        if pk in holds and CENTROIDS in evidence and evidence.get("run") in runs
    ]
    similarity, same = zip(*found, strict=True) if found else ((), ())
    return Answers(np.clip(np.array(similarity, np.float64), -1, 1), np.array(same, np.bool_))


def prior_of(space: EmbeddingSpace) -> ImpostorModel:
    """What to believe of a space's strangers while it has too few faces to tell."""
    stored = space.calibration.get("random") or space.calibration.get("same_photo")
    if stored is None:
        mean, spread = known_impostors(space.release.architecture) or (0.0, CROWDING / np.sqrt(space.dimension))
        return ImpostorModel(np.ones(1), np.array([mean]), np.array([spread]))
    return ImpostorModel(*(np.array(stored[name], np.float64) for name in ("shares", "means", "spreads")))
