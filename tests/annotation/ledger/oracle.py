"""A second, slow reading of the ledger's rules: looks back from the end, and checks consistency by brute force."""

from __future__ import annotations

from collections.abc import Sequence

from annotation.ledger.entries import Entry, Kind

Claim = tuple[int, int, int, int]


def in_force(entries: Sequence[Entry]) -> list[Entry]:
    def holds(entry: Entry) -> bool:
        return not any(e.kind is Kind.REVERT and e.reverts == entry.id and holds(e) for e in entries)

    return [entry for entry in entries if entry.kind is not Kind.REVERT and holds(entry)]


class Oracle:
    def __init__(self, entries: Sequence[Entry]) -> None:
        self.active = in_force(entries)
        self.faces = sorted({face for entry in entries for face in entry.faces + entry.others})
        self.root = {e: e for entry in entries for e in (entry.identity, entry.into) if e is not None}
        for entry in self.active:
            if entry.kind is Kind.MERGE:
                source, target = self.root[entry.identity], self.root[entry.into]
                self.root = {who: target if root == source else root for who, root in self.root.items()}
        self.labels = {face: label for face in self.faces if (label := self._label(face)) is not None}
        self.aside = {face: kind for face in self.faces if (kind := self._aside(face)) is not None}
        self.claims = self._claims()
        self.accepted: list[Claim] = []
        self.dropped: set[tuple[int, tuple[int, ...]]] = set()
        for claim in sorted(self.claims, key=lambda c: (-c[0], *c[1:])):
            if consistent([*self.accepted, claim]):
                self.accepted.append(claim)
            else:
                self.dropped.add((claim[0], tuple(node for node in claim[2:] if node > 0)))

    def _events(self, face: int) -> list[tuple[int, str, int]]:
        """(entry, 'is' | 'not' | 'aside', root or 0) about a face, oldest first."""
        events = []
        for entry in self.active:
            if entry.kind in (Kind.REJECT, Kind.SPLIT) and face in entry.faces:
                events.append((entry.id, "not", self.root[entry.identity]))
            if entry.kind is Kind.SPLIT and face in entry.faces:
                events.append((entry.id, "is", self.root[entry.into]))
            if (entry.kind is Kind.ASSIGN and face in entry.faces + entry.others) or (
                entry.kind is Kind.MERGE and face in entry.faces + entry.others
            ):
                events.append((entry.id, "is", self.root[entry.identity]))
            if entry.kind in (Kind.IGNORE, Kind.NOT_A_FACE) and face in entry.faces:
                events.append((entry.id, "aside", 0))
        return events

    def _label(self, face: int) -> tuple[int, int] | None:
        events = self._events(face)
        for position in range(len(events) - 1, -1, -1):
            entry, what, root = events[position]
            if what == "aside":
                return None
            if what == "is":
                cleared = any(w == "not" and r == root for _, w, r in events[position + 1 :])
                return None if cleared else (root, entry)
        return None

    def _aside(self, face: int) -> Kind | None:
        for entry, what, _ in reversed(self._events(face)):
            if what == "is":
                return None
            if what == "aside":
                return next(e.kind for e in self.active if e.id == entry)
        return None

    def _standing(self, face: int) -> list[tuple[int, int]]:
        """(entry, root) of rejections that no later assignment overruled."""
        events = self._events(face)
        return [
            (entry, root)
            for position, (entry, what, root) in enumerate(events)
            if what == "not" and not any(w == "is" and r == root for _, w, r in events[position + 1 :])
        ]

    def _claims(self) -> list[Claim]:
        answers: dict[tuple[int, int], tuple[int, int]] = {}
        for entry in self.active:
            for a in entry.faces:
                for b in entry.others:
                    pair = (min(a, b), max(a, b))
                    if entry.kind is Kind.SAME:
                        answers[pair] = (entry.id, 1)
                    elif entry.kind is Kind.DIFFERENT or entry.id in [e for e, _ in self._standing(a)]:
                        answers[pair] = (entry.id, 3)
        claims = [(entry, kind, *pair) for pair, (entry, kind) in answers.items()]
        claims += [(entry, 0, face, -root) for face, (root, entry) in self.labels.items()]
        latest = {(face, root): entry for face in self.faces for entry, root in self._standing(face)}
        return claims + [(entry, 2, face, -root) for (face, root), entry in latest.items()]

    def component(self, node: int) -> set[int]:
        return closure(node, self.accepted)

    def person(self, face: int) -> int | None:
        if face in self.aside:
            return None
        return next((-node for node in self.component(face) if node < 0), None)

    def excluded(self, face: int) -> set[int]:
        """Persons that the face's group can't be."""
        mine = self.component(face)
        out = set()
        for _, kind, a, b in self.accepted:
            if kind in (2, 3):
                for here, there in ((a, b), (b, a)):
                    if here in mine:
                        out |= {-node for node in self.component(there) if node < 0}
        return out


def closure(node: int, claims: Sequence[Claim]) -> set[int]:
    found = {node}
    while True:
        more = {x for _, kind, a, b in claims if kind in (0, 1) and (a in found) != (b in found) for x in (a, b)}
        if more <= found:
            return found
        found |= more


def consistent(claims: Sequence[Claim]) -> bool:
    groups: list[set[int]] = []
    for _, kind, a, b in claims:
        if kind in (0, 1):
            joined = {a, b}.union(*(group for group in groups if a in group or b in group))
            groups = [group for group in groups if group.isdisjoint(joined)] + [joined]
    if any(sum(member < 0 for member in group) > 1 for group in groups):
        return False
    return not any(kind in (2, 3) and {a, b} <= group for _, kind, a, b in claims for group in groups)
