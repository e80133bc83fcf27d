"""What else is derived from the ledger and the labels: names, merges, counts and covers of people; pairs of faces."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce

from annotation.ledger.state import State
from annotation.models import ClusterRun, Constraint, Decision, Face, Identity, Label
from annotation.services.direct_labels import people_out_of_line, write_people

# Faces whose pictures people may see; those of held-out collections may bear imported labels.
_SHOWN = """
    CREATE TEMPORARY TABLE staged_shown ON COMMIT DROP AS
    SELECT l.identity_id, l.face_id FROM annotation_label l JOIN annotation_face f ON f.id = l.face_id
    WHERE l.identity_id IS NOT NULL AND (%(all)s OR l.identity_id = ANY(%(only)s)) AND NOT EXISTS (
        SELECT FROM annotation_collectionphoto s
        JOIN annotation_collection c ON c.id = s.collection_id WHERE s.photo_id = f.photo_id AND c.held_out <> ''
    )
"""
# Both are computed before the rows are locked, and then only where something differs.
_COUNTS = """
    CREATE TEMPORARY TABLE staged_counts ON COMMIT DROP AS
    SELECT p.id, count(l.face_id) AS faces FROM annotation_identity p
    LEFT JOIN staged_shown l ON l.identity_id = p.id WHERE %(all)s OR p.id = ANY(%(only)s)
    GROUP BY p.id HAVING p.faces_count <> count(l.face_id)
"""
_COVERS = """
    CREATE TEMPORARY TABLE staged_covers ON COMMIT DROP AS
    SELECT DISTINCT ON (l.identity_id) l.identity_id AS id, l.face_id AS cover FROM staged_shown l
    JOIN annotation_identity p ON p.id = l.identity_id
    LEFT JOIN staged_shown c ON c.face_id = p.cover_id AND c.identity_id = p.id
    LEFT JOIN annotation_clustermember m ON m.face_id = l.face_id AND m.run_id = %(run)s
    WHERE c.face_id IS NULL ORDER BY l.identity_id, m.similarity DESC NULLS LAST, l.face_id
"""


# In the order in which decisions lock people, so that nobody waits in a circle.
_LOCK = """
    SELECT FROM annotation_identity WHERE id IN (
        SELECT unnest(%s::bigint[]) UNION SELECT id FROM staged_counts UNION SELECT id FROM staged_covers
        UNION SELECT id FROM annotation_identity WHERE faces_count = 0 AND cover_id IS NOT NULL
    ) ORDER BY id FOR NO KEY UPDATE
"""


# Sent as one, since decisions wait for it: a worker that lets others come first may wait long between two statements.
_WRITE = """
    UPDATE annotation_identity i SET faces_count = s.faces FROM staged_counts s WHERE s.id = i.id;
    UPDATE annotation_identity i SET cover_id = s.cover FROM staged_covers s WHERE s.id = i.id;
    UPDATE annotation_identity SET cover_id = NULL WHERE faces_count = 0 AND cover_id IS NOT NULL
"""


def refresh_people(state: State, *, run: ClusterRun | None, upto: int, only: Iterable[int] | None = None) -> None:
    """Bring every person's name, merge, number of faces and cover (its most central face) up to date.

    Decisions about people whose row changes wait from here to the end of the transaction, so it comes last.
    `only`: of these people.
    """
    people = [] if only is None else [*only, *_given_away()]
    given: dict[str, Any] = {"run": run.pk if run else 0, "all": only is None, "only": people}
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS staged_shown, staged_counts, staged_covers")
        cursor.execute(_SHOWN, given)
        cursor.execute("ANALYZE staged_shown")
        cursor.execute(_COUNTS, given)
        cursor.execute(_COVERS, given)
        changed = people_out_of_line(state, _people_of(state, cursor) if only is None else people)
        cursor.execute(_LOCK, [[person.pk for person in changed]])
        decided = _decided_since(upto)
        write_people(person for person in changed if person.pk not in decided)
        cursor.execute(_WRITE)


def _given_away() -> set[int]:
    """Imported people some of whose faces were given to others: no ledger tells whose they were."""
    counted = Label.objects.filter(identity=OuterRef("pk")).order_by().values("identity").annotate(n=Count("pk"))
    known = Identity.objects.filter(origin=Identity.Origin.IMPORT)
    lost = known.exclude(faces_count=Coalesce(Subquery(counted.values("n")), 0))
    return set(lost.values_list("pk", flat=True))


def _people_of(state: State, cursor: Any) -> set[int]:
    """Everybody who has a name or was merged, by the ledger or in the table."""
    cursor.execute("SELECT id FROM annotation_identity WHERE name <> '' OR merged_into_id IS NOT NULL")
    return {row[0] for row in cursor.fetchall()} | set(state.root) | set(state.names)


def _decided_since(upto: int) -> set[int]:
    """People on whom later decisions have spoken; another recomputation follows for them."""
    rows = Decision.objects.filter(pk__gt=upto).values_list("identity_id", "into_id")
    return {number for row in rows for number in row if number is not None}


def keep_constraints(state: State) -> None:
    """Make the table of derived pairs equal to the state's."""
    kinds = ((Constraint.Kind.MUST, state.must), (Constraint.Kind.CANNOT, state.cannot))
    wanted = {(kind.value, a, b, entry) for kind, pairs in kinds for (a, b), entry in pairs.items()}
    fields = ("kind", "face_a_id", "face_b_id", "decision_id")
    present = {row[1:]: row[0] for row in Constraint.objects.values_list("pk", *fields)}
    Constraint.objects.filter(pk__in=[pk for row, pk in present.items() if row not in wanted]).delete()
    missing = sorted(wanted - present.keys())
    exist = _existing({face for _, a, b, _ in missing for face in (a, b)})
    Constraint.objects.bulk_create(
        [Constraint(**dict(zip(fields, row, strict=True))) for row in missing if row[1] in exist and row[2] in exist],
        batch_size=5000,
    )


def _existing(faces: Iterable[int]) -> set[int]:
    return set(Face.objects.filter(pk__in=list(faces)).values_list("pk", flat=True))
