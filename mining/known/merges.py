"""Two rows of faces that people put on one person, or on two who look alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotation.clustering.centroids import centroids
from annotation.clustering.typical import typical
from mining.known.candidates import Known, Made, confirmed, draw
from mining.known.plain_words import how_alike
from mining.strategies.base import Question
from mining.strategies.merges import SEVERAL
from mining.strategies.persons import hearts
from mining.strategies.pool import Float, Int, Pool

TRIED = 32  # of each kind for one question
PAIRS = 2000  # of people who look alike, among whom to choose
NEAR = 20  # of these, those that fit best
SHOWN = 12  # faces in a row
SIZE, TIGHT = 0.15, 0.5  # weights of a full row, and of how tightly the faces of a side lie, against similarity


@dataclass(frozen=True)
class Rows(Made):
    """Two sides as rows of the pool, and the row that shows each, as pairs are shown."""

    sides: tuple[Int, Int]
    shown: tuple[int, int]


class People:
    """Whom people have given several faces, without those `shown` and those used up; `alike` are numbers of two who
    are clearly two, though they look alike."""

    def __init__(self, pool: Pool, shown: Int, rng: np.random.Generator) -> None:
        self.pool, self.rng = pool, rng
        rows = np.setdiff1d(confirmed(pool), shown)
        people = hearts(pool.vectors[rows], pool.identity[rows])
        order = np.argsort(people.of, kind="stable")
        self.rows = np.split(rows[order], np.cumsum(people.sizes)[:-1]) if len(rows) else []
        self.persons, self.centres, self.sizes = people.persons, people.centres, people.sizes.copy()
        self.alike = self._alike()

    def _alike(self) -> Int:
        """(m, 2): the nearest of those whom people told apart, or who lie well below what joins people."""
        pool = self.pool
        several = np.sort(self.rng.permutation(np.flatnonzero(self.sizes >= SEVERAL))[:PAIRS])
        like = self.centres[several] @ self.centres[several].T
        clear = like < pool.threshold - pool.band
        place = {person: at for at, person in enumerate(self.persons[several].tolist())}
        for a, b in pool.identity[pool.apart].tolist():
            if a in place and b in place:
                clear[place[a], place[b]] = clear[place[b], place[a]] = True
        np.fill_diagonal(clear, False)
        first, second = np.nonzero(clear)
        nearest = np.argsort(-like[first, second], kind="stable")[: 2 * PAIRS]
        self.similarity = like[first[nearest], second[nearest]]
        return np.stack([several[first[nearest]], several[second[nearest]]], axis=1)

    def one(self, sizes: tuple[int, int], similarity: float) -> tuple[Int, Int] | None:
        """Two parts of one person, now far apart, now mingled."""
        numbers = np.flatnonzero(self.sizes >= sum(sizes))
        if not len(numbers):
            return None
        rows = self.rows[int(self.rng.choice(numbers))]
        alike = self.pool.vectors[rows] @ self.pool.vectors[self.rng.choice(rows)]
        towards = self.pool.vectors[rows[alike.argmin()]] - self.pool.vectors[rows[alike.argmax()]]
        order = rows[np.argsort(self._mingled(self.pool.vectors[rows] @ towards), kind="stable")]
        return order[: sizes[0]], order[len(order) - sizes[1] :]

    def two(self, sizes: tuple[int, int], similarity: float) -> tuple[Int, Int] | None:
        """Faces of two people about so similar, now those that are most alike, now any."""
        there = np.flatnonzero((self.sizes[self.alike] >= sizes).all(axis=1))
        if not len(there):
            return None
        wanted = similarity + self.rng.uniform(-0.05, 0.25)  # the means of few faces are less alike
        near = np.argsort(np.abs(self.similarity[there] - wanted), kind="stable")[:NEAR]
        a, b = self.alike[there[self.rng.choice(near)]].tolist()
        return self._facing(a, b, sizes[0]), self._facing(b, a, sizes[1])

    def take(self, used: Rows) -> None:
        """Show none of these faces again."""
        for side in used.sides:
            for number in np.unique(np.searchsorted(self.persons, self.pool.identity[side])).tolist():
                self.rows[number] = np.setdiff1d(self.rows[number], side)
                self.sizes[number] = len(self.rows[number])

    def _facing(self, number: int, other: int, count: int) -> Int:
        rows = self.rows[number]
        towards = self.pool.vectors[rows] @ self.centres[other]
        return np.asarray(rows[np.argsort(-self._mingled(towards), kind="stable")[:count]], np.int64)

    def _mingled(self, along: Float) -> Float:
        noise = self.rng.normal(0, max(float(along.std()), 1e-6), len(along))
        return np.asarray(along + noise * self.rng.uniform(0, 2), np.float32)


def known_merges(pool: Pool, questions: Sequence[Question], wanted: int, rng: np.random.Generator) -> list[Known]:
    """Up to `wanted` pairs of rows as long, as tight and as alike as those asked about."""
    sides = _sides(pool, questions)
    people = People(pool, np.concatenate([side for one in sides for side in one]), rng)
    real = np.stack([_measure(pool, one) for one in sides])

    def make(like: int) -> list[Rows]:
        a, b = (min(len(side), SHOWN) for side in sides[like])
        alike = float(real[like][0])
        found = [
            (gold, of((a, b), alike))
            for gold, of in (("same", people.one), ("different", people.two))
            for _ in range(TRIED)
        ]
        rows = [_rows(pool, gold, two) for gold, two in found if two is not None]
        return [one for one in rows if _passes(pool, one)]

    chosen = draw(real, wanted, rng, make, people.take)
    return [Known(_question(pool, one), one.gold, like) for one, like in chosen]


def merge_words(pool: Pool, questions: Sequence[Question]) -> list[str]:
    """The same words for real and known ones; nobody is named, for both rows may bear one name."""
    alike = [float(_measure(pool, sides)[0]) for sides in _sides(pool, questions)]
    return [f"These two rows {how_alike(pool, one)}." for one in alike]


def _sides(pool: Pool, questions: Sequence[Question]) -> list[tuple[Int, Int]]:
    """The rows of both sides of each."""
    order = np.argsort(pool.identity, kind="stable")
    known = pool.identity[order]

    def of(question: Question, at: int) -> Int:
        if "sides" in question.evidence:
            return np.asarray(np.searchsorted(pool.face_ids, question.evidence["sides"][at]), np.int64)
        person = question.identities[at]
        return np.sort(order[np.searchsorted(known, person) : np.searchsorted(known, person, "right")])

    return [(of(question, 0), of(question, 1)) for question in questions]


def _measure(pool: Pool, sides: tuple[Int, Int]) -> Float:
    """(5,): how alike the means are, how tight and how long the sides."""
    means = [pool.vectors[side].mean(axis=0) for side in sides]
    lengths = [max(float(np.linalg.norm(mean)), 1e-6) for mean in means]
    alike = float(means[0] @ means[1]) / (lengths[0] * lengths[1])
    # Of the faces among each other, so that it does not hang on how many there are.
    tight = [(len(s) * length**2 - 1) / max(len(s) - 1, 1) for s, length in zip(sides, lengths, strict=True)]
    shown = [min(len(side), SHOWN) / SHOWN for side in sides]
    return np.array([alike, *(TIGHT * one for one in tight), *(SIZE * one for one in shown)], np.float32)


def _rows(pool: Pool, gold: str, sides: tuple[Int, Int]) -> Rows:
    a, b = (int(side[_typical(pool, side)]) for side in sides)
    return Rows(_measure(pool, sides), gold, sides, (a, b))


def _typical(pool: Pool, side: Int) -> int:
    vectors, of = pool.vectors[side], np.zeros(len(side), np.int64)
    quality = None if pool.quality is None else pool.quality[side]
    return int(typical(vectors, of, centroids(vectors, of), quality)[0])


def _passes(pool: Pool, one: Rows) -> bool:
    """Whether no near-duplicates are on both sides, and the same was not asked before."""
    a, b = one.sides
    asked = tuple(pool.face_ids[list(one.shown)].tolist()) in pool.asked
    return not asked and not np.intersect1d(pool.groups[a], pool.groups[b]).size


def _question(pool: Pool, one: Rows) -> Question:
    rows = list(one.shown)
    sides = [pool.face_ids[np.sort(side)].tolist() for side in one.sides]
    people = tuple(pool.identity[rows].tolist())
    return Question(tuple(pool.face_ids[rows].tolist()), people, 0.0, 0, "", {"sides": sides})
