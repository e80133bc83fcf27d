"""Two faces that people put on one person, or on two who could not be taken for each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mining.known.candidates import Asked, Candidates, choose, confirmed, rows_of
from mining.strategies.base import Question
from mining.strategies.persons import SHOWN, hearts, most_alike
from mining.strategies.pool import Float, Int, Pool

TRIED = 2000  # pairs of each kind
NEAREST = 8  # faces of others tried for each


def known_pairs(pool: Pool, questions: Sequence[Question], wanted: int, rng: np.random.Generator) -> list[Asked]:
    """Up to `wanted` pairs as alike as the pairs asked about."""
    same, different = _same(pool, rng), _different(pool, rng)
    rows = np.concatenate([same, different])
    answers = ["same"] * len(same) + ["different"] * len(different)
    real = _alike(pool, rows_of(pool, [question.faces[:2] for question in questions]))
    chosen = choose(pool, Candidates(rows, _alike(pool, rows), answers), real, wanted, rng)
    return [Asked(_question(pool, *rows[at].tolist()), answers[at]) for at in chosen]


def pair_words(pool: Pool, questions: Sequence[Question]) -> list[str]:
    """The same words for real and known pairs."""
    alike = _alike(pool, rows_of(pool, [question.faces[:2] for question in questions])).tolist()
    return [f"The two faces are {one:.2f} alike; people are joined from {pool.threshold:.2f} on." for one in alike]


def _same(pool: Pool, rng: np.random.Generator) -> Int:
    rows = confirmed(pool)
    first = rng.permutation(rows)[:TRIED]
    persons = pool.identity[rows]
    starts, ends = (np.searchsorted(persons, pool.identity[first], side) for side in ("left", "right"))
    second = rows[starts + (rng.random(len(first)) * (ends - starts)).astype(np.int64)]
    return _no_copies(pool, np.stack([first, second], axis=1))


def _different(pool: Pool, rng: np.random.Generator) -> Int:
    """Each with the most alike faces of people whose faces, taken together, are far below what joins people."""
    rows = confirmed(pool)
    if not len(rows):
        return np.empty((0, 2), np.int64)
    people = hearts(pool.vectors[rows], pool.identity[rows])
    first, second = rng.permutation(len(rows))[: TRIED // NEAREST], rng.permutation(len(rows))[:TRIED]
    alike = pool.vectors[rows[first]] @ pool.vectors[rows[second]].T
    centres = people.centres[people.of[first]] @ people.centres[people.of[second]].T
    clear = (centres < pool.threshold - pool.band) & (people.of[first][:, None] != people.of[second][None])
    nearest = np.argsort(np.where(clear, -alike, 2), axis=1, kind="stable")[:, :NEAREST]
    pairs = np.stack([np.repeat(rows[first], nearest.shape[1]), rows[second[nearest.ravel()]]], axis=1)
    return _no_copies(pool, pairs[np.take_along_axis(clear, nearest, axis=1).ravel()])


def _no_copies(pool: Pool, rows: Int) -> Int:
    """Without pairs of near-duplicates or of one photo, which anybody could answer."""
    return np.asarray(rows[pool.groups[rows[:, 0]] != pool.groups[rows[:, 1]]], np.int64)


def _alike(pool: Pool, rows: Int) -> Float:
    return np.asarray(np.einsum("ij,ij->i", pool.vectors[rows[:, 0]], pool.vectors[rows[:, 1]]), np.float32)


def _question(pool: Pool, a: int, b: int) -> Question:
    """Beside each face stand others of its person, none of them on both sides; nothing says that it is one person."""
    one = pool.identity[a] == pool.identity[b]
    sides: list[list[int]] = []
    taken = {a, b}
    for row in (a, b):
        theirs = np.flatnonzero((pool.identity == pool.identity[row]) & pool.human)
        beside = [other for other in most_alike(pool.vectors, row, theirs, len(theirs)).tolist() if other not in taken]
        sides.append(beside[:: 2 if one and not sides else 1][:SHOWN])
        taken.update(sides[-1])
    faces = [[int(pool.face_ids[row]) for row in side] for side in sides]
    return Question((int(pool.face_ids[a]), int(pool.face_ids[b])), (), 0.0, 0, "", {"sides": faces})
