"""From entries to the state that they amount to, in time linear in their faces (a logarithm more for those in pairs).

An entry that was reverted counts as never made. Among the others, a later statement about the same face, pair or
person replaces an earlier one; then, newest first, whatever contradicts what was already accepted is dropped and
reported. So a later entry always wins, and taking any entry back gives the state without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from annotation.ledger.consistency import Groups, person_node
from annotation.ledger.entries import Entry, Kind
from annotation.ledger.state import Conflict, State
from annotation.ledger.statements import Pair, Said, Statements, collect, reverted_ids

# (entry, order within the entry, first node, second node): order 0 = label, 1 = same; 2 = rejection, 3 = different.
_Claim = tuple[int, int, int, int]
_LABEL, _SAME, _REJECTION, _DIFFERENT = range(4)


def replay(entries: Sequence[Entry]) -> State:
    """What the entries, in ledger order, amount to.

    Raises:
        InvalidInput: ids don't rise, or a revert points at no earlier entry.
    """
    reverted = reverted_ids(entries)
    said = collect([entry for entry in entries if entry.id not in reverted and entry.kind is not Kind.REVERT])
    return _Settling(said).state(reverted)


class _Settling:
    """Second half: drop what contradicts later statements, then read off the groups. Made for one replay."""

    def __init__(self, said: Statements) -> None:
        self._said = said
        self._groups = Groups()
        self._paired = {face for pairs in (said.same, said.different) for pair in pairs for face in pair}
        self._same: dict[Pair, int] = {}
        self._different: dict[Pair, int] = {}
        self._rejected: dict[int, dict[int, int]] = {}
        self._dropped_labels: set[int] = set()
        self._conflicts = list(said.conflicts)
        # Faces that no pair mentions can't take part in a contradiction; they need no groups.
        for face in said.rejections.keys() - self._paired:
            self._keep_rejections(face)
        for claim in sorted(self._claims(), key=lambda claim: (-claim[0], *claim[1:])):
            self._settle(claim)

    def _root(self, identity: int) -> int:
        return self._said.root.get(identity, identity)

    def _keep_rejections(self, face: int) -> None:
        latest = {person: said[-1].entry for person, said in self._said.rejections[face].items() if said}
        if latest:
            self._rejected[face] = latest

    def _claims(self) -> Iterator[_Claim]:
        said = self._said
        for pair, entry in said.same.items():
            yield entry, _SAME, *pair
        for pair, entry in said.different.items():
            yield entry, _DIFFERENT, *pair
        for face in self._paired:
            if face in said.labels:
                yield said.labels[face].entry, _LABEL, face, person_node(self._root(said.labels[face].identity))
            for person, rejections in said.rejections.get(face, {}).items():
                if rejections:
                    yield rejections[-1].entry, _REJECTION, face, person_node(person)

    def _settle(self, claim: _Claim) -> None:
        entry, kind, a, b = claim
        act = self._groups.join if kind in (_LABEL, _SAME) else self._groups.part
        because = act(a, b, entry)
        if because:
            faces = (a, b) if b > 0 else (a,)
            self._conflicts.append(Conflict(entry, because, faces, "answer"))
            if kind == _LABEL:
                self._dropped_labels.add(a)
        elif kind == _SAME:
            self._same[a, b] = entry
        elif kind == _DIFFERENT:
            self._different[a, b] = entry
        elif kind == _REJECTION:
            self._rejected.setdefault(a, {})[-b] = entry

    def state(self, reverted: frozenset[int]) -> State:
        identity_of, decided_by = self._labels()
        self._label_groups(identity_of, decided_by)
        for face, (_, entry) in self._said.set_aside.items():
            identity_of.pop(face, None)
            decided_by[face] = entry
        said = self._said
        return State(
            identity_of=identity_of,
            decided_by=decided_by,
            rejected=self._rejected,
            set_aside={face: kind for face, (kind, _) in said.set_aside.items()},
            must=self._same,
            cannot=self._different,
            group_of=self._group_of(),
            root=said.root,
            names=_names(said),
            identity_tags={identity: tuple(sorted(tags)) for identity, tags in said.identity_tags.items()},
            face_tags={face: tuple(sorted(tags)) for face, tags in said.face_tags.items()},
            conflicts=tuple(sorted(self._conflicts, key=lambda conflict: (conflict.dropped, conflict.faces))),
            reverted=reverted,
        )

    def _labels(self) -> tuple[dict[int, int], dict[int, int]]:
        kept: dict[int, Said] = {
            face: label for face, label in self._said.labels.items() if face not in self._dropped_labels
        }
        identity_of = {face: self._root(label.identity) for face, label in kept.items()}
        return identity_of, {face: label.entry for face, label in kept.items()}

    def _label_groups(self, identity_of: dict[int, int], decided_by: dict[int, int]) -> None:
        """Hand a group's person to its faces; where it has none, hand on whom the group can't be."""
        last_same: dict[int, int] = {}
        for pair, entry in self._same.items():
            for face in pair:
                last_same[face] = max(entry, last_same.get(face, 0))
        for face in self._paired:
            person = self._groups.person(face)
            if person is None:
                for excluded, entry in self._groups.persons_excluded(face):
                    self._rejected.setdefault(face, {}).setdefault(excluded, entry)
            elif face not in identity_of:
                identity_of[face] = person
                decided_by[face] = last_same[face]

    def _group_of(self) -> dict[int, int]:
        smallest: dict[int, int] = {}
        members = [face for pair in self._same for face in pair if self._groups.person(face) is None]
        for face in members:
            root = self._groups.root(face)
            smallest[root] = min(face, smallest.get(root, face))
        return {face: smallest[self._groups.root(face)] for face in members}


def _names(said: Statements) -> dict[int, str]:
    """A person's own last name; else the last one among the identities merged into it; else empty if it was taken."""
    best: dict[int, tuple[bool, bool, int, str]] = {}
    for identity, (entry, text) in said.names.items():
        person = said.root.get(identity, identity)
        candidate = (bool(text), identity == person, entry, text)
        if (text or identity == person) and candidate > best.get(person, (False, False, 0, "")):
            best[person] = candidate
    return {person: text for person, (*_, text) in best.items()}
