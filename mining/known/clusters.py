"""Grids of faces that people put on one person, some with a face of somebody else among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mining.known.candidates import Known, Made, confirmed, draw
from mining.strategies.base import Question
from mining.strategies.clusters import named_people, proposals, similarity_to_others, widest_pair
from mining.strategies.persons import Hearts, hearts
from mining.strategies.pool import Float, Int, Pool

TRIED, SMALL = 16, 200  # grids of each kind for one question; so many more faces in all, for small ones vary most
MOST = 1000  # faces in a grid, as many as are read at once
CROWD = 3000  # faces at random among which an intruder is looked for
NEAR = 10  # of these, those that fit best
SIZE, QUALITY = 0.1, 0.3  # weights of a doubling of the faces, and of their mean quality, against similarity


@dataclass(frozen=True)
class Look:
    """What is seen of a grid: medoid and widest pair as places in it, and the figures that mining gives."""

    medoid: int
    widest: tuple[int, int]
    weakest_similarity: float
    widest_similarity: float
    centre: Float

    @staticmethod
    def at(vectors: Float) -> Look:
        people = hearts(vectors, np.zeros(len(vectors), np.int64))
        weakest = similarity_to_others(vectors, people)
        a, b = widest_pair(vectors, weakest)
        wide = float(vectors[a] @ vectors[b])
        return Look(int(people.medoid[0]), (a, b), float(weakest.min()), wide, people.centres[0])


@dataclass(frozen=True)
class Grid(Made):
    """A made grid: its rows of the pool, whose it is, which of the rows are not, and which pass for confirmed ones."""

    rows: Int
    person: int
    out: Int
    ticked: Int
    look: Look


class People:
    """The faces that people put on somebody and that no question of the batch shows; those used up are taken off."""

    def __init__(self, pool: Pool, questions: Sequence[Question], rng: np.random.Generator) -> None:
        self.pool, self.rng = pool, rng
        rows = confirmed(pool)
        if pool.cluster is not None:
            rows = rows[~np.isin(pool.cluster[rows], [one.evidence["cluster"] for one in questions])]
        _, first = np.unique(np.stack([pool.identity[rows], pool.photo_ids[rows]], axis=1), axis=0, return_index=True)
        rows = rows[np.sort(first)]  # no person twice in one photo
        people = hearts(pool.vectors[rows], pool.identity[rows])
        self.persons, self.centres = people.persons, people.centres
        order = np.argsort(people.of, kind="stable")
        self.rows = np.split(rows[order], np.cumsum(people.sizes)[:-1]) if len(rows) else []
        self.counts = people.sizes.copy()
        self.crowd = rng.permutation(rows)[:CROWD]
        self.named = np.isin(self.persons, list(pool.names))

    def some(self, least: int, *, named: bool) -> int:
        """A person at random with so many faces, and a name if need be; -1 if there is none."""
        numbers = np.flatnonzero((self.counts >= max(least, 1)) & (self.named | (not named)))
        return int(self.rng.choice(numbers)) if len(numbers) else -1

    def pick(self, number: int, count: int, widest: float) -> Int:
        """So many of a person's faces: two about so similar, and of those that are more alike to both, some around
        one of them, now closely, now widely."""
        rows, vectors = self.rows[number], self.pool.vectors[self.rows[number]]
        one = int(self.rng.integers(len(rows)))
        alike = vectors @ vectors[one]
        gap = np.abs(alike - widest)
        gap[one] = np.inf
        two = int(gap.argmin())
        inner = np.minimum(alike, vectors @ vectors[two]) >= widest
        inner[[one, two]] = False
        order = np.lexsort((-alike, ~inner))
        order = order[(order != one) & (order != two)]
        around = count - 2 + int(self.rng.random() * max(int(inner.sum()) - count + 3, 1))
        return rows[[one, two, *self.rng.permutation(order[:around]).tolist()][:count]]

    def intruder(self, number: int, among: Int, similarity: float) -> int:
        """A face of somebody who clearly is another, about so similar to the mean of some faces; -1 for none."""
        pool, crowd = self.pool, self.crowd
        whose = np.searchsorted(self.persons, pool.identity[crowd])
        clear = self.centres[whose] @ self.centres[number] < pool.threshold - pool.band
        clear &= (whose != number) & ~np.isin(pool.photo_ids[crowd], pool.photo_ids[among])
        if not clear.any():
            return -1
        mean = pool.vectors[among].sum(axis=0)
        alike = pool.vectors[crowd] @ (mean / max(float(np.linalg.norm(mean)), 1e-6))
        wanted = similarity + float(self.rng.exponential(0.05))  # it need not be the weakest of all
        near = np.argsort(np.where(clear, np.abs(alike - wanted), np.inf), kind="stable")[:NEAR]
        return int(crowd[self.rng.choice(near[clear[near]])])

    def take(self, grid: Grid) -> None:
        """Show none of these faces again."""
        for number in np.unique(np.searchsorted(self.persons, self.pool.identity[grid.rows])).tolist():
            self.rows[number] = np.setdiff1d(self.rows[number], grid.rows)
            self.counts[number] = len(self.rows[number])
        self.crowd = np.setdiff1d(self.crowd, grid.rows)


def known_clusters(pool: Pool, questions: Sequence[Question], wanted: int, rng: np.random.Generator) -> list[Known]:
    """Up to `wanted` grids as large, as wide and of such quality as those asked about."""
    people, named = (
        People(pool, questions, rng),
        named_people(pool, np.flatnonzero(np.isin(pool.identity, [*pool.names]))),
    )
    shown = _shown(pool, questions)
    real = np.stack([_measure(pool, rows, Look.at(pool.vectors[rows])) for rows in shown])

    def make(like: int) -> list[Grid]:
        evidence = questions[like].evidence
        needs_name = questions[like].identities[0] in pool.names
        tries = range(TRIED + SMALL // int(evidence["faces"]))
        found = [_grid(people, evidence, mixed=mixed, named=needs_name) for mixed in (False, True) for _ in tries]
        return [one for one in found if one is not None and _faces(pool, one) not in pool.asked]

    chosen = draw(real, wanted, rng, make, people.take)
    return [Known(_question(pool, grid, questions[like], named), grid.gold, like) for grid, like in chosen]


def cluster_words(pool: Pool, questions: Sequence[Question]) -> list[str]:
    """The same words for real and known grids; nobody is named, for a known grid may be shown without its name."""
    words = []
    for one in (question.evidence for question in questions):
        already = f", {one['confirmed']} of them confirmed" if one["confirmed"] else ""
        fit = "they all fit well" if one["weakest_similarity"] >= pool.threshold else "the first ones fit least"
        words.append(f"{one['faces']} faces that look like one person{already}; {fit}.")
    return words


def _grid(people: People, evidence: dict[str, Any], *, mixed: bool, named: bool) -> Grid | None:
    """One that may be like the question with this evidence."""
    pool, size = people.pool, int(evidence["faces"])
    number = people.some(size - mixed, named=named) if size <= MOST and size > 2 * mixed else -1
    if number < 0:
        return None
    rows = people.pick(number, size - mixed, evidence["widest_similarity"])
    out = np.empty(0, np.int64)
    if mixed:
        other = people.intruder(number, rows, evidence["weakest_similarity"])
        if other < 0:
            return None
        out = np.array([other])
        rows = np.append(rows, other)
    look = Look.at(pool.vectors[rows])
    ticked = people.rng.permutation(np.setdiff1d(rows, out))[: min(evidence["confirmed"], size - 1 - mixed)]
    return Grid(
        _measure(pool, rows, look),
        "different" if mixed else "same",
        rows,
        int(people.persons[number]),
        out,
        ticked,
        look,
    )


def _measure(pool: Pool, rows: Int, look: Look) -> Float:
    """(6,): size, how alike the weakest face and the widest pair are, the captions' lowest and mean, quality."""
    captions = pool.vectors[rows] @ pool.vectors[rows[look.medoid]]
    alike = (look.weakest_similarity, look.widest_similarity, captions.min(), captions.mean())
    quality = 0.0 if pool.quality is None else float(pool.quality[rows].mean())
    return np.array([SIZE * np.log2(len(rows)), *alike, QUALITY * quality], np.float32)


