"""People whom clustering would have merged, had not something forbidden it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import cast

import numpy as np

from foundation.progress import Progress
from mining.strategies.base import Candidates, Question, Strategy
from mining.strategies.options import Option
from mining.strategies.pool import Int, Pool
from mining.strategies.weighing import Float64, Parties

PHOTO, DECISION = "photo", "decision"
ANY = "any"
ENOUGH = 2  # statements that two are not one; they are believed then


@dataclass(frozen=True)
class Blocked(Candidates):
    """Candidates and what was found about each.

    Attributes:
        sizes: (m, 2) faces of both.
        alike: (m,) similarity of their means, as clustering has it.
        same: (m,) how likely they are one person.
        blocks: the m rows of what keeps them apart: two faces that were told apart or are in one photo.
        told: (m,) whether a person said so.
    """

    sizes: Int
    alike: Float64
    same: Float64
    blocks: Int
    told: np.ndarray[tuple[int], np.dtype[np.bool_]]


class BlockedMerges(Strategy):
    """Looks at all who may not be one, by a photo that shows both or by what people said, and yet reach the threshold.

    Either the block is wrong (a mirror, a collage, a face detected twice, a slip of the hand), or one of the two sides
    holds somebody else's face. Value: faces of the smaller side times the probability that they are one person. Asked
    are clear and typical faces other than those that were told apart, so that it is a second opinion. Left out: what
    was said `ENOUGH` times, and sides that have no other face.
    """

    name = "blocked_merges"
    title = "Merges that something blocks"
    asks = "pair"
    options = (
        Option("by", "choice", ANY, "What blocks the merge.", choices=(ANY, PHOTO, DECISION)),
        Option("above", "number", 0.0, "How far above the threshold the two must be.", low=0, high=1),
    )

    def find(self, pool: Pool, progress: Progress) -> Candidates:
        parties = Parties(pool)
        blocks, told = _blocks(pool, parties)
        ends = np.sort(parties.of[blocks], axis=1)
        kept = np.flatnonzero(ends[:, 0] != ends[:, 1])
        if self.chosen["by"] != ANY:
            kept = kept[told[kept] == (self.chosen["by"] == DECISION)]
        pairs, first = np.unique(ends[kept], axis=0, return_index=True)  # what was told stands before what photos show
        if not len(pairs):
            return Candidates.none(pool.threshold)
        alike = parties.alike(pairs)
        open_question = _times_told(pool, parties, ends[told], pairs) < ENOUGH
        near = np.flatnonzero(open_question & (alike >= pool.threshold + self.chosen["above"]))
        pairs, blocks, told = parties.smaller_first(pairs[near]), blocks[kept][first[near]], told[kept][first[near]]
        shown = _shown(pool, parties, pairs, np.where(told[:, None], blocks, -1))
        same = parties.same(pairs)
        asked = np.flatnonzero((shown >= 0).all(axis=1))
        sizes = parties.middles.sizes[pairs]
        progress(len(kept), len(kept))
        return Blocked(
            rows=shown[asked],
            value=(sizes[:, 0] * same)[asked].astype(np.float32),
            considered=alike.astype(np.float32),
            mark=pool.threshold,
            sizes=sizes[asked],
            alike=alike[near][asked],
            same=same[asked],
            blocks=blocks[asked],
            told=told[asked],
        )

    def ask(self, pool: Pool, found: Candidates, at: int) -> Question:
        blocked = cast(Blocked, found)
        a, b = blocked.rows[at].tolist()
        (few, many), alike, same = blocked.sizes[at].tolist(), float(blocked.alike[at]), float(blocked.same[at])
        told, block = bool(blocked.told[at]), blocked.blocks[at]
        because = "somebody told two of their faces apart" if told else "one photo shows both"
        return Question(
            faces=(int(pool.face_ids[a]), int(pool.face_ids[b])),
            identities=tuple(person for person in pool.identity[[a, b]].tolist() if person >= 0),
            value=float(blocked.value[at]),
            settles=few,
            why=f"{alike:.2f} between {pool.call(a)} ({few}) and {pool.call(b)} ({many}), {pool.threshold:.2f} would "
            f"join them, but {because}. {same:.0%} likely to be one person.",
            evidence={
                "means": round(alike, 4),
                "threshold": pool.threshold,
                "same": round(same, 4),
                "blocked_by": DECISION if told else PHOTO,
                "block": pool.face_ids[block].tolist(),
                "photo": None if told else int(pool.photo_ids[block[0]]),
            },
            reason="told apart once" if told else "both in one photo",
        )


def _blocks(pool: Pool, parties: Parties) -> tuple[Int, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """(m, 2) rows of all that is apart, what people said first, and (m,) whether they did.

    For a face that was ruled out to be somebody, that person's typical face stands.
    """
    place = {int(number): at for at, number in enumerate(parties.numbers)}
    ruled = [(row, int(parties.shown[place[who]])) for row, who in sorted(pool.rejected) if who in place]
    said = np.concatenate([pool.apart, np.array(ruled, np.int64).reshape(-1, 2)])
    photos = [np.empty((0, 2), np.int64)]
    order = np.argsort(pool.photo_ids, kind="stable")
    for offset in range(1, int(np.unique(pool.photo_ids, return_counts=True)[1].max(initial=1))):
        near, far = order[:-offset], order[offset:]
        both = pool.photo_ids[near] == pool.photo_ids[far]
        photos.append(np.stack([near[both], far[both]], axis=1))
    seen = np.concatenate(photos)
    return np.concatenate([said, seen]), np.arange(len(said) + len(seen)) < len(said)


def _times_told(pool: Pool, parties: Parties, said: Int, pairs: Int) -> Int:
    """(m,) how often people said, in `said` (l, 2), that two parties are not one; `ENOUGH` where also that they are."""
    times = Counter((int(a), int(b)) for a, b in said)
    times.update({(int(a), int(b)): ENOUGH for a, b in np.sort(parties.of[pool.together], axis=1)})
    return np.array([times[(int(a), int(b))] for a, b in pairs], np.int64)


def _shown(pool: Pool, parties: Parties, pairs: Int, without: Int) -> Int:
    """(m, 2) the clear and typical row of either side, but those in `without` (m, 2); -1 where no other is left."""
    shown = parties.shown[pairs]
    for at, side in np.argwhere((shown[:, :, None] == without[:, None, :]).any(axis=2)).tolist():
        rows = parties.rows(int(pairs[at, side]))
        rows = rows[~np.isin(rows, without[at])]
        like = pool.vectors[rows] @ parties.middles.directions[pairs[at, side]]
        clear = like if pool.quality is None else np.maximum(like, 0) * pool.quality[rows]
        shown[at, side] = rows[int(clear.argmax())] if len(rows) else -1
    return shown
