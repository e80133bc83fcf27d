"""Where the stages of a clustering stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from annotation.clustering.impostors import ImpostorModel


@dataclass(frozen=True)
class JoinRule:
    """When a few faces join a larger cluster. Plain numbers, so that it can be kept as JSON.

    Attributes:
        false_joins: faces that may join a stranger's cluster, per face that looks for one.
        highest_rate: the false match rate of one comparison is never more than this.
        false_share: of the joins at the threshold that may be false; `false_joins` follows from it and from how alike
            the faces and the clusters are, see `join_needs`. None if it is what it is.
        poor_below: the quality below which a face is poor, 0 to 1; 0 for nobody.
        poor_joins: what `false_joins` is for poor faces, which more often are of somebody with a cluster: a clear face
            of such a person would have found it by now.
        cohort: clusters, next to a face's nearest, that say how alike it is to strangers; 0 to take all faces for
            equal.
        shares, means, spreads: the impostor distribution, see `ImpostorModel`.
    """

    false_joins: float
    highest_rate: float
    shares: tuple[float, ...]
    means: tuple[float, ...]
    spreads: tuple[float, ...]
    false_share: float | None = None
    cohort: int = 0
    poor_below: float = 0.0
    poor_joins: float = 0.0

    @staticmethod
    def from_record(record: Mapping[str, Any]) -> JoinRule:
        """From what `dataclasses.asdict` and JSON made of one."""
        shares, means, spreads = (tuple(map(float, record[name])) for name in ("shares", "means", "spreads"))
        false_share = record.get("false_share")
        return JoinRule(
            float(record["false_joins"]),
            float(record["highest_rate"]),
            shares,
            means,
            spreads,
            None if false_share is None else float(false_share),
            int(record.get("cohort", 0)),
            float(record.get("poor_below", 0.0)),
            float(record.get("poor_joins", 0.0)),
        )

    def no_stricter_than(self, other: JoinRule) -> JoinRule:
        """With as many false joins as the other has, where that is more."""
        return replace(
            self,
            false_joins=max(self.false_joins, other.false_joins),
            poor_joins=max(self.poor_joins, other.poor_joins),
        )

    @property
    def stranger_similarity(self) -> float:
        """The mean similarity of impostor pairs, not below 0."""
        return max(0.0, float(self.impostors.shares @ self.impostors.means))

    @property
    def impostors(self) -> ImpostorModel:
        """The distribution of strangers' similarities."""
        return ImpostorModel(*(np.array(values) for values in (self.shares, self.means, self.spreads)))

    def similarity(self, *, faces: int, clusters: int, poor: bool = False) -> float:
        """What a group of so many faces needs to join one of so many clusters: the more there are to choose from, and
        the more faces would go wrong, the more."""
        joins = self.poor_joins if poor else self.false_joins
        return self.impostors.similarity(min(self.highest_rate, joins / (faces * clusters)))


@dataclass(frozen=True)
class Thresholds:
    """From `calibrate`, or chosen by a person.

    Attributes:
        core_distance: the largest cosine distance between two faces of one core.
        merge_similarity: the least mean cosine similarity of centroids at which cores merge; None for cores only.
        stranger_similarity: the mean cosine similarity of strangers, 0 or more, which `merge_cores` allows for.
        joins: when single faces and pairs join larger clusters; None for never.
        rounds: how often merges by evidence and joins follow each other, >= 1: clusters that faces have joined are
            better known, and some then turn out to be of one person.
    """

    core_distance: float
    merge_similarity: float | None
    stranger_similarity: float = 0.0
    joins: JoinRule | None = None
    rounds: int = 1

    @staticmethod
    def from_record(record: Mapping[str, Any]) -> Thresholds:
        """From what `dataclasses.asdict` and JSON made of them."""
        joins = record.get("joins")
        return Thresholds(
            core_distance=float(record["core_distance"]),
            merge_similarity=None if record["merge_similarity"] is None else float(record["merge_similarity"]),
            stranger_similarity=float(record.get("stranger_similarity", 0.0)),
            joins=None if joins is None else JoinRule.from_record(joins),
            rounds=int(record.get("rounds", 1)),
        )
