"""Who goes where: splits by identity and by near-duplicate group, from a keyed hash, so that they never move."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foundation.errors import InvalidInput

TRAIN, VAL_BLACKBOX, VAL_EYEBALL, TEST = "train", "val_blackbox", "val_eyeball", "test"
TRAIN_EXTRA, VAL_EXTRA = "train_extra", "val_extra"
# In the order of manifests.
SPLITS = (TRAIN, VAL_EYEBALL, VAL_BLACKBOX, TEST, TRAIN_EXTRA, VAL_EXTRA)
# Their images are for the evaluator only.
LOCKED = frozenset({VAL_BLACKBOX, TEST})
SET_ASIDE = ""
# Shares of the pool's identities; the rest is for training.
PROPORTIONS: Mapping[str, float] = {TEST: 0.05, VAL_BLACKBOX: 0.05, VAL_EYEBALL: 0.1}
_KEY = b"loupe-splits-1"
# Where photos of two held-out collections are near-duplicates, the one of the dearer split stays.
_DEARNESS = {TEST: 2, VAL_BLACKBOX: 1}


@dataclass(frozen=True, slots=True)
class Faces:
    """Labelled faces, as columns of one length n.

    Attributes:
        identity: int64 (n,).
        group: int64 (n,): near-duplicate group of the photo; -1 where the photo has no near-duplicate.
        held_out: n strings: the split that the photo's collection is held out for; empty in the pool.
    """

    identity: NDArray[np.int64]
    group: NDArray[np.int64]
    held_out: NDArray[np.str_]


def default_proportions(held_out: set[str]) -> dict[str, float]:
    """`PROPORTIONS`, but no share of the pool for a split that held-out collections already fill."""
    return {split: 0.0 if split in held_out else share for split, share in PROPORTIONS.items()}


def entangled(faces: Faces) -> set[int]:
    """Identities of the pool that near-duplicate photos tie together, where those are more than half of all.

    In a small album of people who are always seen together that is everybody. They can't be parted, and as a whole fit
    only where most faces belong: in train.
    """
    pool = faces.held_out == ""
    heads = _heads(faces.identity[pool], faces.group[pool])
    head, count = Counter(heads.values()).most_common(1)[0] if heads else (0, 0)
    if count < 2 or count * 2 <= len(heads):
        return set()
    return {identity for identity, its_head in heads.items() if its_head == head}


def assign(faces: Faces, proportions: Mapping[str, float], *, always_train: Collection[int] = ()) -> NDArray[np.str_]:
    """The split of every face, or SET_ASIDE for a pool face whose photo is a near-duplicate of a held-out one.

    Identities that share a near-duplicate group stay together: their bucket is that of the smallest identity.

    Args:
        always_train: identities that go to train, and with them all that are tied to them.

    Raises:
        InvalidInput: the proportions are no proportions.
    """
    _check(proportions)
    splits = faces.held_out.astype("U16")
    dearest = _dearest_by_group(faces)
    for row in np.flatnonzero(faces.group >= 0).tolist():
        goal = dearest.get(int(faces.group[row]))
        if goal is not None and goal != splits[row]:
            splits[row] = "aside"
    pool = np.flatnonzero(splits == "")
    head = _heads(faces.identity[pool], faces.group[pool])
    learned = {head[identity] for identity in always_train if identity in head}
    bucket = {
        identity: TRAIN if head[identity] in learned else _bucket(head[identity], proportions) for identity in head
    }
    for row in pool.tolist():
        splits[row] = bucket[int(faces.identity[row])]
    splits[splits == "aside"] = SET_ASIDE
    return splits


def violations(faces: Faces, splits: NDArray[np.str_], *, names: Mapping[int, str] | None = None) -> list[str]:
    """Why this assignment may not be published; empty when it may. Knows nothing of how it came about."""
    found: list[str] = []
    for column, noun in ((faces.identity, "Identity"), (faces.group, "Near-duplicate group")):
        seen: defaultdict[int, set[str]] = defaultdict(set)
        for number, split in zip(column.tolist(), splits.tolist(), strict=True):
            if number >= 0 and split != SET_ASIDE:
                seen[number].add(_family(split))
        for number, where in sorted(seen.items()):
            if len(where) > 1:
                name = (names or {}).get(number, "") if noun == "Identity" else ""
                label = f"{noun} {number}" + (f" ({name})" if name else "")
                found.append(f"{label} would be in {_listed(sorted(where))}.")
    return found


def _check(proportions: Mapping[str, float]) -> None:
    known = set(PROPORTIONS) | {TRAIN}
    shares = [share for split, share in proportions.items() if split != TRAIN]
    if set(proportions) - known or any(not 0 <= share <= 1 for share in shares) or sum(shares) > 1:
        raise InvalidInput(
            f"Proportions are shares of {', '.join(sorted(known))} between 0 and 1 that add up to at most 1.",
            code="bad_proportions",
        )


def _dearest_by_group(faces: Faces) -> dict[int, str]:
    dearest: dict[int, str] = {}
    for row in np.flatnonzero((faces.group >= 0) & (faces.held_out != "")).tolist():
        group, split = int(faces.group[row]), str(faces.held_out[row])
        dearest[group] = max(dearest.get(group, split), split, key=lambda name: _DEARNESS.get(name, 0))
    return dearest


def _heads(identity: NDArray[np.int64], group: NDArray[np.int64]) -> dict[int, int]:
    """{identity: the smallest identity that it hangs together with through near-duplicate photos}."""
    parent = {int(number): int(number) for number in np.unique(identity)}

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    first: dict[int, int] = {}
    for number, shared in zip(identity.tolist(), group.tolist(), strict=True):
        if shared >= 0:
            a, b = root(first.setdefault(shared, number)), root(number)
            parent[max(a, b)] = min(a, b)
    return {number: root(number) for number in parent}


def _bucket(identity: int, proportions: Mapping[str, float]) -> str:
    digest = hashlib.blake2b(str(identity).encode(), key=_KEY, digest_size=8).digest()
    place = int.from_bytes(digest, "big") / 2**64
    for split in PROPORTIONS:
        place -= proportions.get(split, 0.0)
        if place < 0:
            return split
    return TRAIN


def _family(split: str) -> str:
    # What is synthesised from a person may train beside that person's photos, and be validated beside them.
    return {TRAIN_EXTRA: TRAIN, VAL_EXTRA: VAL_EYEBALL}.get(split, split)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + f" and {words[-1]}"
