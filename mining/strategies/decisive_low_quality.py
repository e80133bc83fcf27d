"""Poor faces that decide whether two people are joined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from annotation.clustering.centroids import Centroids
from foundation.progress import Progress
from mining.strategies.base import Candidates, Question, Strategy
from mining.strategies.options import Option
from mining.strategies.pool import Bool, Int, Pool
from mining.strategies.weighing import Float64, Parties, joining_similarity

NEIGHBOURS = 4  # of each person with a poor face

HOLD, PART, ONLY = "poor faces hold them together", "poor faces keep them apart", "one side has poor faces only"
REASONS = (HOLD, PART, ONLY)


@dataclass(frozen=True)
class Decisive(Candidates):
    """Candidates and what was found about each.

    Attributes:
        sizes: (m, 2) faces of both.
        alike: (m,) similarity of their means, as clustering has it.
        clear: (m,) the same without the poor faces, NaN where a side has no others.
        same: (m,) how likely they are one person.
        reason: (m,) which of `REASONS`.
    """

    sizes: Int
    alike: Float64
    clear: Float64
    same: Float64
    reason: Int


class DecisiveLowQuality(Strategy):
    """Compares people with and without their poor faces: where that changes whether clustering would join them, those
    faces decide, and they are what it knows least about.

    Value: faces of the smaller side times the probability that they are one person. Shown is the poor face that weighs
    most, beside a clear and typical one of the other side. Sides of nothing but poor faces count where their similarity
    leaves doubt. Left out: pairs on which people have spoken, and those who share a photo.
    """

    name = "decisive_low_quality"
    title = "Poor faces that decide a join"
    asks = "pair"
    options = (
        Option("share", "number", 0.25, "The faces of lowest quality: so large a share of all.", low=0.01, high=0.9),
    )

    def find(self, pool: Pool, progress: Progress) -> Candidates:
        if pool.quality is None or not len(pool.face_ids):
            return Candidates.none(pool.threshold)
        poor = np.asarray(pool.quality <= np.quantile(pool.quality, self.chosen["share"]), np.bool_)
        parties = Parties(pool)
        near = parties.nearest(np.unique(parties.of[poor]), NEIGHBOURS)
        pairs = np.unique(np.sort(near, axis=1), axis=0)
        pairs = parties.smaller_first(pairs[~parties.settled(pairs)])
        if not len(pairs):
            return Candidates.none(pool.threshold)
        alike, clear = parties.alike(pairs), _without(pool, parties, pairs, poor)
        joined, doubtful = alike >= pool.threshold, np.abs(alike - pool.threshold) <= pool.band
        reason = np.where(np.isnan(clear), 2, np.where(joined, 0, 1))
        decided = np.where(np.isnan(clear), doubtful, joined != (clear >= pool.threshold))
        same = parties.same(pairs)
        asked = np.flatnonzero(decided)
        sizes = parties.middles.sizes[pairs]
        rows = [_shown(pool, parties, pairs[at], poor, REASONS[reason[at]]) for at in asked.tolist()]
        progress(len(pairs), len(pairs))
        return Decisive(
            rows=np.array(rows, np.int64).reshape(-1, 2),
            value=(sizes[:, 0] * same)[asked].astype(np.float32),
            considered=alike.astype(np.float32),
            mark=pool.threshold,
            sizes=sizes[asked],
            alike=alike[asked],
            clear=clear[asked],
            same=same[asked],
            reason=reason[asked],
        )

    def ask(self, pool: Pool, found: Candidates, at: int) -> Question:
        decisive = cast(Decisive, found)
        a, b = decisive.rows[at].tolist()
        (few, many), alike, same = decisive.sizes[at].tolist(), float(decisive.alike[at]), float(decisive.same[at])
        clear, reason = float(decisive.clear[at]), REASONS[decisive.reason[at]]
        without = "" if np.isnan(clear) else f", {clear:.2f} without poor faces"
        return Question(
            faces=(int(pool.face_ids[a]), int(pool.face_ids[b])),
            identities=tuple(person for person in pool.identity[[a, b]].tolist() if person >= 0),
            value=float(decisive.value[at]),
            settles=few,
            why=f"{alike:.2f} between {pool.call(a)} ({few}) and {pool.call(b)} ({many}){without}; "
            f"{pool.threshold:.2f} would join them. {same:.0%} likely to be one person.",
            evidence={
                "means": round(alike, 4),
                "clear": None if np.isnan(clear) else round(clear, 4),
                "threshold": pool.threshold,
                "same": round(same, 4),
                "quality": [] if pool.quality is None else [round(float(pool.quality[row]), 3) for row in (a, b)],
            },
            reason=reason,
        )


def _without(pool: Pool, parties: Parties, pairs: Int, poor: Bool) -> Float64:
    """(m,) similarity of the means of what is not poor; NaN where a side has no such face."""
    rows, count = np.flatnonzero(~poor), len(parties.numbers)
    sums = np.zeros((count, pool.vectors.shape[1]))
    np.add.at(sums, parties.of[rows], pool.vectors[rows])
    sizes = np.bincount(parties.of[rows], minlength=count)
    norms = np.maximum(np.linalg.norm(sums, axis=1), 1e-12)
    middles = Centroids((sums / norms[:, None]).astype(np.float32), sizes, norms / np.maximum(sizes, 1))
    both = (sizes[pairs] > 0).all(axis=1)
    found = np.full(len(pairs), np.nan)
    found[both] = joining_similarity(pool, middles, pairs[both])
    return found


def _shown(pool: Pool, parties: Parties, pair: Int, poor: Bool, reason: str) -> tuple[int, int]:
    """A row of each side: the poor face that weighs most, and the other side's typical one."""
    sides = [parties.rows(int(party)) for party in pair]
    best: tuple[float, int, int] | None = None
    for side in (0, 1):
        rows = sides[side][poor[sides[side]]]
        if not len(rows):
            continue
        toward = pool.vectors[rows] @ parties.middles.directions[pair[1 - side]]
        weight = -toward if reason == PART else toward
        at = int(weight.argmax())
        if best is None or float(weight[at]) > best[0]:
            best = float(weight[at]), side, int(rows[at])
    shown = parties.shown[pair].tolist()
    if best is not None:
        shown[best[1]] = best[2]
    return shown[0], shown[1]
