"""What one cluster run does differently from another, with the people whom it affects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from django.db import connection

from annotation.clustering.constraints import Constraints
from annotation.clustering.difference import ABSENT, Difference, contradictions, difference
from annotation.clustering.metrics import Agreement, agreement
from annotation.clustering.vectors import Indexes
from annotation.models import Cluster, ClusterRun, Constraint
from annotation.queries.cluster_run_pages import clusters_by_id

LISTED = 12  # clusters of each kind, and pairs
PARTS = 6  # of one cluster

# Face by face; NULL, no cluster, becomes -1, and a face that one run does not know gets -2 there.
_FACES = """
    SELECT array_agg(face_id), array_agg(before), array_agg(after), array_agg(person), array_agg(human) FROM (
        SELECT face_id,
            CASE WHEN b.run_id IS NULL THEN -2 ELSE coalesce(b.cluster_id, -1) END AS before,
            CASE WHEN a.run_id IS NULL THEN -2 ELSE coalesce(a.cluster_id, -1) END AS after,
            coalesce(l.identity_id, -1) AS person,
            coalesce(l.source = 'human', false) AS human
        FROM (SELECT face_id, run_id, cluster_id FROM annotation_clustermember WHERE run_id = %s) b
        FULL JOIN (SELECT face_id, run_id, cluster_id FROM annotation_clustermember WHERE run_id = %s) a USING (face_id)
        LEFT JOIN annotation_label l USING (face_id)
        ORDER BY face_id
    ) rows
"""


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
        splits: by earlier cluster; `merges`: by later cluster; at most `LISTED` each.
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
    splits: list[ClusterChange]
    merges: list[ClusterChange]

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


def difference_of(before: ClusterRun, after: ClusterRun) -> RunDifference:
    """Compares two runs whose clusters are kept; the number of queries is constant."""
    faces = _load(before, after)
    found = difference(faces.before, faces.after)
    against = contradictions(faces.after, _decisions(faces))
    both = (faces.before != ABSENT) & (faces.after != ABSENT)
    old, new = np.maximum(faces.before, -1), np.maximum(faces.after, -1)
    told = both & faces.human & (faces.person >= 0)
    splits, merges = _changes(found)
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
        splits=splits,
        merges=merges,
    )


def _load(before: ClusterRun, after: ClusterRun) -> _Faces:
    with connection.cursor() as cursor:
        cursor.execute(_FACES, [before.pk, after.pk])
        ids, old, new, person, human = (column or [] for column in cursor.fetchone())
    ids, old, new, person = (np.array(column, np.int64) for column in (ids, old, new, person))
    return _Faces(ids, old, new, person, np.array(human, np.bool_))


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


def _changes(found: Difference) -> tuple[list[ClusterChange], list[ClusterChange]]:
    """The largest clusters that were split, and those that were merged from several."""
    splits, merges = _parts(found, 0, found.split[:LISTED]), _parts(found, 1, found.merged[:LISTED])
    shown = {one for parts in (splits, merges) for one in parts}
    shown |= {other for parts in (splits, merges) for rows in parts.values() for other, _ in rows[:PARTS]}
    known = clusters_by_id(sorted(shown))
    return _listed(known, splits), _listed(known, merges)


def _parts(found: Difference, side: int, chosen: Indexes) -> dict[int, list[tuple[int, int]]]:
    """Chosen cluster -> (cluster of the other run, faces shared), most first."""
    parts: dict[int, list[tuple[int, int]]] = {one: [] for one in chosen.tolist()}
    for row in found.flows[np.isin(found.flows[:, side], chosen)].tolist():
        parts[row[side]].append((row[1 - side], row[2]))
    return parts


def _listed(known: dict[int, Cluster], parts: dict[int, list[tuple[int, int]]]) -> list[ClusterChange]:
    return [
        ClusterChange(known[one], [(known[other], faces) for other, faces in rows[:PARTS]], len(rows))
        for one, rows in parts.items()
    ]
