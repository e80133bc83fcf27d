"""Writing what new faces do to the clusters of a run: a constant number of statements, in bulk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from annotation.models import ClusterRun
from annotation.services.label_rows import stage

Int = NDArray[np.int64]
Float = NDArray[np.float32]

# Ordinals are unique at every moment, so that those that change go out of the way first.
_AWAY = 1_000_000_000
_UPDATE = """
    UPDATE annotation_cluster c SET diameter = s.diameter, widest_a_id = s.widest_a, widest_b_id = s.widest_b,
        medoid_id = s.medoid FROM staged_grown s WHERE c.id = s.id
"""
_INSERT = """
    INSERT INTO annotation_cluster (id, run_id, ordinal, size, diameter, widest_a_id, widest_b_id, medoid_id)
    SELECT s.id, %s, %s + s.number, 0, s.diameter, s.widest_a, s.widest_b, s.medoid FROM staged_grown s
    WHERE NOT EXISTS (SELECT 1 FROM annotation_cluster c WHERE c.id = s.id)
"""
_MEMBERS = """
    INSERT INTO annotation_clustermember AS m (run_id, cluster_id, face_id, similarity)
    SELECT %s, s.cluster, s.face, s.similarity FROM staged_members s ORDER BY s.face
    ON CONFLICT (run_id, face_id) DO UPDATE SET cluster_id = excluded.cluster_id, similarity = excluded.similarity
    WHERE (m.cluster_id, m.similarity) IS DISTINCT FROM (excluded.cluster_id, excluded.similarity)
"""
_SIZES = """
    UPDATE annotation_cluster c SET size = s.size FROM (
        SELECT cluster_id AS id, count(*) AS size FROM annotation_clustermember
        WHERE cluster_id IN (SELECT id FROM staged_grown) GROUP BY cluster_id
    ) s WHERE c.id = s.id
"""
_RANKS = """
    CREATE TEMPORARY TABLE staged_ranks ON COMMIT DROP AS
    SELECT r.id, r.rank FROM (
        SELECT c.id, row_number() OVER (ORDER BY c.size DESC, f.first) - 1 AS rank, c.ordinal FROM annotation_cluster c
        JOIN (SELECT cluster_id, min(face_id) AS first FROM annotation_clustermember
              WHERE run_id = %s AND cluster_id IS NOT NULL GROUP BY cluster_id) f ON f.cluster_id = c.id
        WHERE c.run_id = %s
    ) r WHERE r.rank <> r.ordinal
"""


@dataclass(frozen=True)
class Grown:
    """Clusters 0..k-1 that new faces are in, and the m faces of these.

    Attributes:
        ids: int64 (k,), the cluster's id, 0 for a new one.
        diameter: float32 (k,), cosine distance of `widest`, int64 (k, 2) face ids.
        medoid: int64 (k,), face ids.
        faces: int64 (m,), face ids.
        number: int64 (m,), the cluster of each.
        similarity: float32 (m,), cosine similarity to its medoid.
    """

    ids: Int
    diameter: Float
    widest: Int
    medoid: Int
    faces: Int
    number: Int
    similarity: Float


def write_arrivals(run: ClusterRun, grown: Grown, *, alone: Int) -> None:
    """Make the run's clusters and members those of `grown`, and add faces that are alone; inside a transaction."""
    with connection.cursor() as cursor:
        ids = grown.ids.copy()
        fresh = np.flatnonzero(ids == 0)
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('annotation_cluster', 'id')) FROM generate_series(1, %s)",
            [len(fresh)],
        )
        ids[fresh] = [row[0] for row in cursor.fetchall()]
        columns = "id bigint, number int, diameter float8, widest_a bigint, widest_b bigint, medoid bigint"
        stage(cursor, "staged_grown", columns, _clusters(grown, ids))
        stage(cursor, "staged_members", "face bigint, cluster bigint, similarity float8", _members(grown, ids, alone))
        cursor.execute(_UPDATE)
        cursor.execute(_INSERT, [run.pk, _AWAY])
        cursor.execute(_MEMBERS, [run.pk])
        cursor.execute(_SIZES)
        cursor.execute("DROP TABLE IF EXISTS staged_ranks")
        cursor.execute(_RANKS, [run.pk, run.pk])
        cursor.execute(
            "UPDATE annotation_cluster c SET ordinal = %s + s.rank FROM staged_ranks s WHERE c.id = s.id",
            [_AWAY + len(ids)],
        )
        cursor.execute("UPDATE annotation_cluster c SET ordinal = s.rank FROM staged_ranks s WHERE c.id = s.id")


def count_clusters(run: ClusterRun) -> dict[str, int]:
    """How many faces, clusters and faces alone the run has now, and the size of its largest cluster."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE cluster_id IS NULL) FROM annotation_clustermember "
            "WHERE run_id = %s",
            [run.pk],
        )
        faces, alone = cursor.fetchone()
        cursor.execute("SELECT count(*), coalesce(max(size), 0) FROM annotation_cluster WHERE run_id = %s", [run.pk])
        clusters, largest = cursor.fetchone()
    return {"faces": faces, "clusters": clusters, "alone": alone, "largest": max(largest, int(alone > 0))}


def _clusters(grown: Grown, ids: Int) -> Iterator[tuple[Any, ...]]:
    columns = (ids, grown.diameter, grown.widest[:, 0], grown.widest[:, 1], grown.medoid)
    for number, (pk, *rest) in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        yield pk, number, *rest


def _members(grown: Grown, ids: Int, alone: Int) -> Iterator[tuple[int, int | None, float | None]]:
    columns = (grown.faces, ids[grown.number], grown.similarity)
    yield from zip(*(column.tolist() for column in columns), strict=True)
    for face in alone.tolist():
        yield face, None, None
