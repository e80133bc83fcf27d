"""People of few faces, beside who is most like them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from foundation.progress import Progress
from mining.strategies.base import Candidates, Question, Strategy
from mining.strategies.options import Option
from mining.strategies.pool import Int, Pool
from mining.strategies.weighing import Float64, Parties

LOOKED_AT = 8  # of the nearest of each, as some are ruled out
MOST_FACES = 100


@dataclass(frozen=True)
class Rare(Candidates):
    """Candidates and what was found about each.

    Attributes:
        sizes: (m, 2) faces of both.
        alike: (m,) similarity of their means, as clustering has it.
        same: (m,) how likely they are one person.
    """

    sizes: Int
    alike: Float64
    same: Float64


class RareIdentities(Strategy):
    """Compares people of few faces with the nearest others, however far these are from where clusters merge.

    Value: faces of the smaller side times the probability that they are one person. Few faces make a mean that is hard
    to tell from strangers' and a person of whom no model learns much, so that nobody else asks about them. Left out:
    pairs on which people have spoken, and those who share a photo. A pair of whom both are rare is asked about once.
    """

    name = "rare_identities"
    title = "People of few faces"
    asks = "pair"
    options = (
        Option("faces", "wholes", (1, 3), "How many faces make a person rare.", low=1, high=MOST_FACES),
        Option("candidates", "whole", 1, "Of how many of the nearest one is asked, for each.", low=1, high=LOOKED_AT),
    )

    def find(self, pool: Pool, progress: Progress) -> Candidates:
        few, most = self.chosen["faces"]
        parties = Parties(pool)
        sizes = parties.middles.sizes
        rare = np.flatnonzero((parties.numbers >= 0) & (sizes >= few) & (sizes <= most))
        near = parties.nearest(rare, LOOKED_AT)
        near = near[~parties.settled(near)]
        near = near[np.argsort(near[:, 0], kind="stable")]
        place = np.arange(len(near)) - np.searchsorted(near[:, 0], near[:, 0])
        near = near[place < self.chosen["candidates"]]
        pairs = np.unique(np.sort(near, axis=1), axis=0)
        if not len(pairs):
            return Candidates.none(pool.threshold)
        pairs = parties.smaller_first(pairs)
        alike, same = parties.alike(pairs), parties.same(pairs)
        progress(len(rare), len(rare))
        return Rare(
            rows=parties.shown[pairs],
            value=(sizes[pairs[:, 0]] * same).astype(np.float32),
            considered=alike.astype(np.float32),
            mark=pool.threshold,
            sizes=sizes[pairs],
            alike=alike,
            same=same,
        )

    def ask(self, pool: Pool, found: Candidates, at: int) -> Question:
        rare = cast(Rare, found)
        a, b = rare.rows[at].tolist()
        (few, many), alike, same = rare.sizes[at].tolist(), float(rare.alike[at]), float(rare.same[at])
        return Question(
            faces=(int(pool.face_ids[a]), int(pool.face_ids[b])),
            identities=tuple(person for person in pool.identity[[a, b]].tolist() if person >= 0),
            value=float(rare.value[at]),
            settles=few,
            why=f"{alike:.2f} between {pool.call(a)} ({few}) and {pool.call(b)} ({many}), of the nearest; "
            f"{pool.threshold:.2f} would join them. {same:.0%} likely to be one person.",
            evidence={"means": round(alike, 4), "threshold": pool.threshold, "same": round(same, 4)},
            reason="nearest is a face that nobody has" if min(pool.identity[[a, b]]) < 0 else "nearest is somebody",
        )
