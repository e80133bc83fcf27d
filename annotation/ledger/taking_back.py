"""Taking back many entries at once, so that the ledger amounts to what it would without them."""

from __future__ import annotations

from collections.abc import Collection, Mapping


def entries_to_revert(reverts: Mapping[int, int], chosen: Collection[int]) -> list[int]:
    """Which entries must be reverted so that none of the chosen ones has an effect, the latest first.

    A chosen revert of a chosen entry stays, as together they do nothing; one of any other entry is reverted, so that
    entry holds again.

    Args:
        reverts: revert -> the earlier entry that it takes back, for all reverts of the ledger.
        chosen: ids of entries, reverts among them.
    """
    wanted = set(chosen)
    effective = [entry for entry in wanted if reverts.get(entry) not in wanted]
    found: set[int] = set()
    # Reverting one chosen revert may let another one hold again, at the end of a long quarrel; mostly once is enough.
    gone = _gone(reverts, found)
    while standing := [entry for entry in effective if entry not in gone]:
        found.update(standing)
        gone = _gone(reverts, found)
    return sorted(found, reverse=True)


def _gone(reverts: Mapping[int, int], also: Collection[int]) -> set[int]:
    """Entries that are taken back when those in `also` are, for good."""
    gone = set(also)
    for revert in sorted(reverts, reverse=True):
        if revert not in gone:
            gone.add(reverts[revert])
    return gone
