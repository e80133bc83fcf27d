"""A face that people put on somebody, asked about as if it might be somebody else's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mining.known.candidates import Asked, Candidates, Known, choose, confirmed, rows_of
from mining.strategies.base import Question
from mining.strategies.persons import Hearts, hearts
from mining.strategies.pool import Float, Int, Pool

TRIED = 500
CLOSE = 0.05  # in similarity, about the same
OTHERS = 40  # people at random, besides the one that a face is most like


@dataclass(frozen=True)
class _People:
    """Everybody in the pool; `rows` are the labelled ones, `of` numbers their people."""

    rows: Int
    hearts: Hearts

    @staticmethod
    def of_pool(pool: Pool) -> _People:
        rows = np.flatnonzero(pool.identity >= 0)
        return _People(rows, hearts(pool.vectors[rows], pool.identity[rows]))

    def likeness(self, pool: Pool, rows: Int, persons: Int) -> Float:
        """(m,) similarity of each row to the mean of a person's other faces; 0 where there are none."""
        found = self.hearts
        at = np.minimum(np.searchsorted(found.persons, persons), len(found.persons) - 1)
        sums = found.centres[at] * (found.lengths[at] * found.sizes[at])[:, None]
        own = pool.identity[rows] == persons
        sums[own] -= pool.vectors[rows[own]]
        there = (found.persons[at] == persons) & (found.sizes[at] - own > 0)
        like = np.einsum("ij,ij->i", sums, pool.vectors[rows]) / np.maximum(np.linalg.norm(sums, axis=1), 1e-6)
        return np.where(there, like, 0).astype(np.float32)


def known_suspects(pool: Pool, questions: Sequence[Question], wanted: int, rng: np.random.Generator) -> list[Known]:
    """Up to `wanted` faces that are as like the people shown as those asked about are."""
    everybody = _People.of_pool(pool)
    several = len(questions[0].identities) > 1
    named = any(person in pool.names for question in questions for person in question.identities[:2])
    asked = _candidates(pool, everybody, rng, several)
    if named:  # names can be left out, but not be made up
        asked = [one for one in asked if all(person in pool.names for person in one.question.identities)] or asked
    if not asked:
        return []
    found = Candidates(
        rows_of(pool, [one.question.faces for one in asked]),
        _seen(pool, everybody, [one.question for one in asked]),
        [one.gold for one in asked],
    )
    alike = [at for at, question in enumerate(questions) if (len(question.identities) > 1) == several]
    real = _seen(pool, everybody, [questions[at] for at in alike])
    chosen = choose(pool, found, real, wanted, rng)
    return [Known(_named(pool, asked[at], questions[alike[n]]), asked[at].gold, alike[n]) for at, n in chosen]


def suspect_words(pool: Pool, questions: Sequence[Question]) -> list[str]:
    """The same words for real and known suspects."""
    everybody = _People.of_pool(pool)
    like = np.stack([_likeness(pool, everybody, questions, at) for at in (0, 1)], axis=1).tolist()
    return [_words(pool, question, *both) for question, both in zip(questions, like, strict=True)]


def _words(pool: Pool, question: Question, first: float, second: float) -> str:
    names = [_name(pool, question, at) for at in range(min(2, len(question.identities)))]
    if len(names) == 1:
        how = "much" if first >= pool.threshold else "somewhat"
        return f"This face looks {how} like {names[0]}, but that is not sure."
    if abs(first - second) < CLOSE:
        return f"This face looks about as much like {names[0]} as like {names[1]}."
    more, less = names if first > second else names[::-1]
    return f"This face looks more like {more} than like {less}."


def _named(pool: Pool, one: Asked, like: Question) -> Question:
    """With names where the real one has them."""
    shown = zip(one.question.identities, like.identities, strict=False)
    nameless = [mine in pool.names and theirs not in pool.names for mine, theirs in shown]
    return replace(one.question, evidence={"nameless": nameless})


def _name(pool: Pool, question: Question, at: int) -> str:
    person, hidden = question.identities[at], question.evidence.get("nameless", ())
    name = "" if at < len(hidden) and hidden[at] else pool.names.get(person, "")
    return name or f"the {('first', 'second')[at]} person"


def _candidates(pool: Pool, everybody: _People, rng: np.random.Generator, several: bool) -> list[Asked]:
    """Confirmed faces of people who have others, each beside people who clearly are somebody else: whom it is most
    like, and some at random."""
    people = everybody.hearts
    rows = rng.permutation(confirmed(pool))
    own = np.searchsorted(people.persons, pool.identity[rows])
    rows, own = (column[people.sizes[own] > 1][:TRIED] for column in (rows, own))
    if not len(rows) or len(people.persons) < 2:
        return []
    clear = people.centres[own] @ people.centres.T < pool.threshold - pool.band
    clear[np.arange(len(rows)), own] = False
    nearest = np.where(clear, pool.vectors[rows] @ people.centres.T, -2).argmax(axis=1)
    rivals = np.column_stack([nearest, rng.integers(0, len(people.persons), (len(rows), OTHERS))])
    at, _ = np.nonzero(np.take_along_axis(clear, rivals, axis=1))
    rival = rivals[np.take_along_axis(clear, rivals, axis=1)]
    asked = []
    for row, mine, other in zip(rows[at].tolist(), own[at].tolist(), rival.tolist(), strict=True):
        for shown, gold in _ways(mine, other, several):
            heart, second = (int(everybody.rows[rows_[shown[-1]]]) for rows_ in (people.medoid, people.second))
            faces = (int(pool.face_ids[row]), int(pool.face_ids[second if heart == row else heart]))
            persons = tuple(int(people.persons[one]) for one in shown)
            asked.append(Asked(Question(faces, persons, 0.0, 0, "", {}), gold))
    return asked


def _ways(own: int, rival: int, several: bool) -> list[tuple[tuple[int, ...], str]]:
    """Who is offered, and which answer is right then."""
    if several:
        return [((own, rival), "left"), ((rival, own), "right")]
    return [((own,), "left"), ((rival,), "neither")]


def _seen(pool: Pool, everybody: _People, questions: Sequence[Question]) -> Float:
    """(m, 2) how like each suspect is to the first person and to the second."""
    return np.stack([_likeness(pool, everybody, questions, at) for at in (0, 1)], axis=1)


def _likeness(pool: Pool, everybody: _People, questions: Sequence[Question], at: int) -> Float:
    """(m,) similarity of each suspect to person number `at` of its question, 0 where it has none."""
    rows = rows_of(pool, [question.faces[:1] for question in questions])[:, 0]
    persons = [question.identities[at] if len(question.identities) > at else -1 for question in questions]
    return everybody.likeness(pool, rows, np.array(persons, np.int64))
