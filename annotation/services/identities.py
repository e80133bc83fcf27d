"""What people do with people: name, merge, put faces on them, part them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction

from annotation.ledger.entries import Kind
from annotation.models import Decision, Identity
from annotation.queries.identities import cluster_medoids, has_human_faces, identity_by_id, representatives
from annotation.queries.labels import labels_of
from annotation.services.decisions import By, Draft, record
from foundation.errors import InvalidInput

MEDOIDS = 64  # clusters of one person that a merge or name pins down


@transaction.atomic
def name_person(*, identity_id: int, name: str, by: By) -> list[Decision]:
    """Call a person `name`; empty takes the name away.

    A person known by clustering only is pinned to the faces at the heart of its clusters, so that the name stays with
    them whatever a later clustering does.
    """
    drafts = [Draft(Kind.RENAME, identity=identity_id, text=name)]
    if name.strip():
        drafts += _pin(identity_id)
    return record(drafts, by=by)


@transaction.atomic
def merge_people(*, identity_id: int, into_id: int, by: By) -> list[Decision]:
    """Two people are one, known as `into_id`. The faces at the heart of both are written down with it."""
    return record([merger(identity_id, into_id)], by=by)


def merger(identity_id: int, into_id: int) -> Draft:
    """The entry of a merge."""
    faces = tuple(_hearts(identity_id))
    others = tuple(face for face in _hearts(into_id) if face not in faces)
    return Draft(Kind.MERGE, faces=faces, others=others, identity=identity_id, into=into_id, trusted=True)


@transaction.atomic
def assign_faces(
    *, faces: Sequence[int], identity_id: int | None = None, name: str = "", by: By
) -> tuple[Identity, list[Decision]]:
    """These faces are the person `identity_id`, or a new one. Whoever had them before keeps the rest.

    Faces that somebody else has are split off: a decision that they are not that person goes with it, and faces that
    stay behind are named as unlike them.
    """
    if not faces:
        raise InvalidInput("Choose faces first.", code="missing_field")
    person = identity_by_id(identity_id) if identity_id is not None else create_person()
    drafts = assignment(faces, person.pk)
    if name.strip():
        drafts.append(Draft(Kind.RENAME, identity=person.pk, text=name))
    return person, record(drafts, by=by)


def assignment(faces: Sequence[int], identity_id: int, *, leaving: Iterable[int] = ()) -> list[Draft]:
    """The entries that put faces on a person, whoever has them now; `leaving` go elsewhere in the same action."""
    drafts = []
    for owner, theirs in _by_owner(faces, identity_id).items():
        if owner is None:
            drafts.append(Draft(Kind.ASSIGN, faces=tuple(theirs), identity=identity_id))
        else:
            stay = tuple(representatives(owner, without={*faces, *leaving}))
            drafts.append(Draft(Kind.SPLIT, faces=tuple(theirs), others=stay, identity=owner, into=identity_id))
    return drafts + _pin(identity_id, without=faces)


def create_person() -> Identity:
    """A person made by hand."""
    return Identity.objects.create(origin=Identity.Origin.HUMAN)


@transaction.atomic
def reject_faces(*, identity_id: int, faces: Sequence[int], by: By) -> list[Decision]:
    """These faces are not that person; nor are they who stays there."""
    return record([rejection(identity_id, faces)], by=by)


def rejection(identity_id: int, faces: Sequence[int], *, leaving: Iterable[int] = ()) -> Draft:
    """The entry that says that faces are not a person, nor that of the faces which stay; `leaving` go elsewhere in the
    same action."""
    stay = representatives(identity_id, without={*faces, *leaving})
    return Draft(Kind.REJECT, faces=tuple(faces), others=tuple(stay), identity=identity_id)


def set_aside(*, faces: Sequence[int], kind: str, by: By) -> list[Decision]:
    """`ignore` these faces, or say that they are `not_a_face`."""
    if kind not in (Kind.IGNORE, Kind.NOT_A_FACE):
        raise InvalidInput("Faces can be ignored or said to be no face.", code="unknown_kind")
    return record([Draft(Kind(kind), faces=tuple(faces))], by=by)


def answer_pair(*, face_a: int, face_b: int, same: bool, by: By) -> list[Decision]:
    """Whether two faces are one person."""
    kind = Kind.SAME if same else Kind.DIFFERENT
    return record([Draft(kind, faces=(face_a,), others=(face_b,))], by=by)


def _by_owner(faces: Iterable[int], target: int) -> dict[int | None, list[int]]:
    """The faces by the person whose label they bear; None also for those that the target has already."""
    labels = labels_of(list(faces))
    owners: dict[int | None, list[int]] = {}
    for face in faces:
        owner = labels[face].identity_id if face in labels else None
        owners.setdefault(None if owner == target else owner, []).append(face)
    return owners


def _pin(identity_id: int, without: Iterable[int] = ()) -> list[Draft]:
    if has_human_faces(identity_id):
        return []
    hearts = [face for face in _hearts(identity_id) if face not in set(without)]
    return [Draft(Kind.ASSIGN, faces=tuple(hearts), identity=identity_id, trusted=True)] if hearts else []


def _hearts(identity_id: int) -> list[int]:
    """One face for each of the person's clusters; where it has none, faces that stand for it."""
    return cluster_medoids(identity_id)[:MEDOIDS] or representatives(identity_id, limit=1)
