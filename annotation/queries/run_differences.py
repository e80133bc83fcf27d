"""What one cluster run does differently from another, with the people whom it affects."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from django.core.cache import cache
from django.db import connection
from django.db.models import Max

from annotation.clustering.constraints import Constraints
from annotation.clustering.difference import ABSENT, contradictions, difference
from annotation.clustering.metrics import Agreement, agreement
from annotation.clustering.vectors import Indexes
from annotation.models import Cluster, ClusterRun, Constraint, Decision
from annotation.queries.cluster_run_pages import clusters_by_id
from jobs.models import Job

LISTED = 12  # clusters of each kind on a page of the list, and pairs
PARTS = 6  # of one cluster
PAGES = 50  # of each kind
KEPT_SECONDS = 600
Kind = Literal["split", "merged"]

# Face by face; NULL, no cluster, becomes -1, and a face that one run does not know gets -2 there.
_FACES = """
    SELECT face_id,
        CASE WHEN b.run_id IS NULL THEN -2 ELSE coalesce(b.cluster_id, -1) END::bigint AS before,
        CASE WHEN a.run_id IS NULL THEN -2 ELSE coalesce(a.cluster_id, -1) END::bigint AS after,
        coalesce(l.identity_id, -1)::bigint AS person,
        coalesce(l.source = 'human', false)::int::bigint AS human
    FROM (SELECT face_id, run_id, cluster_id FROM annotation_clustermember WHERE run_id = {before}) b
    FULL JOIN (SELECT face_id, run_id, cluster_id FROM annotation_clustermember WHERE run_id = {after}) a
        USING (face_id)
    LEFT JOIN annotation_label l USING (face_id)
    ORDER BY face_id
"""
_COLUMNS = 5
# A row of COPY's binary format: how many columns, then each one's length and value; all of ours are 8 bytes.
_ROW = np.dtype([("columns", ">i2"), ("values", [("length", ">i4"), ("value", ">i8")], _COLUMNS)])
_HEADER, _TRAILER = 19, 2  # bytes

# The clusters of one side, and how many faces each shares with those of the other.
_PARTS = """
    SELECT one.cluster_id, other.cluster_id, count(*) AS faces
    FROM annotation_clustermember one
    JOIN annotation_clustermember other ON other.face_id = one.face_id AND other.run_id = %s
    WHERE one.cluster_id = ANY(%s) AND other.cluster_id IS NOT NULL
    GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2
