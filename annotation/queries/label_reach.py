"""Which labels some news of the ledger can change: far fewer than all, and never one too few."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from annotation.ledger.entries import Entry, Kind
from annotation.ledger.replay import replay
from annotation.ledger.state import State
from annotation.models import ClusterRun

MOST = 50_000  # faces; beyond, making all labels anew costs little more

_CLUSTERS = """
    SELECT DISTINCT cluster_id FROM annotation_clustermember
    WHERE run_id = %s AND face_id = ANY(%s) AND cluster_id IS NOT NULL
"""
_PERSONS = """
    SELECT DISTINCT person FROM annotation_label, LATERAL (VALUES (identity_id), (given_id)) beneath(person)
    WHERE face_id = ANY(%s) AND person IS NOT NULL
"""
_NAMED = "SELECT DISTINCT identity_id FROM annotation_cluster WHERE id = ANY(%s) AND identity_id IS NOT NULL"
_PROFILES = """
    SELECT DISTINCT s.collection_id FROM annotation_face f JOIN annotation_collectionphoto s ON s.photo_id = f.photo_id
    JOIN annotation_collection c ON c.id = s.collection_id AND c.prior = 'profile' WHERE f.id = ANY(%s)
"""
_IN_CLUSTERS = "SELECT face_id FROM annotation_clustermember WHERE cluster_id = ANY(%s)"
_OF_PERSONS = """
    SELECT l.face_id FROM unnest(%s::bigint[]) person, LATERAL (
        SELECT face_id FROM annotation_label WHERE identity_id = person
        UNION ALL SELECT face_id FROM annotation_label WHERE given_id = person
    ) l
"""
_IN_PROFILES = """
    SELECT f.id FROM annotation_collectionphoto s JOIN annotation_face f ON f.photo_id = s.photo_id
    WHERE s.collection_id = ANY(%s)
"""


@dataclass(frozen=True)
class Reach:
    """Faces whose labels are to be made anew together, and all persons that they have, had or may get."""

    faces: frozenset[int]
    persons: frozenset[int]


def find_reach(entries: Sequence[Entry], state: State, *, since: int, run: ClusterRun | None) -> Reach | None:
    """What the entries after `since` can change where all labels were in line with those before; None beyond `MOST`.

    From the faces and persons of which the ledger now says something else, it goes on to all that labelling judges
    together: a cluster, faces tied by `same`, a person with all their faces, a profile. Nothing outside of it depends
    on anything in it.
    """
    faces, persons = _news(entries, state, since)
    return _Search(state, run).everything(faces, persons)


def _news(entries: Sequence[Entry], state: State, since: int) -> tuple[set[int], set[int]]:
    before = replay([entry for entry in entries if entry.id <= since])
    faces: set[int] = set()
    persons: set[int] = set()
    columns: tuple[tuple[Mapping[int, Any], Mapping[int, Any]], ...] = (
        (before.identity_of, state.identity_of),
        (before.decided_by, state.decided_by),
        (before.set_aside, state.set_aside),
        (before.rejected, state.rejected),
        (before.group_of, state.group_of),
    )
    for old, new in columns:
        faces |= _differing(old, new)
    faces.update(face for pair in _differing(before.cannot, state.cannot) for face in pair)
    merged = _differing(before.root, state.root)
    persons |= merged | {root(person) for person in merged for root in (before.root_of, state.root_of)}
    persons |= _differing(before.names, state.names)
    for entry in _spoken(entries, since):  # some of it was written at once, be it taken back since
        faces.update(entry.faces, entry.others)
        persons.update(person for person in (entry.identity, entry.into) if person is not None)
    # Who lost the faces by that: whoever people said they were, or their clusters' persons (see `_NAMED`).
    persons.update(before.identity_of[face] for face in faces if face in before.identity_of)
    return faces, persons


def _differing(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> set[Any]:
    return {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}


def _spoken(entries: Sequence[Entry], since: int) -> list[Entry]:
    """The entries after `since`, and those that they take or bring back."""
    by_id = {entry.id: entry for entry in entries}
    found = {entry.id for entry in entries if entry.id > since}
    for entry in reversed(entries):
        if entry.id in found and entry.kind is Kind.REVERT and entry.reverts is not None:
            found.add(entry.reverts)
    return [by_id[number] for number in found]


class _Search:
    """From some faces and persons to all that hangs together with them, step by step."""

    def __init__(self, state: State, run: ClusterRun | None) -> None:
        self._state, self._run = state, run.pk if run else 0
        self._put_on: defaultdict[int, set[int]] = defaultdict(set)
        for face, person in state.identity_of.items():
            self._put_on[person].add(face)
        self._tied: defaultdict[int, set[int]] = defaultdict(set)
        for face, group in state.group_of.items():
            self._tied[group].add(face)
        self._merged: defaultdict[int, set[int]] = defaultdict(set)
        for person, root in state.root.items():
            self._merged[root].add(person)
        self._faces: set[int] = set()
        self._persons: set[int] = set()
        self._clusters: set[int] = set()
        self._profiles: set[int] = set()

    def everything(self, faces: set[int], persons: set[int]) -> Reach | None:
        while faces or persons:
            self._faces |= faces
            if len(self._faces) > MOST:
                return None
            clusters = _column(_CLUSTERS, self._run, list(faces)) - self._clusters
            profiles = _column(_PROFILES, list(faces)) - self._profiles
            self._clusters |= clusters
            self._profiles |= profiles
            persons |= self._persons_of(faces) | _column(_NAMED, list(clusters))
            persons = self._families(persons) - self._persons
            self._persons |= persons
            reached = _column(_IN_CLUSTERS, list(clusters)) | _column(_IN_PROFILES, list(profiles))
            reached |= _column(_OF_PERSONS, list(persons)) | self._tied_to(faces)
            faces = reached.union(*(self._put_on.get(person, ()) for person in persons)) - self._faces
            persons = set()
        return Reach(frozenset(self._faces), frozenset(self._persons))

    def _persons_of(self, faces: set[int]) -> set[int]:
        said = {self._state.identity_of[face] for face in faces if face in self._state.identity_of}
        return said | _column(_PERSONS, list(faces))

    def _families(self, persons: Iterable[int]) -> set[int]:
        """With whom they were merged."""
        roots = {self._state.root_of(person) for person in persons}
        return roots.union(persons, *(self._merged.get(root, ()) for root in roots))

    def _tied_to(self, faces: set[int]) -> set[int]:
        groups = {self._state.group_of[face] for face in faces if face in self._state.group_of}
        return set().union(*(self._tied[group] for group in groups))


def _column(statement: str, *values: Any) -> set[int]:
    if not values[-1]:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return {row[0] for row in cursor.fetchall()}
