"""Where the two stages of a clustering stop."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Thresholds:
    """From `calibrate`, or chosen by a person.

    Attributes:
        core_distance: the largest cosine distance between two faces of one core.
        merge_similarity: the least mean cosine similarity of centroids at which cores merge; None for cores only.
    """

    core_distance: float
    merge_similarity: float | None
