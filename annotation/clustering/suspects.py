"""Which labels are wrong? For each face the evidence that it shows somebody else, against that for its own label.

score = log( half * [nobody here] + half * x / (1 + SECOND_NAMES * x) ) - log LR of its own label
x = sum over other people of LR / (how many they are)

LR compares 'of this person' with 'of a stranger' for the similarity to the mean of that person's faces: how likely it
is among the person's own (`GenuineModel`) over how likely among strangers (`ImpostorModel`). The mean of its own label
leaves the face itself out; a face that is alone under its label has nothing to speak for it. Dividing by the number of
people is the price of choosing the nearest of so many. 'Nobody here' finds faces of people who have no other photo.

However alike a face is to somebody else, that is no proof: a few people have a second name here, under which their
photos are just as rightly theirs, so likeness counts only up to one over their share. And a few have a double, so the
strangers of LR are a mixture with doubles; those of a label's own LR with more of them, as names are given to the wrong
person for a reason. Where two names of one face each are alike, either may be the wrong one, and each gets half.

Strangers are judged face by face, by a cohort (`cohort`). How alike a face can be expected to be to its own person
depends on its likeness to that cohort and on its quality, by a regression over all faces. Memory is linear in faces.

A face under a wrong name makes the rest of that name look like the person it shows. So a second pass leaves out of the
means what the first found to be somebody else's face.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

import faiss
import numpy as np
import numpy.typing as npt

from annotation.clustering.centroids import Centroids, centroids
from annotation.clustering.cohort import Cohort
from annotation.clustering.genuine import GenuineModel, fit_genuine
from annotation.clustering.impostors import ImpostorModel
from annotation.clustering.prior_odds import log_prior_odds
from annotation.clustering.vectors import Indexes, Vectors, check_labels, check_vectors
from foundation.errors import InvalidInput
from foundation.progress import Progress, silent

Float64 = npt.NDArray[np.float64]

NONE = -1
PASSES = 2  # the first finds faces that then no longer stand for the name they bear
RIVALS = 16  # nearest people looked at per face; the sum over all others adds next to nothing
NOBODY_HERE = 0.5  # prior share of wrong labels whose true person is nobody here: not known, so even
SECOND_NAMES = 0.003  # prior share of people who have another name here that is just as right
DOUBLES = 0.01  # prior share of people who have a double here
MISTAKEN = 0.1  # prior share of wrong labels that name a double of the person shown
BLOCK = 4096
STEADY = 3.0  # spreads beyond which a face's residual no longer pulls the regression
RIDGE = 30.0  # faces that the regression's coefficients are held at 0 by


@dataclass(frozen=True)
class Suspicion:
    """Per face, in the order given; people are numbered by rising label.

    Attributes:
        score: float64 (n,), natural logarithm of how much likelier the evidence is if the label is wrong.
        own: float64 (n,), cosine similarity to the mean of the other faces under its label; NaN where it is alone.
        own_evidence: float64 (n,), log LR of its own label; 0 where it is alone.
        rival: int64 (n,), label of the other person who is likeliest; `NONE` where there is none.
        like: float64 (n,), cosine similarity to the mean of the rival's faces; for a copy, to the copy.
        rival_evidence: float64 (n,), log LR of that person.
        copy: int64 (n,), row of the face that is a near-duplicate under the rival's label; -1 for none.
        nobody: bool (n,), whether 'nobody here' explains the face better than all other people do.
    """

    score: Float64
    own: Float64
    own_evidence: Float64
    rival: Indexes
    like: Float64
    rival_evidence: Float64
    copy: Indexes
    nobody: npt.NDArray[np.bool_]


def suspect_labels(
    vectors: Vectors,
    labels: Indexes,
    *,
    impostors: ImpostorModel,
    prior: GenuineModel,
    groups: Indexes | None = None,
    quality: npt.NDArray[np.floating] | None = None,
    ruled_out: Set[tuple[int, int]] = frozenset(),
    passes: int = PASSES,
    progress: Progress = silent,
) -> Suspicion:
    """Scores every label; above 0 the evidence is against it.

    Args:
        vectors: float32 (n, d), unit rows.
        labels: integers (n,), >= 0.
        impostors: similarities of strangers, from `strangers_by_label` or `calibrate`.
        prior: what is expected of faces of one person, for when there are few.
        groups: (n,) near-duplicate group of the photo; faces in one group that match under two labels are copies.
        quality: (n,), any scale, higher is better.
        ruled_out: (row, label) pairs that people have ruled out.
        passes: from the second on, faces found to be somebody else's no longer stand for their label.

    Raises:
        InvalidInput: vectors that are not unit rows, labels or columns that do not fit, negative labels.
    """
    vectors = check_vectors(vectors)
    labels = check_labels(labels, len(vectors))
    if any(column is not None and column.shape != labels.shape for column in (groups, quality)):
        raise InvalidInput("Groups and quality need one value per face.", code="bad_shape")
    if len(labels) and labels.min() < 0:
        raise InvalidInput("Labels are numbers from 0; leave faces without one out.", code="bad_labels")
    if not len(labels):
        none, numbers = np.empty(0), np.empty(0, np.int64)
        return Suspicion(none, none, none, numbers, none, none, numbers, np.empty(0, np.bool_))
    trusted = np.ones(len(labels), np.bool_)
    for _ in range(passes - 1):
        found = _Comparison(vectors, labels, trusted, impostors, prior, quality).run(groups, ruled_out, progress)
        trusted = _still_trusted(found, labels)
    return _Comparison(vectors, labels, trusted, impostors, prior, quality).run(groups, ruled_out, progress)


def _still_trusted(found: Suspicion, labels: Indexes) -> npt.NDArray[np.bool_]:
    """(n,) False for faces that more likely than not show their rival; every label keeps its least suspect face."""
    odds = found.score + log_prior_odds(found.score)
    trusted = (odds <= 0) | found.nobody | (found.rival < 0)
    least = np.lexsort((found.score, labels))
    trusted[least[np.unique(labels[least], return_index=True)[1]]] = True
    return np.asarray(trusted)


class _Comparison:
    """Faces, the means of their people, and what both have in common with strangers."""

    def __init__(
        self,
        vectors: Vectors,
        labels: Indexes,
        trusted: npt.NDArray[np.bool_],
        impostors: ImpostorModel,
        prior: GenuineModel,
        quality: npt.NDArray[np.floating] | None,
    ) -> None:
        self._vectors, self._trusted, self._impostors = vectors, trusted, impostors
        self._persons, self._of, self._sizes = np.unique(labels, return_inverse=True, return_counts=True)
        self._middles: Centroids = centroids(vectors[trusted], self._of[trusted])
        self._others = self._middles.sizes[self._of] - trusted
        cohort = Cohort(vectors, labels, impostors)
        self._mean, self._spread = cohort.mean, cohort.spread
        self._faces = cohort.standing(vectors, labels, np.ones(len(vectors)))
        self._people = cohort.standing(self._middles.directions, self._persons, self._middles.lengths)
        self._own = self._leave_one_out()
        several = np.flatnonzero(self._others > 0)
        self._genuine = fit_genuine(self._own[several], self._others[several], prior)
        self._shift = self._expected_shift(several, quality)

    def run(self, groups: Indexes | None, ruled_out: Set[tuple[int, int]], progress: Progress) -> Suspicion:
        n = len(self._vectors)
        rows, out = np.arange(n), self._ruled_out(ruled_out)
        alone = self._others == 0
        others = np.maximum(self._others, 1)
        own = np.nan_to_num(self._own)
        own_evidence = self._evidence(rows, self._of, own, others)
        # Beside somebody else's likeness only: a double who is nobody here looks just like a hard photo.
        mistaken = self._evidence(rows, self._of, own, others, doubles=MISTAKEN) - own_evidence
        own_evidence[alone], mistaken[alone] = 0, 0
        rival, like = np.full(n, NONE, np.int64), np.full(n, -1.0)
        evidence, against = np.full(n, -np.inf), np.full(n, np.log(NOBODY_HERE))
        index = faiss.IndexFlatIP(self._vectors.shape[1])
        index.add(self._middles.directions)
        for at in range(0, n, BLOCK):
            block = rows[at : at + BLOCK]
            one = self._nearest(index, block, out)
            rival[block], like[block], evidence[block], total = one
            against[block] = np.logaddexp(against[block], total - mistaken[block])
            progress(min(at + BLOCK, n), n)
        copy = np.full(n, -1, np.int64)
        if groups is not None:
            row, other, alike = self._copies(groups, out)
            known = self._evidence(row, self._of[other], alike, np.ones_like(other))
            either = self._either(row, self._of[other])
            # No doubles here: a copy got its second name by a slip, not because anybody looks like somebody.
            against[row] = np.logaddexp(against[row], known + np.log1p(-NOBODY_HERE) - np.log(2) * either)
            # Chosen among few, not among all: a copy needs less evidence by the logarithm of how many there are.
            nearer = (known > 0) & (known + np.log(max(1, len(self._persons) - 1)) > evidence[row])
            row, other, alike, known = row[nearer], other[nearer], alike[nearer], known[nearer]
            rival[row], like[row], evidence[row], copy[row] = self._of[other], alike, known, other
        named = np.where(rival >= 0, self._persons[rival], NONE)
        nobody = against < np.log(2 * NOBODY_HERE)
        return Suspicion(against - own_evidence, self._own, own_evidence, named, like, evidence, copy, nobody)

    def _leave_one_out(self) -> Float64:
        """(n,) similarity to the mean of the others; NaN where there are none."""
        own = np.full(len(self._of), np.nan)
        order = np.flatnonzero(self._trusted)
        order = order[np.argsort(self._of[order], kind="stable")]
        starts = np.cumsum(self._middles.sizes) - self._middles.sizes
        total = np.add.reduceat(self._vectors[order], starts, dtype=np.float64)
        for at in range(0, len(own), BLOCK):
            part = slice(at, at + BLOCK)
            faces = self._vectors[part].astype(np.float64)
            sums = total[self._of[part]] - faces * self._trusted[part, None]
            norms = np.linalg.norm(sums, axis=1)
            alike = np.einsum("ij,ij->i", sums, faces) / np.maximum(norms, 1e-6)
            own[part] = np.where(self._others[part] > 0, np.clip(alike, -1, 1), np.nan)
        return own

    def _expected_shift(self, several: Indexes, quality: npt.NDArray[np.floating] | None) -> Float64:
        """(n,) by how much each face can be expected to be more or less like its person than others are."""
        columns = [self._faces[0] - self._mean]
        if quality is not None:
            columns.append(np.asarray(quality, np.float64) - float(np.mean(quality)))
        known = np.stack(columns, axis=1)
        known = known / np.maximum(known.std(axis=0), 1e-12)
        others = self._others[several]
        spread = self._genuine.spread(others)
        off = np.clip((self._own[several] - self._genuine.mean(others)) / spread, -STEADY, STEADY) * spread
        design = known[several] / spread[:, None]  # a residual counts by how exactly it can be known
        gram = design.T @ design + RIDGE / self._genuine.spread(np.ones(1, np.int64))[0] ** 2 * np.eye(known.shape[1])
        return np.asarray(known @ np.linalg.solve(gram, design.T @ (off / spread)))

    def _evidence(
        self, rows: Indexes, persons: Indexes, alike: Float64, faces: Indexes, *, doubles: float = 0.0
    ) -> Float64:
        """log LR that faces `rows` (m,) show `persons`, (m,) or (m, r), by their similarity to means of so many.

        Args:
            doubles: the share of strangers who are doubles. These lie about half the way between strangers and people
                themselves, and both ends are two spreads off: twins are as alike as one person.
        """
        wide = (slice(None), None) if persons.ndim == 2 else slice(None)
        mean = self._faces[0][rows][wide] + self._people[0][persons] - self._mean
        spread = self._faces[1][rows][wide] * self._people[1][persons] / self._spread
        # Below the strangers' mean the ratio would rise again; nobody is the more alike for that.
        standard = np.maximum((alike - mean) / spread, 0) * self._spread + self._mean
        strangers = self._impostors.log_density(standard) + np.log(self._spread / spread)
        shift = self._shift[rows][wide]
        same = self._genuine.log_density(np.maximum(alike, mean), faces, shift)
        if doubles:
            quarter = np.maximum(self._genuine.mean(faces) + shift - mean, 1e-3) / 4
            off = np.maximum(alike - mean, 0) / quarter - 2
            near = -(off**2) / 2 - np.log(quarter * np.sqrt(2 * np.pi))
            strangers = np.logaddexp(strangers + np.log1p(-doubles), near + np.log(doubles))
        return np.asarray(same - strangers)

    def _nearest(
        self, index: faiss.IndexFlatIP, rows: Indexes, out: Indexes
    ) -> tuple[Indexes, Float64, Float64, Float64]:
        """Of each row: the likeliest other person, similarity, evidence; and what speaks for all others together."""
        persons = index.search(self._vectors[rows], min(RIVALS + 1, len(self._persons)))[1]
        persons.sort(axis=1)  # so that ties go to the lowest number
        faces = self._vectors[rows].astype(np.float64)
        alike = np.stack(
            [np.einsum("ij,ij->i", faces, self._middles.directions[column]) for column in persons.T], axis=1
        )
        others = max(1, len(self._persons) - 1)
        known = self._evidence(rows, persons, alike, self._middles.sizes[persons], doubles=DOUBLES / others)
        barred = (persons == self._of[rows][:, None]) | np.isin(rows[:, None] * len(self._persons) + persons, out)
        known = np.where(barred, -np.inf, known)
        best = known.argmax(axis=1)
        at = np.arange(len(rows))
        mean = np.logaddexp.reduce(known, axis=1) - np.log(others)
        total = mean - np.logaddexp(0, mean + np.log(SECOND_NAMES)) + np.log1p(-NOBODY_HERE)
        total -= np.log(2) * self._either(rows, persons[at, best])
        none = np.isneginf(known[at, best])
        return np.where(none, NONE, persons[at, best]), np.where(none, -1.0, alike[at, best]), known[at, best], total

    def _either(self, rows: Indexes, rivals: Indexes) -> npt.NDArray[np.bool_]:
        """(m,) whether both names have one face only, so that either may be the wrong one."""
        return np.asarray((self._sizes[self._of[rows]] == 1) & (self._sizes[rivals] == 1))

    def _copies(self, groups: Indexes, out: Indexes) -> tuple[Indexes, Indexes, Float64]:
        """Rows with a face of another label in their group, the face among these that is most alike, and how much."""
        order = np.argsort(groups, kind="stable")
        largest = int(np.unique(groups, return_counts=True)[1].max())
        best, other = np.full(len(groups), -2.0), np.full(len(groups), -1, np.int64)
        for offset in range(1, largest):
            near, far = order[:-offset], order[offset:]
            meet = (groups[near] == groups[far]) & (self._of[near] != self._of[far])
            for a, b in ((near[meet], far[meet]), (far[meet], near[meet])):
                for at in range(0, len(a), BLOCK):
                    row, face = a[at : at + BLOCK], b[at : at + BLOCK]
                    alike = np.einsum("ij,ij->i", self._vectors[row], self._vectors[face], dtype=np.float64)
                    alike[np.isin(row * len(self._persons) + self._of[face], out) | ~self._trusted[face]] = -2
                    nearer = (alike > best[row]) | ((alike == best[row]) & (face < other[row]))
                    best[row[nearer]], other[row[nearer]] = alike[nearer], face[nearer]
        rows = np.flatnonzero(best > -2)
        return rows, other[rows], best[rows]

    def _ruled_out(self, pairs: Set[tuple[int, int]]) -> Indexes:
        """Pairs of row and person as one number each."""
        number = {int(label): at for at, label in enumerate(self._persons)}
        keys = [row * len(self._persons) + number[label] for row, label in pairs if label in number]
        return np.array(sorted(keys), np.int64)
