"""What labelling takes and gives: one row per face, as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from foundation.errors import InvalidInput

Int = NDArray[np.int64]
Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

NOBODY = -1
FIRST_NEW = -2  # -2, -3, ... stand for persons yet to be made: number 0, 1, ...


class Reason(StrEnum):
    """Why a face has no person; `NONE` when it has one. The order is that of the codes in `Labels.reason`."""

    NONE = ""
    SINGLETON = "singleton"
    LOW_QUALITY = "low_quality"
    PROFILE_PRIOR = "profile_prior"
    SAME_PHOTO = "same_photo"
    REJECTED = "rejected"
    IGNORED = "ignored"
    NOT_A_FACE = "not_a_face"


REASONS: tuple[Reason, ...] = tuple(Reason)
CODE: dict[Reason, int] = {reason: code for code, reason in enumerate(REASONS)}


@dataclass(frozen=True, slots=True)
class Rules:
    """When clustering alone may label a face, and how sure that is.

    Attributes:
        min_size: faces that a cluster needs; smaller ones stay unlabelled unless a person labelled one of their faces.
        min_quality: combined quality (0..1) below which a face stays unlabelled.
        doubtful_at: cosine similarity to the cluster's centre at which confidence is 0.
        confident_at: the similarity at which it is 1; linear between. Both come from the space's calibration.
        min_overlap: a cluster keeps a previous person if they share this part of the cluster or of the person.
    """

    min_size: int = 2
    min_quality: float = 0.0
    doubtful_at: float = 0.2
    confident_at: float = 0.6
    min_overlap: float = 0.5

    def __post_init__(self) -> None:
        if self.min_size < 1 or not self.doubtful_at < self.confident_at or not 0 < self.min_overlap <= 1:
            raise InvalidInput("Labelling rules are out of range.", code="bad_rules")


@dataclass(frozen=True, slots=True)
class Clustered:
    """The faces of one cluster run, row by row.

    Attributes:
        face_ids: (n,) each face once.
        photo_ids: (n,) the photo of each.
        clusters: (n,) any numbering, -1 = alone.
        similarity: (n,) cosine similarity to the centre of the face's cluster, -1..1; anything where alone.
        quality: (n,) 0..1.
        profiles: (n,) the collection with the `profile` prior that the face is in, -1 = none.
    """

    face_ids: Int
    photo_ids: Int
    clusters: Int
    similarity: Float
    quality: Float
    profiles: Int = field(default_factory=lambda: np.empty(0, np.int64))

    def __post_init__(self) -> None:
        n = len(self.face_ids)
        if not len(self.profiles):
            object.__setattr__(self, "profiles", np.full(n, -1, np.int64))
        columns = (self.photo_ids, self.clusters, self.similarity, self.quality, self.profiles)
        if any(column.shape != (n,) for column in columns):
            raise InvalidInput("Every column needs one value per face.", code="bad_shape")
        if len(np.unique(self.face_ids)) != n:
            raise InvalidInput("A face appears twice.", code="duplicate_face")


@dataclass(frozen=True, slots=True)
class Labels:
    """Row by row: who each face shows.

    Attributes:
        identity: (n,) identity, -1 = nobody, -2 - k = new person number k (0 <= k < new), in order of smallest face.
        human: (n,) whether people said so, be it a label, a rejection or that it is set aside.
        outside: (n,) whether a label from outside says so, that of the face or of one tied to it by `same`.
        confidence: (n,) 0..1: 1 for labels by people and from outside, 0 for nobody.
        reason: (n,) code into `REASONS`; 0 exactly where there is an identity.
        decision: (n,) the ledger entry that decided, 0 = none.
        cluster_identity: cluster -> identity, -1 or new person, for every cluster of the input.
        new: how many persons are to be made.
    """

    identity: Int
    human: Bool
    outside: Bool
    confidence: Float
    reason: NDArray[np.int8]
    decision: Int
    cluster_identity: dict[int, int]
    new: int