"""
_WRITE_LABELS = ("cluster", "apply_clustering", "join_new", "labels")  # kinds of jobs


@dataclass(frozen=True)
class ClusterChange:
    """A cluster and the clusters of the other run that share faces with it.

    Attributes:
        parts: (cluster, faces shared), most first, at most `PARTS` of `parts_count`.
    """

    cluster: Cluster
    parts: list[tuple[Cluster, int]]
    parts_count: int


@dataclass(frozen=True)
class RunDifference:
    """From run `before` to run `after`; see `annotation.clustering.difference` for what the words mean.

    Attributes:
        faces: in both runs.
        moved .. vanished: faces.
        same .. gone: clusters of two or more faces.
        people: persons with a face for which anything differs.
        together, parted: pairs of faces about which `after` contradicts people, at most `LISTED`, and how many.
        agreement: of both runs, over the faces that both know; of `before` as the truth.
        confirmed: of `before` and of `after` with what people said, over the faces that they put on persons; None
            without such faces.
        split_clusters: of `before`, `merged_clusters`: of `after`, by falling size, as many as `PAGES` pages hold.
    """

    before: ClusterRun
    after: ClusterRun
    faces: int
    moved: int
    joined: int
    left: int
    appeared: int
    vanished: int
    same: int
    split: int
    merged: int
    new: int
    gone: int
    people: int
    together: list[tuple[int, int]]
    together_count: int
    parted: list[tuple[int, int]]
    parted_count: int
    agreement: Agreement
    confirmed: tuple[Agreement, Agreement] | None
    split_clusters: tuple[int, ...]
    merged_clusters: tuple[int, ...]

    @property
    def is_none(self) -> bool:
        """Whether both runs put every face in the same place."""
        return not (self.moved + self.joined + self.left + self.appeared + self.vanished)


@dataclass(frozen=True)
class _Faces:
    """One row per face of either run, by face id."""

    ids: Indexes
    before: Indexes
    after: Indexes
    person: Indexes
    human: np.ndarray[tuple[int], np.dtype[np.bool_]]


def kept_difference(before: ClusterRun, after: ClusterRun) -> RunDifference:
    """`difference_of`, computed once for as long as both runs, what people said and the labels stay as they are, but
    anew after ten minutes."""
    said = Decision.objects.aggregate(last=Max("pk"))["last"]
    labelled = Job.objects.filter(kind__in=_WRITE_LABELS).aggregate(last=Max("finished_at"))["last"]
    # Faces that join a run change its digest.
    parts = [str(part) for run in (before, after) for part in (run.pk, run.input_digest, run.current)]
    key = ":".join(["run_difference", *parts, str(said), str(labelled and labelled.timestamp())])
    found: RunDifference | None = cache.get(key)
    if found is None:
        found = difference_of(before, after)
        cache.set(key, found, KEPT_SECONDS)
    return replace(found, before=before, after=after)


def difference_of(before: ClusterRun, after: ClusterRun) -> RunDifference:
    """Compares two runs whose clusters are kept: a constant number of queries; 4 to 5 s and 600 MB for a million
    faces."""
    faces = _load(before, after)
    found = difference(faces.before, faces.after)
    against = contradictions(faces.after, _decisions(faces))
    both = (faces.before != ABSENT) & (faces.after != ABSENT)
    old, new = np.maximum(faces.before, -1), np.maximum(faces.after, -1)
    told = both & faces.human & (faces.person >= 0)
    return RunDifference(
        before=before,
        after=after,
        faces=int(both.sum()),
        **{name: int(getattr(found, name).sum()) for name in ("moved", "joined", "left", "appeared", "vanished")},
        same=found.same,
        **{name: len(getattr(found, name)) for name in ("split", "merged", "new", "gone")},
        people=len(np.unique(faces.person[found.changed & (faces.person >= 0)])),
        together=_pairs(faces, against.together),
        together_count=len(against.together),
        parted=_pairs(faces, against.parted),
        parted_count=len(against.parted),
        agreement=agreement(new, old, both),
        confirmed=(agreement(old, faces.person, told), agreement(new, faces.person, told)) if told.any() else None,
        split_clusters=tuple(found.split[: LISTED * PAGES].tolist()),
        merged_clusters=tuple(found.merged[: LISTED * PAGES].tolist()),
    )


def list_changes(found: RunDifference, kind: Kind, page: int = 0) -> tuple[list[ClusterChange], bool]:
    """A page of the clusters that were split, or merged from several, largest first, and whether there are more."""
    one_side, other_run = (
        (found.split_clusters, found.after) if kind == "split" else (found.merged_clusters, found.before)
    )
    chosen = list(one_side[page * LISTED : (page + 1) * LISTED])
    parts: dict[int, list[tuple[int, int]]] = {one: [] for one in chosen}
    with connection.cursor() as cursor:
        cursor.execute(_PARTS, [other_run.pk, chosen])
        for one, other, faces in cursor.fetchall():
            parts[one].append((other, faces))
    shown = {*chosen, *(other for rows in parts.values() for other, _ in rows[:PARTS])}
    known = clusters_by_id(sorted(shown))
    return [
        ClusterChange(known[one], [(known[other], faces) for other, faces in rows[:PARTS]], len(rows))
        for one, rows in parts.items()
        if rows
    ], (page + 1) * LISTED < len(one_side)


def _load(before: ClusterRun, after: ClusterRun) -> _Faces:
    """By binary COPY, straight into an array: lists of a million numbers would take ten times the memory."""
    faces = _FACES.format(before=int(before.pk), after=int(after.pk))  # COPY takes no parameters
    with connection.cursor() as cursor, cursor.copy(f"COPY ({faces}) TO STDOUT (FORMAT binary)") as copy:
        raw = b"".join(copy)
    rows = np.frombuffer(raw, _ROW, count=(len(raw) - _HEADER - _TRAILER) // _ROW.itemsize, offset=_HEADER)
    ids, old, new, person, human = (rows["values"]["value"][:, k].astype(np.int64) for k in range(_COLUMNS))
    return _Faces(ids, old, new, person, human.astype(np.bool_))


def _decisions(faces: _Faces) -> Constraints:
    """What people said about these faces, row by row."""
    rows = list(Constraint.objects.order_by("face_a", "face_b").values_list("kind", "face_a_id", "face_b_id"))
    pairs = np.array([(a, b) for _, a, b in rows], np.int64).reshape(-1, 2)
    must = np.array([kind == Constraint.Kind.MUST for kind, _, _ in rows], np.bool_)
    known = np.isin(pairs, faces.ids).all(axis=1)
    row = np.searchsorted(faces.ids, pairs[known])
    return Constraints(
        identity=np.where(faces.human, faces.person, -1),
        photo=np.full(len(faces.ids), -1, np.int64),
        must=row[must[known]].astype(np.int64),
        cannot=row[~must[known]].astype(np.int64),
    )


def _pairs(faces: _Faces, rows: Indexes) -> list[tuple[int, int]]:
    return [(int(a), int(b)) for a, b in faces.ids[rows[:LISTED]]]
