"""Which names hold two people? Each name's faces are cut in two, and the halves' means compared.

Every face supports its half, so face by face (`suspects`) an even mix of two people looks right. Here the question is
whether the two halves are of one person:

score = log density of the means' similarity among strangers - log density among halves of one person - log(n - 1)

A cut starts across the direction in which the faces of a name differ most, and another one around the face least like
the rest; 2-means improves both, and the better one counts. Along a direction there are n - 1 places to cut; that is
the price of choosing the best.
Linear in faces.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from annotation.clustering.between_means import BetweenMeans
from annotation.clustering.centroids import centroids
from annotation.clustering.genuine import GenuineModel
from annotation.clustering.impostors import ImpostorModel
from annotation.clustering.prior_odds import log_prior_odds
from annotation.clustering.vectors import Indexes, Vectors, check_labels, check_vectors
from foundation.errors import InvalidInput

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

TURNS = 12  # of the power iteration; people are told apart long before it has converged
ROUNDS = 10  # of 2-means
BLOCK = 1 << 14


@dataclass(frozen=True)
class Mixtures:
    """One entry per label of two or more faces, by rising label.

    Attributes:
        labels: int64 (k,).
        sizes: int64 (k, 2), faces of each half, the smaller one first.
        similarity: float64 (k,), cosine similarity of the halves' means.
        expected: float64 (k,), what halves of one person would have.
        strangers: float64 (k,), what two such strangers would have.
        score: float64 (k,), natural logarithm of how much likelier the evidence is if they are two people.
        certainty: float64 (k,), 0..1: that they are two, given how common that is among all labels.
        smaller: bool (n,), whether a face, in the order given, is in the smaller half of its label.
    """

    labels: Indexes
    sizes: Indexes
    similarity: Float64
    expected: Float64
    strangers: Float64
    score: Float64
    certainty: Float64
    smaller: Bool


def find_mixtures(vectors: Vectors, labels: Indexes, *, impostors: ImpostorModel, prior: GenuineModel) -> Mixtures:
    """Cuts every label in two and weighs whether the halves are two people.

    Args:
        vectors: float32 (n, d), unit rows.
        labels: integers (n,), >= 0.
        impostors: similarities of strangers, from `strangers_by_label` or `calibrate`.
        prior: what is expected of faces of one person, for when there are few.

    Raises:
        InvalidInput: vectors that are not unit rows, labels that do not fit, negative labels.
    """
    vectors = check_vectors(vectors)
    labels = check_labels(labels, len(vectors))
    if len(labels) and labels.min() < 0:
        raise InvalidInput("Labels are numbers from 0; leave faces without one out.", code="bad_labels")
    names, of, counts = np.unique(labels, return_inverse=True, return_counts=True)
    several = np.flatnonzero(counts[of] > 1)
    smaller = np.zeros(len(labels), np.bool_)
    if not len(several):
        none = np.empty(0)
        return Mixtures(names[:0], np.empty((0, 2), np.int64), none, none, none, none, none, smaller)
    work = _Cutting(vectors[several], labels[several], BetweenMeans(vectors, labels, impostors, prior))
    found, smaller[several] = work.best()
    return replace(found, smaller=smaller)


class _Cutting:
    """Faces of labels with two or more."""

    def __init__(self, vectors: Vectors, labels: Indexes, between: BetweenMeans) -> None:
        self._vectors, self._between = vectors, between
        self._names, self._person, self._counts = np.unique(labels, return_inverse=True, return_counts=True)

    def best(self) -> tuple[Mixtures, Bool]:
        """Of the cuts from either start the one with the higher score; one face beside many is no second person."""
        order = np.argsort(self._person, kind="stable")
        halving = _Halving(self._vectors[order], self._person[order], len(self._names))
        cuts = []
        for start in (halving.across(), halving.about_the_weakest()):
            side = np.empty(len(order), np.bool_)
            side[order] = halving.run(start)
            cuts.append((self._weigh(side), side))
        side, other = (side for _, side in cuts)
        ranks = [np.where((cut.sizes[:, 0] == 1) & (self._counts > 2), -np.inf, cut.score) for cut, _ in cuts]
        chosen = np.where((ranks[1] > ranks[0])[self._person], other, side)
        return self._weigh(chosen), chosen

    def _weigh(self, smaller: Bool) -> Mixtures:
        middles = centroids(self._vectors, 2 * self._person + ~smaller)
        pairs = np.arange(2 * len(self._names)).reshape(-1, 2)
        found = self._between.compare(middles, np.repeat(self._names, 2), pairs)
        score = -found.evidence - np.log(self._counts - 1)
        return Mixtures(
            labels=self._names,
            sizes=middles.sizes.reshape(-1, 2),
            similarity=found.similarity,
            expected=found.expected,
            strangers=found.strangers,
            score=score,
            certainty=expit(score + log_prior_odds(score)),
            smaller=smaller,
        )


class _Halving:
    """All people at once, face by face in their order, so that everything is a sum over segments."""

    def __init__(self, vectors: Vectors, person: Indexes, people: int) -> None:
        self._vectors, self._person, self._people = vectors, person, people
        self._sizes = np.bincount(person, minlength=people)
        self._starts = np.cumsum(self._sizes) - self._sizes
        self._means = (self._sums(np.ones(len(person), np.float32)) / self._sizes[:, None]).astype(np.float32)

    def run(self, start: npt.NDArray[np.float32]) -> Bool:
        """(n,) True for the smaller half of each person, by 2-means from the cut at 0 of `start` (n,)."""
        side = self._both_inhabited(start > 0, start)
        for _ in range(ROUNDS):
            on = self._sums(side.astype(np.float32))
            off = (self._means * self._sizes[:, None]).astype(np.float32) - on
            moved = self._along(np.asarray(_unit(on) - _unit(off)))
            better = self._both_inhabited(moved > 0, moved)
            if np.array_equal(better, side):
                break
            side = better
        many = np.add.reduceat(side.astype(np.int64), self._starts)
        # Of two equal halves the one without the first face counts as the smaller.
        swap = (2 * many > self._sizes) | ((2 * many == self._sizes) & side[self._starts])
        return np.asarray(side ^ swap[self._person])

    def across(self) -> npt.NDArray[np.float32]:
        """(n,) place along the direction in which the faces differ most, by power iteration: two even groups."""
        direction = self._to_the_weakest()
        for _ in range(TURNS):
            direction = _unit(self._sums(self._centred(direction)))
        return self._centred(direction)

    def about_the_weakest(self) -> npt.NDArray[np.float32]:
        """(n,) above 0 where a face is more like the weakest one than like the mean: a few faces of somebody else."""
        return self._along(self._to_the_weakest())

    def _to_the_weakest(self) -> npt.NDArray[np.float32]:
        """(people, d) from the mean of each person to the face least like it."""
        alike = self._along(_unit(self._means))
        weakest = np.lexsort((alike, self._person))[self._starts]
        return np.asarray(self._vectors[weakest] - _unit(self._means), np.float32)

    def _centred(self, direction: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        along = self._along(direction)
        return along - (np.add.reduceat(along, self._starts) / self._sizes)[self._person].astype(np.float32)

    def _along(self, direction: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """(n,) each face's product with its person's direction."""
        out = np.empty(len(self._person), np.float32)
        for at in range(0, len(out), BLOCK):
            part = slice(at, at + BLOCK)
            out[part] = np.einsum("ij,ij->i", self._vectors[part], direction[self._person[part]])
        return out

    def _sums(self, weight: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """(people, d) weighted sums."""
        return np.asarray(np.add.reduceat(self._vectors * weight[:, None], self._starts), np.float32)

    def _both_inhabited(self, side: Bool, along: npt.NDArray[np.float32]) -> Bool:
        """Where all faces of a person would be on one side, the outermost one goes to the other."""
        many = np.add.reduceat(side.astype(np.int64), self._starts)
        lowest = np.lexsort((along, self._person))
        full, empty = np.flatnonzero(many == self._sizes), np.flatnonzero(many == 0)
        side = side.copy()
        side[lowest[self._starts[full]]] = False
        side[lowest[self._starts[empty] + self._sizes[empty] - 1]] = True
        return side


def _unit(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)
