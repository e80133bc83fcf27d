"""The two faces of each cluster that are least alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from scipy.special import expit

from annotation.clustering.centroids import centroids
from annotation.clustering.farthest import farthest_pairs
from annotation.clustering.prior_odds import log_prior_odds
from foundation.progress import Progress
from mining.strategies.base import Candidates, Question, Strategy
from mining.strategies.options import Option
from mining.strategies.persons import most_alike
from mining.strategies.pool import Bool, Int, Pool
from mining.strategies.weighing import Float64, Parties


@dataclass(frozen=True)
class Widest(Candidates):
    """Candidates and what was found about each.

    Attributes:
        sides: the rows of the faces that are nearer to the first of the two, and those nearer to the second.
        alike: (m,) similarity of the two faces.
        two: (m,) how likely the sides are two people.
        clusters: (m,) the number of the cluster.
    """

    sides: list[tuple[Int, Int]]
    alike: Float64
    two: Float64
    clusters: Int


class WidestPairs(Strategy):
    """Shows the widest pair of each cluster, which is what complete linkage goes by: does it hold one person?

    Value: faces that would leave times the probability that they are somebody else. Those are the faces nearer to that
    end of the pair with fewer of them; how likely, their means say, as in `mixed_people`, which cuts people where
    they differ most and asks only of those where two people are the likelier story. Left out: pairs on which people
    have spoken, and those of which people put both faces on the person. Compares all faces of a cluster with all.
    """

    name = "widest_pairs"
    title = "Widest pairs of clusters"
    asks = "pair"
    options = (
        Option("faces", "wholes", (2, 5_000), "Clusters of so many faces are looked at.", low=2, high=100_000),
        Option("similarity", "numbers", (-1.0, 1.0), "How alike the two faces may be.", low=-1, high=1),
    )

    def find(self, pool: Pool, progress: Progress) -> Candidates:
        cluster = pool.cluster
        groups = [] if cluster is None else _groups(pool, cluster, *self.chosen["faces"])
        if cluster is None or not groups:
            return Candidates.none(pool.threshold)
        order = np.concatenate(groups)
        sizes = np.array([len(group) for group in groups])
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        number = np.arange(len(groups))
        pairs, distance = farthest_pairs(pool.vectors, order, starts, np.stack([number, number], axis=1))
        alike = 1 - distance.astype(np.float64)
        of = np.repeat(number, sizes)
        second = _nearer_to_second(pool, order, pairs[of])
        fewer = np.bincount(of[second], minlength=len(groups)) * 2 < sizes  # are at the second end: it goes first
        second ^= fewer[of]
        pairs[fewer] = pairs[fewer][:, ::-1]
        few = sizes - np.bincount(of[second], minlength=len(groups))
        two = _two(pool, order, of, second, sizes)
        low, high = self.chosen["similarity"]
        asked = np.flatnonzero(~_known(pool, pairs) & (alike >= low) & (alike <= high))
        sides = np.split(second, starts[1:-1])
        halves = [(group[~side], group[side]) for group, side in zip(groups, sides, strict=True)]
        progress(len(order), len(order))
        return Widest(
            rows=pairs[asked],
            value=(few * two)[asked].astype(np.float32),
            considered=alike.astype(np.float32),
            mark=pool.threshold,
            sides=[halves[at] for at in asked.tolist()],
            alike=alike[asked],
            two=two[asked],
            clusters=cluster[pairs[asked, 0]],
        )

    def ask(self, pool: Pool, found: Candidates, at: int) -> Question:
        widest = cast(Widest, found)
        a, b = widest.rows[at].tolist()
        alike, two = float(widest.alike[at]), float(widest.two[at])
        few, many = (len(side) for side in widest.sides[at])
        return Question(
            faces=(int(pool.face_ids[a]), int(pool.face_ids[b])),
            identities=(int(pool.identity[a]),),
            value=float(widest.value[at]),
            settles=few,
            why=f"{alike:.2f} between the two least alike of {few + many} faces of {pool.call(a)}: {few} are nearer to "
            f"the first. {two:.0%} likely to be two people.",
            evidence={
                "cluster": int(widest.clusters[at]),
                "widest_similarity": round(alike, 4),
                "two_people": round(two, 4),
                "sides": [
                    pool.face_ids[most_alike(pool.vectors, row, side)].tolist()
                    for row, side in zip((a, b), widest.sides[at], strict=True)
                ],
            },
            reason="less alike than strangers" if alike < pool.strangers else "more alike than strangers",
        )


def _groups(pool: Pool, cluster: Int, fewest: int, most: int) -> list[Int]:
    """The rows of each cluster that bear one person, rising, of clusters of so many such faces."""
    rows = np.flatnonzero((cluster >= 0) & (pool.identity >= 0))
    if not len(rows):
        return []
    rows = rows[np.lexsort((rows, pool.identity[rows], cluster[rows]))]
    keys = np.stack([cluster[rows], pool.identity[rows]], axis=1)
    parts = np.split(rows, np.flatnonzero(np.any(np.diff(keys, axis=0) != 0, axis=1)) + 1)
    return [part for part in parts if fewest <= len(part) <= most]


def _nearer_to_second(pool: Pool, order: Int, ends: Int) -> Bool:
    """(n,) whether each row is more like the second end (n, 2) of its group; the ends are their own."""
    to_first, to_second = (np.einsum("ij,ij->i", pool.vectors[order], pool.vectors[ends[:, end]]) for end in (0, 1))
    second = to_second > to_first
    second[order == ends[:, 0]] = False
    second[order == ends[:, 1]] = True
    return np.asarray(second)


def _two(pool: Pool, order: Int, of: Int, second: Bool, sizes: Int) -> Float64:
    """(k,) how likely both sides of each group are two people; one of n faces can be cut at n - 1 places."""
    parties = Parties(pool)
    middles = centroids(pool.vectors[order], 2 * of + second)
    owners = parties.of[order[np.searchsorted(of, np.arange(len(sizes)))]]
    found = parties.between.compare(middles, np.repeat(owners, 2), np.arange(2 * len(sizes)).reshape(-1, 2))
    score = -found.evidence - np.log(sizes - 1)
    return np.asarray(expit(score + log_prior_odds(score)), np.float64)


def _known(pool: Pool, pairs: Int) -> Bool:
    """(k,) whether people tied or told apart the two, put both on the person, or took one from there."""
    told = {tuple(sorted(pair)) for pair in [*pool.apart.tolist(), *pool.together.tolist()]}
    said = np.array([tuple(sorted(pair)) in told for pair in pairs.tolist()], np.bool_)
    taken = [row for row, person in pool.rejected if person == pool.identity[row]]
    return np.asarray(said | pool.human[pairs].all(axis=1) | np.isin(pairs, taken).any(axis=1))
