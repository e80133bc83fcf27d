"""Two faces that people put on one person, or on two who could not be taken for each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mining.known.candidates import Candidates, Known, choose, confirmed, rows_of
from mining.known.plain_words import how_alike
from mining.strategies.base import Question
from mining.strategies.persons import SHOWN, hearts, most_alike
from mining.strategies.pool import Float, Int, Pool

TRIED = 2000  # pairs of each kind
NEAREST = 8  # faces of others tried for each
WEIGHT = 0.3  # of a full strip of faces beside one, against similarity


def known_pairs(pool: Pool, questions: Sequence[Question], wanted: int, rng: np.random.Generator) -> list[Known]:
    """Up to `wanted` pairs as alike as the pairs asked about."""
    same, different = _same(pool, rng), _different(pool, rng)
    rows = np.concatenate([same, different])
    answers = ["same"] * len(same) + ["different"] * len(different)
    asked = rows_of(pool, [question.faces[:2] for question in questions])
    beside = _beside(pool, asked)
    real, seen = _seen(pool, asked), _seen(pool, rows)
    seen[:, 1:] = np.minimum(seen[:, 1:], real[:, 1:].max(axis=0, initial=0))  # more than that would not be shown
    chosen = choose(pool, Candidates(rows, seen, answers), real, wanted, rng)
    return [Known(_question(pool, rows[at], beside[like]), answers[at], like) for at, like in chosen]


def pair_words(pool: Pool, questions: Sequence[Question]) -> list[str]:
    """The same words for real and known pairs."""
    alike = _alike(pool, rows_of(pool, [question.faces[:2] for question in questions])).tolist()
    return [f"These two faces {how_alike(pool, one)}." for one in alike]


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


def _seen(pool: Pool, rows: Int) -> Float:
    """(m, 3) how alike two faces are, and how many others are beside either."""
    return np.column_stack([_alike(pool, rows), WEIGHT * _beside(pool, rows) / SHOWN]).astype(np.float32)


def _beside(pool: Pool, rows: Int) -> Int:
    """(m, 2) how many other faces of its person are shown beside each face; the halves of one person share them."""
    persons, counts = np.unique(pool.identity[pool.identity >= 0], return_counts=True)
    own = pool.identity[rows]
    if not len(persons):
        return np.zeros(rows.shape, np.int64)
    others = np.where(own >= 0, counts[np.minimum(np.searchsorted(persons, own), len(persons) - 1)] - 1, 0)
    one = (own[:, :1] == own[:, 1:]) & (own[:, :1] >= 0)
    return np.minimum(np.where(one, (others - 1) // 2, others), SHOWN).astype(np.int64)


def _question(pool: Pool, rows: Int, most: Int) -> Question:
    """Beside each face stand up to `most` others of its person, none on both sides; nothing says that it is one."""
    a, b = rows.tolist()
    one = pool.identity[a] == pool.identity[b]
    sides: list[list[int]] = []
    taken = {a, b}
    for row, limit in zip((a, b), most.tolist(), strict=True):
        theirs = np.flatnonzero((pool.identity == pool.identity[row]) & pool.human)
        beside = [other for other in most_alike(pool.vectors, row, theirs, len(theirs)).tolist() if other not in taken]
        sides.append(beside[:: 2 if one and not sides else 1][:limit])
        taken.update(sides[-1])
    faces = [[int(pool.face_ids[row]) for row in side] for side in sides]
    return Question((int(pool.face_ids[a]), int(pool.face_ids[b])), (), 0.0, 0, "", {"sides": faces})
