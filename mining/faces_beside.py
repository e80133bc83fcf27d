"""Faces of people that are shown beside a question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from annotation.models import Face
from annotation.queries.picture_access import showable_faces
from mining.models import ReviewItem

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
        WHERE NOT EXISTS (
            SELECT 1 FROM annotation_collectionphoto s JOIN annotation_collection c ON c.id = s.collection_id
            WHERE s.photo_id = f.photo_id AND c.held_out <> ''
        )
        """,
        [ids, STRIP + 2],
    )
    strips: dict[int, list[int]] = {}
    for row in rows:
        strips.setdefault(row.person, []).append(row.pk)  # type: ignore[attr-defined]
    return strips


def faces_over_time(
    identities: Iterable[int], given: Mapping[int, Iterable[int]] | None = None
) -> dict[int, list[int]]:
    """Up to `ROW` of each person's faces, evenly over all of them from the oldest to the newest photo; in two queries.

    Args:
        given: {key: faces}, treated like the faces of one more person; keys are below 0.
    """
    sets = {key: sorted(faces) for key, faces in (given or {}).items()}
    rows = Face.objects.raw(
        """
        SELECT id, person FROM (
            SELECT f.id, l.person,
                row_number() OVER (PARTITION BY l.person ORDER BY p.taken_at NULLS LAST, f.id) - 1 AS place,
                count(*) OVER (PARTITION BY l.person) AS total
            FROM (
                SELECT identity_id AS person, face_id FROM annotation_label WHERE identity_id = ANY(%s::bigint[])
                UNION ALL SELECT * FROM unnest(%s::bigint[], %s::bigint[])
            ) AS l
            JOIN annotation_face f ON f.id = l.face_id
            JOIN annotation_photo p ON p.id = f.photo_id
        ) AS faces
        WHERE place = 0 OR place * %s / total <> (place - 1) * %s / total
        ORDER BY person, place
        """,
        [
            sorted(identities),
            [key for key, faces in sets.items() for _ in faces],
            [face for faces in sets.values() for face in faces],
            ROW,
            ROW,
        ],
    )
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(row.person, []).append(row.pk)  # type: ignore[attr-defined]
    visible = set(
        showable_faces().filter(pk__in=[face for row in found.values() for face in row]).values_list("pk", flat=True)
    )
    return {person: [face for face in row if face in visible] for person, row in found.items()}


def rows_of_merges(items: Iterable[ReviewItem]) -> dict[int, tuple[list[int], list[int]]]:
    """The two rows of each question about two people, oldest to newest, by the question's id."""
    sides = {item.pk: item.evidence.get("sides") for item in items}
    people = {item.pk: item.identities[:2] for item in items if not sides[item.pk]}
    given = {-2 * pk - at: faces for pk, both in sides.items() if both for at, faces in enumerate(both)}
    found = faces_over_time({person for two in people.values() for person in two}, given)
    keys = {pk: people.get(pk, [-2 * pk, -2 * pk - 1]) for pk in sides}
    return {pk: (found.get(a, []), found.get(b, [])) for pk, (a, b) in keys.items()}
