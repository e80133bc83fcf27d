"""Random ledgers: every kind of entry over few faces and persons, so that statements meet often."""

from __future__ import annotations

import random

from annotation.ledger.entries import Entry, Kind

FACES = range(1, 10)
PEOPLE = range(1, 5)
_WEIGHTS = {
    Kind.SAME: 4,
    Kind.DIFFERENT: 4,
    Kind.ASSIGN: 5,
    Kind.REJECT: 5,
    Kind.IGNORE: 1,
    Kind.NOT_A_FACE: 1,
    Kind.MERGE: 2,
    Kind.SPLIT: 2,
    Kind.RENAME: 1,
    Kind.TAG: 1,
    Kind.REVERT: 6,
}


def random_ledger(rng: random.Random, length: int) -> list[Entry]:
    """`length` entries with rising, gappy ids."""
    entries: list[Entry] = []
    last = 0
    for _ in range(length):
        last += rng.randint(1, 3)
        entries.append(_random_entry(rng, last, entries))
    return entries


def _random_entry(rng: random.Random, entry: int, earlier: list[Entry]) -> Entry:
    kind = rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
    if kind is Kind.REVERT:
        if not earlier:
            return Entry(entry, Kind.ASSIGN, faces=(1,), identity=1)
        # Often the last few, so that undo of undo happens.
        pool = earlier[-3:] if rng.random() < 0.6 else earlier
        return Entry(entry, kind, reverts=rng.choice(pool).id)
    shuffled = rng.sample(FACES, len(FACES))
    some, rest = tuple(shuffled[: rng.randint(1, 3)]), tuple(shuffled[4 : 4 + rng.randint(0, 2)])
    identity, into = rng.sample(PEOPLE, 2)
    match kind:
        case Kind.SAME | Kind.DIFFERENT:
            return Entry(entry, kind, faces=some[:1], others=(shuffled[5],))
        case Kind.ASSIGN | Kind.REJECT:
            return Entry(entry, kind, faces=some, others=rest, identity=identity)
        case Kind.MERGE:
            return Entry(
                entry, kind, faces=some if rng.random() < 0.5 else (), others=rest, identity=identity, into=into
            )
        case Kind.SPLIT:
            return Entry(entry, kind, faces=some, others=rest, identity=identity, into=into)
        case Kind.RENAME:
            return Entry(entry, kind, identity=identity, text=rng.choice(["Anna", "Bob", ""]))
        case Kind.TAG:
            if rng.random() < 0.5:
                return Entry(entry, kind, identity=identity, text="family")
            return Entry(entry, kind, faces=some, text="blurred")
        case _:
            return Entry(entry, kind, faces=some)
