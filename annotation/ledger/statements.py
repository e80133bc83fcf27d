"""First half of a replay: entry by entry, what was said last about each face, pair and person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from annotation.ledger.entries import Entry, Kind
from annotation.ledger.state import Conflict
from foundation.errors import InvalidInput

Pair = tuple[int, int]


def pair_of(a: int, b: int) -> Pair:
    """The unordered pair, smaller face id first."""
    return (a, b) if a < b else (b, a)


@dataclass(frozen=True, slots=True)
class Said:
    """A statement about a person: the identity as it was named then, and the entry."""

    identity: int
    entry: int


@dataclass(slots=True)
class Statements:
    """The last word on everything, each by itself; they may still contradict one another."""

    root: dict[int, int] = field(default_factory=dict)
    labels: dict[int, Said] = field(default_factory=dict)
    rejections: dict[int, dict[int, list[Said]]] = field(default_factory=dict)
    set_aside: dict[int, tuple[Kind, int]] = field(default_factory=dict)
    same: dict[Pair, int] = field(default_factory=dict)
    different: dict[Pair, int] = field(default_factory=dict)
    names: dict[int, tuple[int, str]] = field(default_factory=dict)
    identity_tags: dict[int, set[str]] = field(default_factory=dict)
    face_tags: dict[int, set[str]] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)


def reverted_ids(entries: Sequence[Entry]) -> frozenset[int]:
    """Entries that are taken back at present, reverts included. From the end, so every revert is known to hold or not.

    Raises:
        InvalidInput: ids don't rise, or a revert points at no earlier entry.
    """
    positions: dict[int, int] = {}
    last = 0
    for position, entry in enumerate(entries):
        if entry.id <= last:
            raise InvalidInput(f"Entry {entry.id} follows {last}; ids must rise from 1.", code="ledger_out_of_order")
        last = entry.id
        positions[entry.id] = position
        if entry.kind is Kind.REVERT and positions.get(entry.reverts or 0, position) >= position:
            raise InvalidInput(
                f"Entry {entry.id} reverts {entry.reverts}, which is no earlier entry.", code="bad_revert"
            )
    reverted: set[int] = set()
    for entry in reversed(entries):
        if entry.kind is Kind.REVERT and entry.id not in reverted and entry.reverts is not None:
            reverted.add(entry.reverts)
    return frozenset(reverted)


def roots(active: Iterable[Entry]) -> dict[int, int]:
    """What each merged identity has become. Merging a person into one that it already is changes nothing."""
    into: dict[int, int] = {}

    def find(identity: int) -> int:
        path = []
        while identity in into:
            path.append(identity)
            identity = into[identity]
        for step in path:
            into[step] = identity
        return identity

    for entry in active:
        if entry.kind is Kind.MERGE and entry.identity is not None and entry.into is not None:
            source, target = find(entry.identity), find(entry.into)
            if source != target:
                into[source] = target
    return {identity: find(identity) for identity in into}


def collect(active: Sequence[Entry]) -> Statements:
    """Go through the entries that hold, oldest first."""
    said = Statements(root=roots(active))
    for entry in active:
        _take(said, entry)
    _collect_pairs(said, active)
    return said


def _take(said: Statements, entry: Entry) -> None:
    match entry.kind:
        case Kind.ASSIGN:
            _assign(said, entry.faces + entry.others, entry.identity or 0, entry.id)
        case Kind.REJECT:
            _reject(said, entry.faces, entry.identity or 0, entry.id)
        case Kind.SPLIT:
            _reject(said, entry.faces, entry.identity or 0, entry.id)
            _assign(said, entry.faces, entry.into or 0, entry.id)
        case Kind.MERGE:
            _assign(said, entry.faces, entry.identity or 0, entry.id)
            _assign(said, entry.others, entry.into or 0, entry.id)
        case Kind.IGNORE | Kind.NOT_A_FACE:
            for face in entry.faces:
                said.labels.pop(face, None)
                said.set_aside[face] = (entry.kind, entry.id)
        case Kind.RENAME:
            said.names[entry.identity or 0] = (entry.id, entry.text)
        case Kind.TAG:
            if entry.identity is not None:
                said.identity_tags.setdefault(said.root.get(entry.identity, entry.identity), set()).add(entry.text)
            for face in entry.faces:
                said.face_tags.setdefault(face, set()).add(entry.text)


def _assign(said: Statements, faces: Iterable[int], identity: int, entry: int) -> None:
    label = Said(identity, entry)
    person = said.root.get(identity, identity)
    for face in faces:
        for rejection in said.rejections.get(face, {}).pop(person, ()):
            if rejection.identity != identity and rejection.entry != entry:
                said.conflicts.append(Conflict(rejection.entry, (entry,), (face,), "merge"))
        said.set_aside.pop(face, None)
        said.labels[face] = label


def _reject(said: Statements, faces: Iterable[int], identity: int, entry: int) -> None:
    person = said.root.get(identity, identity)
    for face in faces:
        label = said.labels.get(face)
        if label is not None and said.root.get(label.identity, label.identity) == person:
            del said.labels[face]
            if label.identity != identity:
                said.conflicts.append(Conflict(label.entry, (entry,), (face,), "merge"))
        said.rejections.setdefault(face, {}).setdefault(person, []).append(Said(identity, entry))


def _collect_pairs(said: Statements, active: Iterable[Entry]) -> None:
    """The last answer per pair. A rejection that was overruled has no say about the faces that stood beside it."""
    standing = {
        (face, rejection.entry)
        for face, persons in said.rejections.items()
        for rejections in persons.values()
        for rejection in rejections
    }
    for entry in active:
        if entry.kind is Kind.SAME:
            pair = pair_of(entry.faces[0], entry.others[0])
            said.different.pop(pair, None)
            said.same[pair] = entry.id
        elif entry.kind is Kind.DIFFERENT or (entry.others and entry.kind in (Kind.REJECT, Kind.SPLIT)):
            for face in entry.faces:
                if entry.kind is Kind.DIFFERENT or (face, entry.id) in standing:
                    _answer_different(said, face, entry)


def _answer_different(said: Statements, face: int, entry: Entry) -> None:
    for other in entry.others:
        pair = pair_of(face, other)
        said.same.pop(pair, None)
        said.different[pair] = entry.id
