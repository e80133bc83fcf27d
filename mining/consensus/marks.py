"""What several people's marks on the faces of a cluster amount to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mining.consensus.posterior import posterior

STAYS, LEAVES = "stays", "leaves"
PREVALENCE = {STAYS: 0.95, LEAVES: 0.05}  # of faces, believed before any mark is seen


def weigh_marks(votes: Sequence[Mapping[int, str]]) -> tuple[dict[int, str], float]:
    """The most probable mark of each face that leaves, and how sure the least sure face is.

    What all say of a face holds. Where they differ, each is believed right nine times in ten, and few faces leave: one
    of three who marks a face is taken to have slipped, and two of three leave it open. Whether a face leaves is weighed
    first, then in which way.

    Args:
        votes: of each person, face -> mark; the other faces stay.
    """
    marks: dict[int, str] = {}
    sure = 1.0
    for face in sorted(set().union(*votes)):
        said = [vote.get(face, STAYS) for vote in votes]
        if len(set(said)) == 1:
            marks[face] = said[0]
            continue
        leaves = posterior([STAYS, LEAVES], [(STAYS if one == STAYS else LEAVES, None) for one in said], PREVALENCE)
        if leaves[STAYS] >= leaves[LEAVES]:
            sure = min(sure, leaves[STAYS])
            continue
        how = [one for one in said if one != STAYS]
        found = posterior(sorted(set(how)), [(one, None) for one in how])
        marks[face] = max(found, key=lambda mark: (found[mark], how.count(mark)))
        sure = min(sure, leaves[LEAVES] * found[marks[face]])
    return marks, sure
