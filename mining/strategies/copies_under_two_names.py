"""Near-duplicate photos whose faces bear two names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from annotation.clustering.between_means import similarity_to_the_rest
from foundation.progress import Progress
from mining.strategies.base import Candidates, Question, Strategy
from mining.strategies.pool import Float, Int, Pool

BITS = (1 << 64) - 1


@dataclass(frozen=True)
class Copies(Candidates):
    """Candidates and what was found about each.

    Attributes:
        alike: (m,) similarity of the two faces.
    """

    alike: Float


class CopiesUnderTwoNames(Strategy):
    """Compares the faces of near-duplicate photos: one and the same face can't be two people.

    Value: how far the faces are above the threshold at which clusters merge, as a share of what is left to 1; one wrong
    label is settled. The subject is the face that is less like the other faces of its name. Left out: faces below the
    threshold, which are two people in one picture, and what people have ruled out.
    """

    name = "copies_under_two_names"
    title = "One photo under two names"
    asks = "suspect"

    def find(self, pool: Pool, progress: Progress) -> Candidates:
        labelled = np.flatnonzero(pool.identity >= 0)
        rows, alike = _same_group(pool, labelled, progress)
        if not len(rows):
            return Candidates.none(pool.threshold)
        own = np.full(len(pool.identity), -1.0)
        own[labelled] = similarity_to_the_rest(pool.vectors[labelled], pool.identity[labelled])[0]
        # Rounded, as copies are equally like everybody but for noise: then the earlier face asks.
        swap = np.round(own[rows[:, 0]], 3) > np.round(own[rows[:, 1]], 3)
        rows[swap] = rows[swap][:, ::-1]
        near = (alike >= pool.threshold) & ~_ruled_out(pool, rows)
        value = (alike - pool.threshold) / max(1 - pool.threshold, 1e-6)
        return Copies(rows[near], value[near].astype(np.float32), alike.astype(np.float32), pool.threshold, alike[near])

    def ask(self, pool: Pool, found: Candidates, at: int) -> Question:
        found = cast(Copies, found)
        subject, other = found.rows[at].tolist()
        alike, bits = float(found.alike[at]), _bits_apart(pool, subject, other)
        apart = "" if bits is None else f" {bits} of 64 bits apart"
        return Question(
            faces=(int(pool.face_ids[subject]), int(pool.face_ids[other])),
            identities=(int(pool.identity[subject]), int(pool.identity[other])),
            value=float(found.value[at]),
            settles=1,
            why=f"{alike:.2f} alike in near-duplicate photos{apart}: {pool.call(subject)} in one, "
            f"{pool.call(other)} in the other.",
            evidence={"faces": round(alike, 4), "hash_bits": bits, "copy": True, "human": bool(pool.human[subject])},
        )


def _same_group(pool: Pool, labelled: Int, progress: Progress) -> tuple[Int, Float]:
    """(m, 2) rows in one near-duplicate group but of two photos and two names, (m,) similarity; each face with the most
    alike of such others."""
    order = labelled[np.argsort(pool.groups[labelled], kind="stable")]
    best = np.full(len(pool.identity), -2.0, np.float32)
    other = np.full(len(pool.identity), -1, np.int64)
    largest = int(np.unique(pool.groups[labelled], return_counts=True)[1].max(initial=1))
    for offset in range(1, largest):
        near, far = order[:-offset], order[offset:]
        meet = (pool.groups[near] == pool.groups[far]) & (pool.photo_ids[near] != pool.photo_ids[far])
        meet &= pool.identity[near] != pool.identity[far]
        near, far = near[meet], far[meet]
        alike = np.einsum("ij,ij->i", pool.vectors[near], pool.vectors[far])
        for a, b in ((near, far), (far, near)):
            nearer = alike > best[a]
            best[a[nearer]], other[a[nearer]] = alike[nearer], b[nearer]
        progress(offset, largest - 1)
    found = np.flatnonzero(other >= 0)
    pairs, first = np.unique(np.sort(np.stack([found, other[found]], axis=1), axis=1), axis=0, return_index=True)
    return pairs, best[found][first]


def _ruled_out(pool: Pool, rows: Int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(m,) whether people have said that the faces are two people, or that one is not the other's person."""
    apart = {tuple(sorted(pair)) for pair in pool.apart.tolist()}
    said = [
        tuple(sorted((a, b))) in apart
        or (a, int(pool.identity[b])) in pool.rejected
        or (b, int(pool.identity[a])) in pool.rejected
        for a, b in rows.tolist()
    ]
    return np.array(said, np.bool_)


def _bits_apart(pool: Pool, a: int, b: int) -> int | None:
    hashes = [pool.hashes.get(int(pool.photo_ids[row])) for row in (a, b)]
    return None if hashes[0] is None or hashes[1] is None else ((hashes[0] ^ hashes[1]) & BITS).bit_count()
