"""Which two faces a person should be asked about first: "same or different?"."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from annotation.clustering.between_means import BetweenMeans
from annotation.clustering.centroids import Centroids, centroids
from annotation.clustering.connected import connected_groups
from annotation.clustering.disjoint_sets import DisjointSets
from annotation.clustering.explanation import near_clusters
from annotation.clustering.genuine import GenuineModel
from annotation.clustering.impostors import ImpostorModel
from annotation.clustering.thresholds import Thresholds
from annotation.clustering.typical import two_parts, typical
from annotation.clustering.vectors import Indexes, Vectors, check_labels, check_vectors, number_clusters
from foundation.errors import InvalidInput

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Quality = npt.NDArray[np.floating] | None

NO_PAIRS = np.empty((0, 2), np.int64)
BAND = 0.5  # of the way from strangers' similarity to the threshold: how far below it clusters are looked at
NEIGHBOURS = 8  # near clusters looked at for each
SPREADS = 4.0  # of strangers' similarities, from their mean to the threshold: one pair in 30,000 beyond
LIKELY = 0.5  # from this probability of 'same' on, a question ties its clusters together
LEAST_SURPRISE = 0.0005  # less likely surprises are not worth a question, however many faces they would move
# Of the log odds that two parts of one cluster are one person, what is left: they are in one cluster because they are
# alike, so that this has been used already. On LFW the rare strangers among them are spread over all similarities.
CHOSEN = 0.3
FAME = 0.5  # the odds that a face is somebody's rise with so high a power of how many faces of theirs are there


@dataclass(frozen=True)
class Questions:
    """Pairs of faces, the most valuable first; m of them.

    Attributes:
        faces: int64 (m, 2), the faces to show, typical of their sides and clear; that of the smaller side first.
        clusters: int64 (m, 2), their clusters by the labels given; equal where a cluster may be two people.
        sizes: int64 (m, 2), faces on either side.
        settles: int64 (m,), faces that move if the answer is not what the clustering says: those of the smaller side.
        similarity: float64 (m,), cosine similarity of the centroids of both sides, less what strangers' means have in
            common; `merge_cores` compares the same with its threshold.
        same: float64 (m,), how likely both sides are one person.
        value: float64 (m,), how many faces more the answer can be expected to put right, by BCubed recall or precision.
    """

    faces: Indexes
    clusters: Indexes
    sizes: Indexes
    settles: Indexes
    similarity: Float64
    same: Float64
    value: Float64

    def __len__(self) -> int:
        return len(self.faces)

    def take(self, which: Indexes | Bool) -> Questions:
        """Some of them, in this order."""
        return Questions(*(getattr(self, field.name)[which] for field in fields(self)))

    def followed_by(self, others: Questions) -> Questions:
        """These, then the others."""
        names = [field.name for field in fields(self)]
        return Questions(*(np.concatenate([getattr(self, name), getattr(others, name)]) for name in names))


def worthwhile_questions(
    vectors: Vectors,
    labels: npt.NDArray[np.integer],
    thresholds: Thresholds,
    asked: Indexes,
    *,
    tied: Indexes = NO_PAIRS,
    impostors: ImpostorModel | None = None,
    quality: Quality = None,
) -> Questions:
    """Two clusters that may be one person, and clusters that may be two, by the faces typical of either side.

    An answer is worth what it can be expected to put right: the probability that it surprises, 'same' about two
    clusters or 'different' about the two parts of one (`between_means`), times what BCubed recall or precision then
    gains, which for sides of a and b faces is 2ab / (a + b) faces. A question about clusters that better ones tie
    together already has an answer unless one of these is 'different', and is worth as much less. Linear in the faces,
    and a search for the nearest among the clusters.

    Args:
        vectors: float32 (n, d), unit rows.
        labels: integers (n,), as `cluster` gives them; any integers will do.
        asked: int64 (m, 2), pairs that were answered; what they say of two sides is not asked again.
        tied: int64 (m, 2), pairs that people said are one person: no cluster is cut between such faces.
        impostors: similarities of strangers; None to go by the thresholds.
        quality: (n,), 0 to 1, higher is better; of a side's faces, the most typical clear one is shown.

    Raises:
        InvalidInput: vectors that are not unit rows; labels or quality that do not fit; pairs that name no face.
    """
    vectors = check_vectors(vectors)
    given = check_labels(labels, len(vectors))
    if quality is not None and quality.shape != given.shape:
        raise InvalidInput("Quality needs one value per face.", code="bad_shape")
    for pairs in (asked, tied):
        if len(pairs) and (pairs.min() < 0 or pairs.max() >= len(vectors)):
            raise InvalidInput("An answered pair names a face that is not there.", code="bad_pairs")
    if len(vectors) < 2:
        return _nothing()
    labels = number_clusters(given)
    between = _between(vectors, labels, thresholds, impostors)
    threshold, strangers = _merge_similarity(thresholds), thresholds.stranger_similarity
    floor = threshold - max(BAND * (threshold - strangers), 1e-6)
    near = near_clusters(vectors, labels, min_similarity=floor, neighbours=NEIGHBOURS).clusters
    whole = _about_two(between, vectors, labels, near, quality, strangers)
    apart, parts = _about_one(between, vectors, labels, tied, quality, strangers)
    whole, apart = whole.take(~_told(whole.clusters, labels, asked)), apart.take(~_told(apart.clusters, parts, asked))
    return _ranked(whole, apart, given)


def weakest_parts(
    vectors: Vectors,
    labels: npt.NDArray[np.integer],
    thresholds: Thresholds,
    *,
    tied: Indexes = NO_PAIRS,
    impostors: ImpostorModel | None = None,
) -> Questions:
    """Each cluster of two faces or more that people have not said to be one person throughout, cut in two: of
    `worthwhile_questions` those about one cluster, all of them, in the order of the labels."""
    vectors = check_vectors(vectors)
    given = check_labels(labels, len(vectors))
    if len(vectors) < 2:
        return _nothing()
    labels = number_clusters(given)
    between = _between(vectors, labels, thresholds, impostors)
    apart, _ = _about_one(between, vectors, labels, tied, None, thresholds.stranger_similarity)
    apart = replace(apart, clusters=given[apart.faces], value=_gain(apart, 1 - apart.same))
    return apart.take(np.argsort(apart.clusters[:, 0]))


def _between(
    vectors: Vectors, labels: Indexes, thresholds: Thresholds, impostors: ImpostorModel | None
) -> BetweenMeans:
    threshold = _merge_similarity(thresholds)
    prior = GenuineModel.expected(strangers=thresholds.stranger_similarity, threshold=threshold)
    return BetweenMeans(vectors, labels, impostors or _impostors(thresholds, threshold), prior)


def _merge_similarity(thresholds: Thresholds) -> float:
    return 1 - thresholds.core_distance if thresholds.merge_similarity is None else thresholds.merge_similarity


def _about_two(
    between: BetweenMeans,
    vectors: Vectors,
    labels: Indexes,
    near: Indexes,
    quality: Quality,
    strangers: float,
) -> Questions:
    """Near clusters: are they one person?"""
    middles = centroids(vectors, labels)
    found = between.compare(middles, np.arange(len(middles.sizes)), near)
    odds = found.evidence + _prior_odds(middles) + FAME * np.log(middles.sizes[near].max(axis=1))
    similarity = _less_amplified(found.similarity, middles, near, strangers)
    return _questions(middles, near, odds, similarity, typical(vectors, labels, middles, quality))


def _about_one(
    between: BetweenMeans, vectors: Vectors, labels: Indexes, tied: Indexes, quality: Quality, strangers: float
) -> tuple[Questions, Indexes]:
    """Clusters cut in two: are the parts, which are returned too, (n,), one person? A cluster of n units, faces or
    faces tied together, can be cut at n - 1 places; that is the price of choosing the one where they differ most."""
    whole, unit = centroids(vectors, labels), _units(labels, tied)
    units, cluster_of_unit = centroids(vectors, unit), labels[np.unique(unit, return_index=True)[1]]
    second = two_parts(units.directions, cluster_of_unit, whole)[unit]
    of = np.unique(2 * labels + second, return_inverse=True)[1].astype(np.int64)
    cluster_of, middles = labels[np.unique(of, return_index=True)[1]], centroids(vectors, of)
    first = np.flatnonzero(cluster_of[1:] == cluster_of[:-1])
    pairs = np.stack([first, first + 1], axis=1)
    found = between.compare(middles, cluster_of, pairs)
    places = np.bincount(cluster_of_unit)[cluster_of[first]] - 1
    odds = CHOSEN * (found.evidence + _prior_odds(whole) + np.log(places))
    similarity = _less_amplified(found.similarity, middles, pairs, strangers)
    return _questions(middles, pairs, odds, similarity, typical(vectors, of, middles, quality)), of


def _units(labels: Indexes, tied: Indexes) -> Indexes:
    """(n,) numbers 0..k-1 of what no cut may part: the faces of a cluster that pairs tie together, or one face."""
    a, b = tied[labels[tied[:, 0]] == labels[tied[:, 1]]].T.astype(np.int32)
    order, bounds = connected_groups(len(labels), a, b)
    unit = np.empty(len(labels), np.int64)
    unit[order] = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    return unit


def _less_amplified(similarity: Float64, middles: Centroids, pairs: Indexes, strangers: float) -> Float64:
    """What strangers' faces have in common, such as blur, remains in their means while all else cancels out."""
    return np.asarray(similarity - strangers * (1 / middles.lengths[pairs].prod(axis=1) - 1))


