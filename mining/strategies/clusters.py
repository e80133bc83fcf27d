"""Clusters that nobody has confirmed yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from annotation.clustering import Thresholds, weakest_parts
from annotation.clustering.answered import SLIPS
from foundation.progress import Progress
from mining.strategies.base import Candidates, Question, Strategy
from mining.strategies.expectations import expected_of_strangers
from mining.strategies.persons import Hearts, hearts, similarity_to
from mining.strategies.pool import Float, Int, Pool

Float64 = NDArray[np.float64]

LEAST = 2  # faces; one alone is nobody's cluster
PROPOSALS = 9  # as many as there are number keys
EXACT = 512  # faces up to which all pairs are compared; beyond, the weakest ones are compared with all
WEAKEST = 64


@dataclass(frozen=True)
class Groups(Candidates):
    """Candidates, and what was found about each.

    Attributes:
        members: of each candidate, the rows of its faces that bear the cluster's person.
        widest: (m, 2) rows of the two faces that are least alike.
        centres: (m, d) unit centroids.
        figures: (m, 3) similarity of the weakest face to the others' centroid, of the widest pair, and the doubt.
        clusters: (m,) the number of the cluster.
        named: people with a name, to propose.
    """

    members: list[Int]
    widest: Int
    centres: Float
    figures: Float
    clusters: Int
    named: Hearts


class Clusters(Strategy):
    """Asks whether all faces of a cluster are one person.

    Value: faces that the answer can be expected to put right, as for a pair that holds the cluster together
    (`annotation.clustering.questions`), times the share of its faces that nobody confirmed. Where the same run asks
    about such a pair, which takes less time, it is what the grid can be expected to tell beyond that.
    """

    name = "clusters"
    title = "Clusters to confirm"
    asks = "cluster"
    weighs_pairs_beside = True

    def find(self, pool: Pool, progress: Progress) -> Candidates:
        cluster = pool.cluster
        members = [] if cluster is None else _groups(pool, cluster)
        if cluster is None or not members:
            return Candidates.none(pool.threshold)
        rows = np.concatenate(members)
        of = np.repeat(np.arange(len(members)), [len(group) for group in members])
        people = hearts(pool.vectors[rows], of)
        weakest = similarity_to_others(pool.vectors[rows], people)
        starts = np.concatenate([[0], np.cumsum(people.sizes)[:-1]]).astype(np.int64)
        low = np.minimum.reduceat(weakest, starts)
        pairs = [
            widest_pair(pool.vectors[group], weakest[at : at + len(group)])
            for group, at in zip(members, starts, strict=True)
        ]
        widest = np.array([group[list(pair)] for group, pair in zip(members, pairs, strict=True)], np.int64)
        wide = np.einsum("ij,ij->i", pool.vectors[widest[:, 0]], pool.vectors[widest[:, 1]])
        doubt, worth = _doubt(pool, members)
        unconfirmed = np.array([(~pool.human[group]).mean() for group in members])
        labelled = np.flatnonzero(np.isin(pool.identity, list(pool.names)))
        progress(len(rows), len(rows))
        return Groups(
            rows=np.stack([rows[people.medoid], rows[starts + _first_of_each(weakest, starts, low)]], axis=1),
            value=(worth * unconfirmed).astype(np.float32),
            considered=low.astype(np.float32),
            mark=pool.threshold,
            members=members,
            widest=widest,
            centres=people.centres,
            figures=np.stack([low, wide, doubt], axis=1).astype(np.float32),
            clusters=cluster[[group[0] for group in members]],
            named=named_people(pool, labelled),
        )

    def ask(self, pool: Pool, found: Candidates, at: int) -> Question:
        groups = cast(Groups, found)
        group, medoid = groups.members[at], int(found.rows[at, 0])
        weakest, widest, doubt = (round(float(value), 4) for value in groups.figures[at])
        confirmed = int(pool.human[group].sum())
        already = f", {confirmed} of them confirmed" if confirmed else ""
        return Question(
            faces=tuple(dict.fromkeys(pool.face_ids[[medoid, *groups.widest[at]]].tolist())),
            identities=(int(pool.identity[medoid]),),
            value=float(found.value[at]),
            settles=len(group) - confirmed,
            why=f"{len(group)} faces of {pool.call(medoid)}{already}; the weakest has {weakest:.2f} to the others, the "
            f"widest pair {widest:.2f}; {pool.threshold:.2f} would join them.",
            evidence={
                "cluster": int(groups.clusters[at]),
                "faces": len(group),
                "confirmed": confirmed,
                "medoid": int(pool.face_ids[medoid]),
                "widest": pool.face_ids[groups.widest[at]].tolist(),
                "weakest_similarity": weakest,
                "widest_similarity": widest,
                "doubt": doubt,
                "proposals": proposals(pool, groups.named, group, groups.centres[at], int(pool.identity[medoid])),
            },
        )


def _groups(pool: Pool, cluster: Int) -> list[Int]:
    """Rows of each cluster that bear one person, two or more with one that nobody confirmed; rows rise in each.

    Left out: those in which people have told two faces apart.
    """
    rows = np.flatnonzero((cluster >= 0) & (pool.identity >= 0))
    ruled_out = [row for row, person in pool.rejected if person == pool.identity[row]]
    rows = rows[~np.isin(rows, ruled_out)]
    if not len(rows):
        return []
    rows = rows[np.lexsort((rows, pool.identity[rows], cluster[rows]))]
    keys = np.stack([cluster[rows], pool.identity[rows]], axis=1)
    parts = np.split(rows, np.flatnonzero(np.any(np.diff(keys, axis=0) != 0, axis=1)) + 1)
    of = np.full(len(cluster), -1, np.int64)
    of[rows] = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    a, b = of[pool.apart].T
    mixed = set(a[a == b].tolist())
    worth = [number not in mixed and len(part) >= LEAST for number, part in enumerate(parts)]
    return [part for part, asked in zip(parts, worth, strict=True) if asked and not pool.human[part].all()]


def similarity_to_others(vectors: Float, people: Hearts) -> Float:
    """(n,) cosine similarity of each row to the centroid of the others of its person."""
    lengths = (people.lengths * people.sizes)[people.of]
    own = similarity_to(vectors, people.centres, people.of) * lengths
    rest = np.sqrt(np.maximum(lengths**2 - 2 * own + 1, 1e-12))
    return np.asarray((own - 1) / rest, np.float32)


def widest_pair(vectors: Float, weakest: Float) -> tuple[int, int]:
    """The two rows that are least alike."""
    few = np.arange(len(vectors)) if len(vectors) <= EXACT else np.argsort(weakest, kind="stable")[:WEAKEST]
    a, b = np.unravel_index(int((vectors[few] @ vectors.T).argmin()), (len(few), len(vectors)))
    first = int(few[a])
    return (first, int(b)) if first != b else (0, 1)  # faces that are all the same


def _first_of_each(values: Float, starts: Int, lowest: Float) -> Int:
    """(m,) where in each stretch of `values` its lowest one stands first."""
    ends = [*starts[1:].tolist(), len(values)]
    return np.array(
        [int(values[a:b].argmin()) for a, b, _ in zip(starts.tolist(), ends, lowest, strict=True)], np.int64
    )


def _doubt(pool: Pool, members: list[Int]) -> tuple[Float64, Float64]:
    """(m,) each: how likely a group is two people, and how many faces the answer can be expected to put right."""
    parties = np.unique(pool.parties(), return_inverse=True)[1]
    labels, first = parties.astype(np.int64), len(parties)
    for number, group in enumerate(members):
        labels[group] = first + number
    strangers = expected_of_strangers(pool, pool.vectors, parties)
    thresholds = Thresholds(1 - pool.threshold, pool.threshold, pool.strangers)
    doubt, worth = np.zeros((2, len(members)))
    # Beside what pairs do not tell: that one of their answers is a slip, which stands out among the other faces.
    told = np.concatenate([pool.tied, pool.beside])
    slips = [(told[:0], SLIPS / (1 - SLIPS))] if len(told) else []
    for tied, odds in [(told, 1.0), *slips]:
        found = weakest_parts(pool.vectors, labels, thresholds, tied=tied, impostors=strangers)
        found = found.take(found.clusters[:, 0] >= first)
        asked, two = found.clusters[:, 0] - first, 1 - found.same
        left = two * odds / (two * odds + found.same)
        doubt[asked] = np.maximum(doubt[asked], left)
        worth[asked] = np.maximum(worth[asked], found.value * left / np.maximum(two, 1e-12))
    return doubt, worth


def named_people(pool: Pool, rows: Int) -> Hearts:
    """The hearts of people who have a name; medoids are rows of the pool."""
    found = hearts(pool.vectors[rows], pool.identity[rows])
    return Hearts(
        found.persons, found.of, found.sizes, rows[found.medoid], rows[found.second], found.centres, found.lengths
    )


def proposals(
    pool: Pool, named: Hearts, group: Int, centre: Float, own: int, least: float | None = None
) -> list[dict[str, Any]]:
    """Named people whom the rows of a group may show, most similar first, and not the group's `own` person: those of
    similarity `least` and above, or else nearer to where clusters merge than to strangers."""
    photos, inside = set(pool.photo_ids[group].tolist()), set(group.tolist())
    ruled_out = {person for row, person in pool.rejected if row in inside} | {own}
    alike = named.centres @ centre
    least = (pool.threshold + pool.strangers) / 2 if least is None else least
    found: list[dict[str, Any]] = []
    for number in np.argsort(-alike, kind="stable").tolist():
        if len(found) == PROPOSALS or alike[number] < least:
            break
        person = int(named.persons[number])
        theirs = np.setdiff1d(np.flatnonzero(pool.identity == person), group)
        if person in ruled_out or not photos.isdisjoint(pool.photo_ids[theirs].tolist()):
            continue
        face = int(pool.face_ids[named.medoid[number]])
        found.append({"identity": person, "face": face, "similarity": round(float(alike[number]), 4)})
    return found
