"""What several people's marks on the faces of a cluster amount to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from mining.consensus.posterior import posterior

KINDS, SPLIT = ("rejected", "ignored", "not_faces"), "split "
STAYS, LEAVES = "stays", "leaves"
PREVALENCE = {STAYS: 0.95, LEAVES: 0.05}  # of faces, believed before any mark is seen


def marks_of(payload: Mapping[str, Any]) -> dict[int, str]:
    """What an answer about a cluster says of each face that it takes out; a group split off goes by its first face."""
    marks = {face: kind for kind in KINDS for face in payload.get(kind, ())}
    return marks | {face: f"{SPLIT}{min(group)}" for group in payload.get("split", ()) for face in group}


def payload_of(marks: Mapping[int, str]) -> dict[str, Any]:
    """The answer that takes these faces out."""
    groups: dict[str, list[int]] = defaultdict(list)
    for face, mark in sorted(marks.items()):
        groups[mark].append(face)
    split = [group for mark, group in groups.items() if mark.startswith(SPLIT)]
    return {kind: groups[kind] for kind in KINDS if groups.get(kind)} | ({"split": split} if split else {})


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