def _prior_odds(middles: Centroids) -> float:
    """Logarithm of the odds that a face is of one person with some cluster: the chance that it has others of its person
    here at all, which is the share of faces that are in clusters, and these may be any cluster."""
    several = int(middles.sizes[middles.sizes > 1].sum())
    share = min(max(several, 1) / int(middles.sizes.sum()), 0.99) / max(len(middles.sizes), 2)
    return float(np.log(share / (1 - share)))


def _nothing() -> Questions:
    pairs, numbers, figures = np.empty((0, 2), np.int64), np.empty(0, np.int64), np.empty(0)
    return Questions(pairs, pairs, pairs, numbers, figures, figures, figures)


def _impostors(thresholds: Thresholds, threshold: float) -> ImpostorModel:
    """What the thresholds say of strangers."""
    if thresholds.joins is not None:
        rule = thresholds.joins
        return ImpostorModel(*(np.array(values) for values in (rule.shares, rule.means, rule.spreads)))
    spread = max(threshold - thresholds.stranger_similarity, 1e-3) / SPREADS
    return ImpostorModel(np.ones(1), np.array([thresholds.stranger_similarity]), np.array([spread]))


def _questions(middles: Centroids, pairs: Indexes, odds: Float64, similarity: Float64, shown: Indexes) -> Questions:
    """About pairs (m, 2) of groups, by a face (k,) of each, with the log odds that they are one person. The value is
    yet to be found, and the clusters are groups still."""
    sizes = middles.sizes[pairs]
    swap = sizes[:, :1] > sizes[:, 1:]
    pairs, sizes = (np.where(swap, columns[:, ::-1], columns) for columns in (pairs, sizes))
    return Questions(shown[pairs], pairs, sizes, sizes[:, 0], similarity, expit(odds), np.zeros(len(pairs)))


