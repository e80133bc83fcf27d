"""Faces that are likelier to be somebody else than the person whose label they bear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from annotation.clustering.suspects import PASSES, Suspicion, suspect_labels
from foundation.progress import Progress, silent
from mining.strategies.base import Candidates, Question, Strategy
from mining.strategies.expectations import expected_of_people, expected_of_strangers
from mining.strategies.persons import hearts
from mining.strategies.pool import Float, Int, Pool


@dataclass(frozen=True)
class Suspects(Candidates):
    """Candidates and what was found about each.

    Attributes:
        own: (m,) similarity to the mean of the other faces under its label, NaN where there are none.
        like: (m,) similarity to the mean of the other person's faces, or to the copy.
        copy: (m,) whether the second face is a near-duplicate of the first.
        nobody: (m,) whether 'nobody here' explains the face better than the other person does.
    """

    own: Float
    like: Float
    copy: np.ndarray[Any, np.dtype[np.bool_]]
    nobody: np.ndarray[Any, np.dtype[np.bool_]]


class LabelSuspects(Strategy):
    """Weighs for each labelled face the evidence for its own person against that for all others and for nobody here.

    Value: the logarithm of how much likelier the evidence is if the label is wrong; those above 0 are asked about, one
    question for two people of one face each. The method is in `annotation.clustering.suspects`.
    """

    name = "label_suspects"
    title = "Labels that seem wrong"
    asks = "suspect"

    def find(self, pool: Pool, progress: Progress) -> Candidates:
        labelled = np.flatnonzero(pool.identity >= 0)
        if not len(labelled):
            return Candidates.none(0.0)
        vectors, labels = pool.vectors[labelled], pool.identity[labelled]
        found = weigh(pool, labelled, progress)
        people = hearts(vectors, labels)
        rival = np.searchsorted(people.persons, found.rival)
        asked = np.flatnonzero((found.score > 0) & (found.rival >= 0))
        asked = asked[~_mirrored(found, people.of, people.sizes, rival)[asked]]
        beside = np.where(found.copy >= 0, found.copy, people.medoid[np.minimum(rival, len(people.persons) - 1)])
        return Suspects(
            rows=np.stack([labelled[asked], labelled[beside[asked]]], axis=1),
            value=found.score[asked],
            considered=found.score.astype(np.float32),
            mark=0.0,
            own=found.own[asked].astype(np.float32),
            like=found.like[asked].astype(np.float32),
            copy=found.copy[asked] >= 0,
            nobody=found.nobody[asked],
        )

    def ask(self, pool: Pool, found: Candidates, at: int) -> Question:
        found = cast(Suspects, found)
        subject, rival = found.rows[at].tolist()
        like, own, value = float(found.like[at]), float(found.own[at]), float(found.value[at])
        name, other = pool.call(subject), pool.call(rival)
        alike = f"{like:.2f} to a near-duplicate, {other}" if found.copy[at] else f"{like:.2f} to the faces of {other}"
        if np.isnan(own):
            why = f"{alike}; the only face of {name}."
        else:
            why = f"{'Like nobody here: ' if found.nobody[at] else ''}{alike}, {own:.2f} to its own, {name}."
        reason = "a near-duplicate has another name" if found.copy[at] else "like somebody else"
        return Question(
            faces=(int(pool.face_ids[subject]), int(pool.face_ids[rival])),
            identities=(int(pool.identity[subject]), int(pool.identity[rival])),
            value=value,
            settles=1,
            why=why,
            evidence={
                "to_other": round(like, 4),
                "to_own": None if np.isnan(own) else round(own, 4),
                "log_odds": round(value, 3),
                "copy": bool(found.copy[at]),
                "nobody_here": bool(found.nobody[at]),
                "human": bool(pool.human[subject]),
            },
            reason="like nobody here" if found.nobody[at] else reason,
        )


def weigh(pool: Pool, labelled: Int, progress: Progress = silent, *, passes: int = PASSES) -> Suspicion:
    """The evidence against the labels of some rows of a pool, as seen by these rows alone."""
    vectors, labels = pool.vectors[labelled], pool.identity[labelled]
    return suspect_labels(
        vectors,
        labels,
        impostors=expected_of_strangers(pool, vectors, labels),
        prior=expected_of_people(pool),
        groups=pool.groups[labelled],
        quality=None if pool.quality is None else pool.quality[labelled],
        ruled_out=_ruled_out(pool, labelled),
        passes=passes,
        progress=progress,
    )


def _ruled_out(pool: Pool, labelled: Int) -> set[tuple[int, int]]:
    """What people have said, as (position among the labelled, person)."""
    said = set(pool.rejected)
    for a, b in pool.apart.tolist():
        said |= {(a, int(pool.identity[b])), (b, int(pool.identity[a]))}
    position = {int(row): at for at, row in enumerate(labelled)} if said else {}
    return {(position[row], person) for row, person in said if row in position and person >= 0}


def _mirrored(found: Suspicion, of: Int, sizes: Int, rival: Int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """(n,) whether another face asks the same: two people of one face each, who suspect each other."""
    alone = np.flatnonzero((sizes[of] == 1) & (found.rival >= 0))
    row_of = np.full(len(sizes), -1, np.int64)
    row_of[of[alone]] = alone
    partner = row_of[rival[alone]]
    mutual = partner >= 0
    alone, partner = alone[mutual], partner[mutual]
    back = rival[partner] == of[alone]
    # Rounded, as both sides have the same evidence but for noise: then the earlier face asks.
    first, second = np.round(found.score[alone], 2), np.round(found.score[partner], 2)
    weaker = (first < second) | ((first == second) & (alone > partner))
    mirrored = np.zeros(len(of), np.bool_)
    mirrored[alone[back & weaker]] = True
    return mirrored
