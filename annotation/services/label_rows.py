"""Writing many labels in few statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db import connection


class LabelRow(NamedTuple):
    """One row of `Label`."""

    face: int
    identity: int | None
    source: str
    confidence: float
    reason: str
    decision: int | None
    run: int | None


_UPSERT = """
    INSERT INTO annotation_label AS label (face_id, identity_id, source, confidence, reason, decision_id, run_id)
    {source}
    ON CONFLICT (face_id) DO UPDATE SET identity_id = excluded.identity_id, source = excluded.source,
        confidence = excluded.confidence, reason = excluded.reason, decision_id = excluded.decision_id,
        run_id = excluded.run_id, given_id = CASE
            WHEN label.given_as <> '' THEN label.given_id
            WHEN excluded.source = 'auto' AND excluded.identity_id IS NOT NULL THEN NULL
            WHEN label.source = 'auto' AND label.identity_id IS NOT NULL THEN label.identity_id
            ELSE label.given_id END
    WHERE (label.decision_id IS NULL OR label.decision_id <= %s)
        AND (label.identity_id, label.source, label.confidence, label.reason, label.decision_id, label.run_id)
            IS DISTINCT FROM (excluded.identity_id, excluded.source, excluded.confidence, excluded.reason,
                excluded.decision_id, excluded.run_id)
"""
_TYPES = ("bigint[]", "bigint[]", "text[]", "float8[]", "text[]", "bigint[]", "bigint[]")


def write_labels(rows: Sequence[LabelRow], *, upto: int) -> int:
    """Insert or update these labels in one statement; how many changed.

    A label that a later decision than `upto` has given meanwhile is left alone.
    """
    if not rows:
        return 0
    source = f"SELECT * FROM unnest({', '.join(f'%s::{kind}' for kind in _TYPES)})"  # noqa: S608 constants only
    columns = [list(column) for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT.format(source=source), [*columns, upto])
        return int(cursor.rowcount)


class Copied(NamedTuple):
    """What `copy_labels` did: rows `changed`, be it only in their confidence; of the faces that had a label already,
    `known`, those that now have another person or none, or one for the first time, are `moved`."""

    changed: int
    known: int
    moved: int


_MOVES = """
    SELECT count(*), count(*) FILTER (WHERE label.identity_id IS DISTINCT FROM staged.identity
        AND (label.decision_id IS NULL OR label.decision_id <= %s))
    FROM staged_labels staged JOIN annotation_label label ON label.face_id = staged.face
"""


def copy_labels(rows: Iterable[LabelRow], *, upto: int) -> Copied:
    """As `write_labels` for any number of rows, through a temporary table; inside a transaction."""
    with connection.cursor() as cursor:
        stage(
            cursor,
            "staged_labels",
            "face bigint, identity bigint, source text, confidence float8, reason text, decision bigint, run bigint",
            rows,
        )
        cursor.execute(_MOVES, [upto])
        known, moved = cursor.fetchone()
        cursor.execute(_UPSERT.format(source="SELECT * FROM staged_labels ORDER BY face"), [upto])
        return Copied(int(cursor.rowcount), known, moved)


def give_beneath(run: int) -> None:
    """What lies beneath what people say of the faces of a run's clusters is the person whom the run gives them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE annotation_label label SET given_id = cluster.identity_id "
            "FROM annotation_clustermember member JOIN annotation_cluster cluster ON cluster.id = member.cluster_id "
            "WHERE member.run_id = %s AND label.face_id = member.face_id AND label.given_as = '' "
            "AND cluster.identity_id IS NOT NULL AND (label.source = 'human' OR label.identity_id IS NULL)",
            [run],
        )


def stage(cursor: Any, table: str, columns: str, rows: Iterable[Sequence[Any]]) -> None:
    """Fill a temporary table, gone at the end of the transaction, by COPY."""
    cursor.execute(f"DROP TABLE IF EXISTS {table}")
    cursor.execute(f"CREATE TEMPORARY TABLE {table} ({columns}) ON COMMIT DROP")
    copy_rows(cursor, f"COPY {table} FROM STDIN", rows)
    cursor.execute(f"ANALYZE {table}")


def copy_rows(cursor: Any, statement: str, rows: Iterable[Sequence[Any]]) -> None:
    """COPY rows in; `statement` is a constant of ours. Rows must not be read from the database while this goes on."""
    with cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
