"""All stages' thresholds from target false match rates, without labels.

A rate per pair means little by itself: among n faces each meets n - 1 others. So the targets are false neighbours per
face, and the rate that a pair may have falls as 1 / n.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from annotation.clustering.answered import Answers, Refinement, refine
from annotation.clustering.constraints import Constraints
from annotation.clustering.evidence import merge_cores
from annotation.clustering.false_share import affordable_neighbours, nearest_others
from annotation.clustering.graph import range_graph
from annotation.clustering.impostors import ImpostorModel
from annotation.clustering.linkage import complete_linkage
from annotation.clustering.resolution import Resolution, resolve
from annotation.clustering.same_photo import SamePhotoFit, same_photo_pairs
from annotation.clustering.strata import StratifiedFit
from annotation.clustering.thresholds import JoinRule, Thresholds
from annotation.clustering.vectors import Vectors, check_vectors
from foundation.errors import InvalidInput

ROUNDS = 2  # of merges and joins; a third changes next to nothing
EVEN = 0.5  # share of false links at the threshold, where the targets name none
Basis = Literal["same_photo", "random", "prior"]


@dataclass(frozen=True)
class CalibrationTargets:
    """What a clustering may get wrong, and how much evidence is enough.

    The numbers of false neighbours and joins are for an album of which nothing else is known. How many there may be is
    then counted, so that of what a somewhat looser threshold would add a share is false; core and merge false
    neighbours keep their proportion.

    Attributes:
        core_false_neighbours: strangers that one face may have within the core distance, on average. Complete linkage
            bears some, since all faces of two clusters must match before they merge.
        merge_false_neighbours: the same for the merge similarity, where one wrong neighbour can join two people.
            With a false share, half or twice as many changed BCubed F by 0.0003 at most on clean photos to tune on.
        false_joins: faces that may join a stranger's cluster in the last stage, per face that looks for one.
        false_share: of the links that a looser threshold adds that may be false; None to keep to the numbers above.
        cohort: clusters next to a face's nearest to which that one is compared before it joins, see `JoinRule`.
        highest_rate: the false match rate per pair is never more than this, however few faces there are.
        least_faces: faces of different people needed for a fit.
        least_same_photo_pairs: same-photo pairs needed for them to have a say.
        sample: faces that are drawn for the random pairs.
        replicates: of the bootstrap for the intervals (95%).
    """

    core_false_neighbours: float = 0.05
    merge_false_neighbours: float = 0.03
    false_joins: float = 0.004
    false_share: float | None = 0.5
    cohort: int = 10
    highest_rate: float = 1e-3
    least_faces: int = 30
    least_same_photo_pairs: int = 2000
    sample: int = 2500
    replicates: int = 100


@dataclass(frozen=True)
class Estimate:
    """One threshold: the cosine similarity at which impostor pairs match at a rate, and its 95% interval."""

    false_match_rate: float
    similarity: float
    low: float
    high: float
    basis: Basis


@dataclass(frozen=True)
class Calibration:
    """Thresholds and what they were based on.

    Attributes:
        core, merge: the estimates for the first two stages; that of merges with people's answers, if there are any.
        joins: the rule of the third.
        merge_false_neighbours: strangers that one face may have within the merge similarity, by what was counted.
        random: the impostor distribution from random pairs; None if there were too few faces.
        same_photo: the one from same-photo pairs; None if there were too few.
        faces: faces that the rates were scaled to.
        sampled: faces drawn for the random pairs.
        people: of these, faces kept as of different people.
        same_photo_pairs: pairs of faces of one photo.
        answers: the merge threshold with and without people's answers; None if there are none.
    """

    core: Estimate
    merge: Estimate
    joins: JoinRule
    merge_false_neighbours: float
    random: ImpostorModel | None
    same_photo: ImpostorModel | None
    faces: int
    sampled: int
    people: int
    same_photo_pairs: int
    answers: Refinement | None = None

    @property
    def thresholds(self) -> Thresholds:
        """For `cluster`."""
        return Thresholds(
            core_distance=1 - self.core.similarity,
            merge_similarity=self.merge.similarity,
            stranger_similarity=self.joins.stranger_similarity,
            joins=self.joins,
            rounds=ROUNDS,
        )

    def refined_by(self, answers: Answers) -> Calibration:
        """With the merge threshold where people's answers have it, see `answered`; the same if there are none.

        The cores' stays: it is about single faces, and to let it follow made clusters of blurred faces worse.
        """
        if not len(answers):
            return self
        without = self.merge.similarity if self.answers is None else self.answers.without
        strangers, share = self.joins.impostors, self.joins.false_share or EVEN
        found = refine(without, answers, strangers, share=share, floor=strangers.similarity(self.joins.highest_rate))
        merge = Estimate(
            strangers.rate(found.similarity), found.similarity, found.low, found.high, basis=self.merge.basis
        )
        return replace(self, merge=merge, answers=found)

    def record(self) -> dict[str, Any]:
        """The same as plain JSON values, and `thresholds` for `Thresholds.from_record`."""
        record = asdict(self)
        record["thresholds"] = asdict(self.thresholds)
        for joins in (record["joins"], record["thresholds"]["joins"]):
            joins |= {name: list(joins[name]) for name in ("shares", "means", "spreads")}
        for name in ("random", "same_photo"):
            if record[name] is not None:
                record[name] = {key: values.tolist() for key, values in record[name].items()}
        return record


DEFAULT_TARGETS = CalibrationTargets()


def calibrate(
    vectors: Vectors,
    *,
    constraints: Constraints | None = None,
    targets: CalibrationTargets = DEFAULT_TARGETS,
    faces: int | None = None,
    prior: ImpostorModel | None = None,
    answers: Answers | None = None,
    seed: int = 0,
) -> Calibration:
    """Estimates the thresholds of one embedding space.

    Impostor pairs are random pairs of a sample cleared of repeated people, and the pairs of faces within one photo
    where there are enough; the stricter of the two estimates holds, as a crowd in one photo shares light, camera
    and often family.

    Args:
        vectors: float32 (n, d), unit rows.
        constraints: photos give same-photo pairs, human decisions clear the sample further.
        faces: how many faces will be clustered together; n if None.
        prior: the impostor distribution known beforehand, for when there are too few different people now.
        answers: what people said of clusters that were left apart; they move the merge threshold.

    Raises:
        InvalidInput: code `calibration_too_few` if there are too few faces and no prior.
    """
    vectors = check_vectors(vectors)
    resolution = resolve(constraints or Constraints.none(len(vectors)), expected=len(vectors))
    rng = np.random.default_rng(seed)
    faces = max(2, len(vectors) if faces is None else faces)
    sample = _sample(resolution, targets.sample, rng)
    random, people = _fit_sample(vectors[sample], targets)
    few = people < targets.least_faces and prior is not None
    if few:
        random = None  # however many faces: the pairs of a few people say little about strangers
    pairs = same_photo_pairs(resolution)
    same_photo = SamePhotoFit(vectors, pairs) if not few and len(pairs) >= targets.least_same_photo_pairs else None
    if random is None and same_photo is None and prior is None:
        raise InvalidInput(
            f"{people} faces of different people are too few to calibrate on; {targets.least_faces} are needed, or the "
            "impostor distribution of earlier faces.",
            code="calibration_too_few",
        )
    fits: list[tuple[Basis, ImpostorModel, list[ImpostorModel]]] = []
    if random is not None:
        fits.append(("random", random.model, random.replicates(targets.replicates, rng)))
    if same_photo is not None:
        fits.append(("same_photo", same_photo.model, same_photo.replicates(targets.replicates, rng)))
    if not fits and prior is not None:
        fits.append(("prior", prior, [prior]))
    strictest = max((model for _, model, _ in fits), key=lambda model: model.similarity(targets.highest_rate))
    per_face = _affordable(vectors, sample, resolution, strictest, targets)
    rates = tuple(
        min(targets.highest_rate, number / (faces - 1))
        for number in (per_face * targets.core_false_neighbours / targets.merge_false_neighbours, per_face)
    )
    core, merge = (max((_estimate(rate, *fit) for fit in fits), key=lambda e: e.similarity) for rate in rates)
    found = Calibration(
        core=core,
        merge=merge,
        joins=_joins(strictest, targets),
        merge_false_neighbours=per_face,
        random=random.model if random else None,
        same_photo=same_photo.model if same_photo else None,
        faces=faces,
        sampled=len(sample),
        people=people,
        same_photo_pairs=len(pairs),
    )
    return found if answers is None else found.refined_by(answers)


def _joins(model: ImpostorModel, targets: CalibrationTargets) -> JoinRule:
    shares, means, spreads = (tuple(values.tolist()) for values in (model.shares, model.means, model.spreads))
    return JoinRule(
        targets.false_joins, targets.highest_rate, shares, means, spreads, targets.false_share, targets.cohort
    )


def _affordable(
    vectors: Vectors,
    sample: np.ndarray[Any, np.dtype[np.int64]],
    resolution: Resolution,
    impostors: ImpostorModel,
    targets: CalibrationTargets,
) -> float:
    """The false neighbours within the merge similarity that pay."""
    usual = targets.merge_false_neighbours
    if targets.false_share is None or len(sample) == 0:
        return usual
    nearest = nearest_others(vectors, sample, resolution)
    return affordable_neighbours(nearest, impostors, others=len(vectors) - 1, share=targets.false_share, usual=usual)


def _estimate(rate: float, basis: Basis, model: ImpostorModel, replicates: list[ImpostorModel]) -> Estimate:
    low, high = np.quantile([replicate.similarity(rate) for replicate in replicates], [0.025, 0.975])
    return Estimate(rate, model.similarity(rate), float(low), float(high), basis)


def _sample(resolution: Resolution, size: int, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Faces at random, at most one of each must-link component."""
    _, first = np.unique(resolution.component, return_index=True)
    return first if len(first) <= size else np.sort(rng.choice(first, size, replace=False))


def _fit_sample(vectors: Vectors, targets: CalibrationTargets) -> tuple[StratifiedFit | None, int]:
    """Fits random pairs, clusters the sample at what they say, keeps a face of each cluster, and fits these again.

    Without this, people with many photos make up most of the upper tail.
    """
    people = vectors
    if len(people) < targets.least_faces:
        return None, len(people)
    fit = StratifiedFit(people, strata=1)  # spreads by face mean nothing yet, while people repeat
    for _ in range(2):
        similarity = fit.model.similarity(min(targets.highest_rate, targets.core_false_neighbours / len(vectors)))
        people = vectors[_one_of_each(vectors, similarity)]
        if len(people) < targets.least_faces:
            break
        fit = StratifiedFit(people)
    return fit, len(people)


def _one_of_each(vectors: Vectors, similarity: float) -> np.ndarray[Any, np.dtype[np.int64]]:
    free = resolve(Constraints.none(len(vectors)))
    cores = complete_linkage(range_graph(vectors, 1 - similarity), free).labels
    labels = merge_cores(vectors, cores, free, min_similarity=similarity)
    first: np.ndarray[Any, np.dtype[np.int64]] = np.unique(labels, return_index=True)[1]
    return first
