"""What several people's marks on the faces of a cluster amount to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mining.consensus.posterior import posterior

STAYS = "stays"
LEAVE = 0.05  # share of faces, believed before any mark is seen


def weigh_marks(votes: Sequence[Mapping[int, str]]) -> tuple[dict[int, str], float]:
    """The most probable mark of each face that leaves, and how sure the least sure face is.

    What all say of a face holds. Where they differ, each is believed right nine times in ten, and few faces leave: one
    of three who marks a face is taken to have slipped, and two of three leave it open.

    Args:
        votes: of each person, face -> mark; the other faces stay.
    """
    kinds = sorted({mark for vote in votes for mark in vote.values()})
    prevalence = {STAYS: 1 - LEAVE, **dict.fromkeys(kinds, LEAVE / max(len(kinds), 1))}
    marks: dict[int, str] = {}
    sure = 1.0
    for face in sorted(set().union(*votes)):
        said = {vote.get(face, STAYS) for vote in votes}
        if len(said) == 1:
            marks[face] = said.pop()
            continue
        found = posterior([STAYS, *kinds], [(vote.get(face, STAYS), None) for vote in votes], prevalence)
        best = max(found, key=lambda mark: found[mark])
        sure = min(sure, found[best])
        if best != STAYS:
            marks[face] = best
    return marks, sure