def _shown(pool: Pool, questions: Sequence[Question]) -> list[Int]:
    """The rows of each cluster asked about."""
    cluster = np.full(len(pool.face_ids), -1, np.int64) if pool.cluster is None else pool.cluster
    order = np.argsort(cluster, kind="stable")
    wanted = [one.evidence["cluster"] for one in questions]
    starts, ends = (np.searchsorted(cluster[order], wanted, side).tolist() for side in ("left", "right"))
    found = []
    for question, start, end in zip(questions, starts, ends, strict=True):
        rows = order[start:end]
        found.append(rows[pool.identity[rows] == question.identities[0]])
    return found


def _faces(pool: Pool, grid: Grid) -> tuple[int, ...]:
    shown = grid.rows[[grid.look.medoid, *grid.look.widest]]
    return tuple(dict.fromkeys(pool.face_ids[shown].tolist()))


def _question(pool: Pool, grid: Grid, like: Question, named: Hearts) -> Question:
    """With a name, confirmed faces and proposals as far as the real one has them."""
    look, rows = grid.look, grid.rows
    similarity = pool.vectors[rows] @ pool.vectors[rows[look.medoid]]
    ticked = set(grid.ticked.tolist())
    nameless = grid.person in pool.names and like.identities[0] not in pool.names
    order = np.argsort(similarity, kind="stable").tolist()
    offered = _proposals(pool, grid, named, own_too=nameless)[: len(like.evidence["proposals"])]
    evidence = {
        "grid": [
            [int(pool.face_ids[rows[at]]), round(float(similarity[at]), 4), int(rows[at]) in ticked] for at in order
        ],
        "out": pool.face_ids[grid.out].tolist(),
        "nameless": [nameless],
        "person": grid.person,
        "faces": len(rows),
        "confirmed": len(ticked),
        "medoid": int(pool.face_ids[rows[look.medoid]]),
        "widest": pool.face_ids[rows[list(look.widest)]].tolist(),
        "weakest_similarity": round(look.weakest_similarity, 4),
        "widest_similarity": round(look.widest_similarity, 4),
        "proposals": offered,
    }
    return Question(_faces(pool, grid), (grid.person,), 0.0, len(rows) - len(ticked), "", evidence)


def _proposals(pool: Pool, grid: Grid, named: Hearts, *, own_too: bool) -> list[dict[str, Any]]:
    """As for a real cluster; with `own_too` as if the grid's faces bore no label yet."""
    own = np.flatnonzero(pool.identity == grid.person)
    rest = np.setdiff1d(own, grid.rows)
    if own_too and len(rest):
        theirs = hearts(pool.vectors[rest], np.zeros(len(rest), np.int64))
        at = named.persons == grid.person
        centres, medoid = named.centres.copy(), named.medoid.copy()
        centres[at], medoid[at] = theirs.centres[0], rest[theirs.medoid[0]]
        named = replace(named, centres=centres, medoid=medoid)
    own_person = -1 if own_too and len(rest) else grid.person
    return proposals(pool, named, grid.rows, grid.look.centre, own_person, least=-1.0)
