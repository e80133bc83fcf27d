"""How well a clustering agrees with the truth, and how many faces decisions have settled: exact, from the contingency
table, linear in the number of faces but for sorting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from annotation.clustering.vectors import Indexes, check_labels
from foundation.errors import InvalidInput


@dataclass(frozen=True)
class Score:
    """Precision, recall and their harmonic mean, 0 to 1."""

    precision: float
    recall: float

    @property
    def f(self) -> float:
        """2PR / (P + R); 0 where both are 0."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


@dataclass(frozen=True)
class Agreement:
    """Measures of n faces' labels against the truth.

    Attributes:
        faces, clusters, identities: what was counted.
        bcubed: means over faces (Bagga and Baldwin 1998; Amigo et al. 2009).
        pairwise: over pairs of faces; 1 where there is no pair to be wrong about.
        purity: share of faces in the majority identity of their cluster.
        nmi: mutual information over the mean of both entropies; 1 where both are a single cluster.
    """

    faces: int
    clusters: int
    identities: int
    bcubed: Score
    pairwise: Score
    purity: float
    nmi: float


def agreement(
    labels: npt.NDArray[np.integer], truth: npt.NDArray[np.integer], mask: npt.NDArray[np.bool_] | None = None
) -> Agreement:
    """Compares labels (n,) with true identities (n,).

    Label -1 on either side is a face that stands alone. `mask` (n,) picks the faces that count; the others are taken
    out of both sides before anything is counted. No faces at all agree perfectly.
    """
    n = len(labels)
    predicted = _alone(check_labels(labels, n))
    actual = _alone(check_labels(truth, n, "truth"))
    if mask is not None:
        predicted, actual = predicted[mask], actual[mask]
    table = _Contingency(predicted, actual)
    return Agreement(
        faces=len(predicted),
        clusters=len(table.rows),
        identities=len(table.columns),
        bcubed=_bcubed(table),
        pairwise=_pairwise(table),
        purity=_purity(table),
        nmi=_nmi(table),
    )


@dataclass(frozen=True)
class Settling:
    """What decisions did to faces whose person is known.

    Attributes:
        settled: faces that were wrong before and are right after.
        unsettled: faces that were right before and are wrong after.
        decisions: that were made between.
    """

    settled: int
    unsettled: int
    decisions: int

    @property
    def per_decision(self) -> float:
        """Faces settled per decision, those unsettled taken off; 0 where nothing was decided."""
        return (self.settled - self.unsettled) / self.decisions if self.decisions else 0.0


def settling(
    before: npt.NDArray[np.integer],
    after: npt.NDArray[np.integer],
    truth: npt.NDArray[np.integer],
    *,
    decisions: int,
) -> Settling:
    """Faces settled per decision, from two labellings (n,) and the true or confirmed identities (n,).

    A face is right if its cluster stands for its identity. Clusters stand for at most one identity and identities have
    at most one cluster, matched by falling overlap (ties: the cell whose first face comes first). So to merge 10 faces
    into their person's cluster of 30 settles 10, to take 5 strangers out of a cluster settles these 5.

    Label -1 before or after is a face that stands alone; one whose identity is -1 doesn't count.

    Raises:
        InvalidInput: unless all have one integer for each face, or for a negative number of decisions.
    """
    n = len(truth)
    if decisions < 0:
        raise InvalidInput(f"There can't be {decisions} decisions.", code="bad_decisions")
    actual = check_labels(truth, n, "truth")
    known = actual >= 0
    was, is_now = (
        _right(_alone(check_labels(labels, n, name))[known], actual[known])
        for labels, name in ((before, "before"), (after, "after"))
    )
    return Settling(int(np.sum(is_now & ~was)), int(np.sum(was & ~is_now)), decisions)


def _right(labels: Indexes, truth: Indexes) -> npt.NDArray[np.bool_]:
    """(n,) whether each face's cluster is the one that stands for its identity."""
    _, row = np.unique(labels, return_inverse=True)
    _, column = np.unique(truth, return_inverse=True)
    width = int(column.max(initial=0)) + 1
    keys, first, cell, sizes = np.unique(
        row * width + column, return_index=True, return_inverse=True, return_counts=True
    )
    matched = np.zeros(len(keys), np.bool_)
    clusters, identities = set[int](), set[int]()
    for at in np.lexsort((first, -sizes)).tolist():
        cluster, identity = divmod(int(keys[at]), width)
        if cluster not in clusters and identity not in identities:
            clusters.add(cluster)
            identities.add(identity)
            matched[at] = True
    return np.asarray(matched[cell])


class _Contingency:
    """Non-zero cells of the table of clusters (rows) by identities (columns), with their sums."""

    def __init__(self, predicted: Indexes, actual: Indexes) -> None:
        _, row = np.unique(predicted, return_inverse=True)
        _, column = np.unique(actual, return_inverse=True)
        width = int(column.max(initial=0)) + 1
        keys, self.cells = np.unique(row * width + column, return_counts=True)
        self.row, self.column = keys // width, keys % width
        self.rows, self.columns = np.bincount(row), np.bincount(column)
        self.total = len(predicted)


def _alone(labels: Indexes) -> Indexes:
    """Every -1 becomes a label of its own."""
    alone = np.flatnonzero(labels == -1)
    result = labels.copy()
    result[alone] = labels.max(initial=-1) + 1 + np.arange(len(alone))
    return result


def _bcubed(table: _Contingency) -> Score:
    if not table.total:
        return Score(1.0, 1.0)
    squares = table.cells.astype(np.float64) ** 2
    return Score(
        precision=float(np.sum(squares / table.rows[table.row]) / table.total),
        recall=float(np.sum(squares / table.columns[table.column]) / table.total),
    )


def _pairwise(table: _Contingency) -> Score:
    agreed, linked, true = (int(np.sum(c * (c - 1) // 2)) for c in (table.cells, table.rows, table.columns))
    return Score(precision=agreed / linked if linked else 1.0, recall=agreed / true if true else 1.0)


def _purity(table: _Contingency) -> float:
    if not table.total:
        return 1.0
    majority = np.zeros(len(table.rows), np.int64)
    np.maximum.at(majority, table.row, table.cells)
    return float(majority.sum() / table.total)


def _nmi(table: _Contingency) -> float:
    if len(table.rows) <= 1 and len(table.columns) <= 1:
        return 1.0
    p = table.cells / table.total
    p_row, p_column = table.rows / table.total, table.columns / table.total
    mutual = float(np.sum(p * np.log(p / (p_row[table.row] * p_column[table.column]))))
    entropies = -float(np.sum(p_row * np.log(p_row)) + np.sum(p_column * np.log(p_column)))
    return min(1.0, max(0.0, 2 * mutual / entropies))
