"""Reading labels and what they follow from, in bulk."""

from __future__ import annotations

from collections.abc import Collection as Several
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import BigIntegerField, Count, Min, QuerySet
from django.db.models.expressions import RawSQL

from annotation.ledger.labels import Clustered, Int
from annotation.models import ClusterMember, ClusterRun, Collection, CollectionPhoto, Face, Label
from annotation.queries.picture_access import held_out

CHUNK = 20_000
FEW = 100_000  # so many are looked up one by one rather than read with all others


def labels_of(face_ids: Sequence[int]) -> dict[int, Label]:
    """The effective labels of these faces, by face; those without one are left out."""
    return {label.face_id: label for label in Label.objects.filter(face__in=face_ids).select_related("identity")}


def count_by_reason() -> dict[str, int]:
    """{reason: faces} of the faces without a person."""
    rows = Label.objects.filter(identity=None).order_by().values_list("reason").annotate(n=Count("pk"))
    return dict(rows)


def clustered_faces(run: ClusterRun | None, also: Iterable[int] = (), *, only: Several[int] | None = None) -> Clustered:
    """The rows of a run, by face id; then, as alone, faces of the pool in `also` that the run does not know.

    `only`: nothing but these faces.
    """
    members = ClusterMember.objects.filter(run=run) if run else ClusterMember.objects.none()
    if only is not None:
        members = members.filter(face__in=_these(only))
        also = [face for face in also if face in only]
    rows = members.order_by("face_id").values_list(
        "face_id", "face__photo_id", "cluster_id", "similarity", "face__quality"
    )
    columns = _columns(rows, 5)
    known = set(columns[0].tolist())
    missing = Face.objects.filter(pk__in=[face for face in also if face not in known]).exclude(held_out("photo_id"))
    extra = _columns(missing.order_by("pk").values_list("pk", "photo_id", "quality"), 3)
    n = len(extra[0])
    face_ids = np.concatenate([columns[0], extra[0]]).astype(np.int64)
    photo_ids = np.concatenate([columns[1], extra[1]]).astype(np.int64)
    return Clustered(
        face_ids=face_ids,
        photo_ids=photo_ids,
        clusters=np.concatenate([np.nan_to_num(columns[2], nan=-1), np.full(n, -1)]).astype(np.int64),
        similarity=np.concatenate([np.nan_to_num(columns[3]), np.zeros(n)]).astype(np.float32),
        quality=np.concatenate([columns[4], extra[2]]).astype(np.float32),
        profiles=profiles_of(photo_ids),
    )


def profiles_of(photo_ids: Int) -> Int:
    """(n,) the `profile` collection of each photo, the smallest id where there are several, -1 for none."""
    rows = CollectionPhoto.objects.filter(collection__prior=Collection.Prior.PROFILE).order_by()
    if len(photo_ids) < FEW:
        rows = rows.filter(photo__in=_these(photo_ids.tolist()))
    profile = dict(rows.values_list("photo").annotate(profile=Min("collection")))
    return np.array([profile.get(photo, -1) for photo in photo_ids.tolist()], np.int64)


def in_run(run: ClusterRun, faces: Int) -> Int:
    """Those of the faces that the run knows."""
    found = ClusterMember.objects.filter(run=run, face__in=_these(faces.tolist()))
    return np.fromiter(found.values_list("face_id", flat=True), np.int64)


@dataclass(frozen=True)
class LastLabels:
    """What labels say without people, be it beneath what people say.

    Attributes:
        persons: face -> the person that it showed last.
        given: face -> (person, source) of a label from outside: import or synthesis.
        human: faces of whom people's word holds, or held until now.
    """

    persons: dict[int, int]
    given: dict[int, tuple[int, str]]
    human: set[int]


def last_labels(*, only: Several[int] | None = None) -> LastLabels:
    """Of every face that has a label; `only`: of these faces."""
    rows = Label.objects.values_list("face_id", "identity_id", "source", "given_id", "given_as")
    if only is not None:
        rows = rows.filter(face__in=_these(only))
    last = LastLabels({}, {}, set())
    for face, identity, source, given, given_as in rows.iterator(chunk_size=CHUNK):
        if source == Label.Source.HUMAN:
            last.human.add(face)
        elif source != Label.Source.AUTO:
            given, given_as = given or identity, source
        person = identity if source == Label.Source.AUTO and identity else given
        if person:
            last.persons[face] = person
        if given and given_as:
            last.given[face] = given, given_as
    return last


def persons_given_by(run: ClusterRun | None) -> dict[int, int]:
    """(face -> person) of the run's clusters, if it was current before; nothing for a new run or None."""
    if run is None:
        return {}
    rows = ClusterMember.objects.filter(run=run, cluster__identity__isnull=False).order_by()
    return dict(rows.values_list("face_id", "cluster__identity_id"))


def _these(faces: Several[int]) -> RawSQL:
    """For `__in`: as one array, however many there are."""
    return RawSQL("SELECT unnest(%s::bigint[])", [list(faces)], output_field=BigIntegerField())


def _columns(rows: QuerySet[Any, Any], width: int) -> list[np.ndarray[Any, np.dtype[np.float64]]]:
    """Numbers column by column; null becomes NaN. Ids stay exact up to 2**53."""
    table = [[np.nan if value is None else value for value in row] for row in rows.iterator(chunk_size=CHUNK)]
    return list(np.array(table, np.float64).reshape(-1, width).T)
