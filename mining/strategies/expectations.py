"""What to expect of similarities, from the pool's labels; from clustering's threshold while there are too few."""

from __future__ import annotations

import numpy as np

from annotation.clustering.cohort import strangers_by_label
from annotation.clustering.genuine import GenuineModel
from annotation.clustering.impostors import ImpostorModel
from mining.strategies.pool import Float, Int, Pool

SPREADS = 4.0  # of strangers' similarities, from their mean to where clusters merge: one pair in 30,000 beyond


def expected_of_people(pool: Pool) -> GenuineModel:
    """Of faces of one person, before any labels are seen."""
    return GenuineModel.expected(strangers=pool.strangers, threshold=pool.threshold)


def expected_of_strangers(pool: Pool, vectors: Float, labels: Int) -> ImpostorModel:
    """Of faces of different labels."""
    spread = max(pool.threshold - pool.strangers, 1e-3) / SPREADS
    few = ImpostorModel(np.ones(1), np.array([pool.strangers]), np.array([spread]))
    return strangers_by_label(vectors, labels, few)
