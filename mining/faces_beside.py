"""Faces of people that are shown beside a question."""

from __future__ import annotations

from collections.abc import Iterable

from annotation.models import Face
from annotation.queries.picture_access import showable_faces

STRIP = 6  # of a person whom a face may show
ROW = 12  # of each of two people who may be one


def surest_faces(identities: Iterable[int]) -> dict[int, list[int]]:
    """A few of each person's surest faces, in one query however many people there are."""
    ids = sorted(identities)
    if not ids:
        return {}
    rows = Face.objects.raw(
        """
        SELECT f.id, chosen.identity_id AS person
        FROM unnest(%s::bigint[]) AS wanted(id)
        CROSS JOIN LATERAL (
            SELECT face_id, identity_id FROM annotation_label
            WHERE identity_id = wanted.id
            ORDER BY (source = 'human') DESC, confidence DESC, face_id
            LIMIT %s
        ) AS chosen
        JOIN annotation_face f ON f.id = chosen.face_id
        """,
        [ids, STRIP + 2],
    )
    strips: dict[int, list[int]] = {}
    for row in rows:
        strips.setdefault(row.person, []).append(row.pk)  # type: ignore[attr-defined]
    return strips


def faces_over_time(identities: Iterable[int]) -> dict[int, list[int]]:
    """Up to `ROW` of each person's faces, evenly over all of them from the oldest to the newest photo."""
    rows = Face.objects.raw(
        """
        SELECT id, person FROM (
            SELECT f.id, l.identity_id AS person,
                row_number() OVER (PARTITION BY l.identity_id ORDER BY p.taken_at NULLS LAST, f.id) - 1 AS place,
                count(*) OVER (PARTITION BY l.identity_id) AS total
            FROM annotation_label l
            JOIN annotation_face f ON f.id = l.face_id
            JOIN annotation_photo p ON p.id = f.photo_id
            WHERE l.identity_id = ANY(%s::bigint[])
        ) AS faces
        WHERE place = 0 OR place * %s / total <> (place - 1) * %s / total
        ORDER BY person, place
        """,
        [sorted(identities), ROW, ROW],
    )
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(row.person, []).append(row.pk)  # type: ignore[attr-defined]
    visible = set(
        showable_faces().filter(pk__in=[face for row in found.values() for face in row]).values_list("pk", flat=True)
    )
    return {person: [face for face in row if face in visible] for person, row in found.items()}