def _told(pairs: Indexes, groups: Indexes, asked: Indexes) -> Bool:
    """(m,) whether a pair of faces of these two groups was answered; groups (n,) of the faces."""
    count = int(groups.max()) + 1
    sides, answered = np.sort(pairs, axis=1), np.sort(groups[asked.reshape(-1, 2)], axis=1)
    return np.isin(sides[:, 0] * count + sides[:, 1], answered[:, 0] * count + answered[:, 1])


def _ranked(whole: Questions, apart: Questions, given: Indexes) -> Questions:
    """Both kinds, with their value, the most valuable first; ties by faces."""
    both = whole.followed_by(apart)
    split = np.arange(len(both)) >= len(whole)
    surprise = np.where(split, 1 - both.same, both.same)
    value = _gain(both, surprise)
    order = _order(both.faces, value)
    tied = _tied(both.take(order), split[order], int(whole.clusters.max(initial=-1)))
    value[order] *= 1 - both.same[order] * tied.astype(np.float64)
    order = _order(both.faces, value)
    return replace(both, clusters=given[both.faces], value=value).take(order[surprise[order] >= LEAST_SURPRISE])


def _gain(questions: Questions, surprise: Float64) -> Float64:
    """What BCubed can be expected to gain: 2ab / (a + b) faces if the answer surprises."""
    return np.asarray(2 / (1 / questions.sizes).sum(axis=1) * surprise)


def _order(faces: Indexes, value: Float64) -> Indexes:
    order: Indexes = np.lexsort((faces[:, 1], faces[:, 0], -value))
    return order


def _tied(questions: Questions, split: Bool, last: int) -> Bool:
    """(m,) whether better questions to which the answer likely is 'same' already tie the two clusters together."""
    sets, tied = DisjointSets(last + 1), np.zeros(len(questions), np.bool_)
    for at in np.flatnonzero(~split & (questions.same >= LIKELY)).tolist():
        a, b = (sets.find(cluster) for cluster in questions.clusters[at].tolist())
        tied[at] = a == b
        if a != b:
            sets.join(a, b)
    return tied
