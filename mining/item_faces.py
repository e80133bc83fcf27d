"""The faces that a question shows, for pages and REST alike. Nothing here tells a known answer from a real one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from annotation.models import ClusterMember, Face
from annotation.queries.cluster_pages import find_cluster, list_grid_faces
from annotation.queries.keyset import Slice
from annotation.queries.picture_access import showable_faces
from foundation.errors import NotFound
from mining.faces_beside import rows_of_merges
from mining.models import ReviewBatch, ReviewItem

NUMBERS = 1000  # of faces in one answer


@dataclass(frozen=True)
class ItemFace:
    """One face; `side` 0 or 1 where a question has two, `similarity` (cosine) to the medoid of a cluster."""

    face: int
    side: int = 0
    similarity: float | None = None
    confirmed: bool = False


def faces_of_item(item_id: int, *, cursor: str = "") -> Slice[ItemFace]:
    """Of a cluster those that may be its person, weakest first; of two people a row of each, oldest to newest; of
    other questions the faces asked about. Raises NotFound (`no_item`)."""
    item = ReviewItem.objects.select_related("batch").filter(pk=item_id).first()
    if item is None:
        raise NotFound(f"There is no question {item_id}.", code="no_item")
    if item.batch.asks == ReviewBatch.Asks.CLUSTER:
        return _known_grid(item) if item.gold else _grid(item, cursor)
    if item.batch.asks == ReviewBatch.Asks.MERGE:
        rows = rows_of_merges([item])[item.pk]
        return Slice([ItemFace(face, side) for side, row in enumerate(rows) for face in row], "")
    shown = set(showable_faces().filter(pk__in=item.faces[:2]).values_list("pk", flat=True))
    return Slice([ItemFace(face, side) for side, face in enumerate(item.faces[:2]) if face in shown], "")


def shots_of_item(item_id: int, faces: Sequence[int]) -> list[Face]:
    """Those of these faces that a question shows, with their photos, in the order given. Raises NotFound
    (`no_item`)."""
    item = ReviewItem.objects.select_related("batch").filter(pk=item_id).first()
    if item is None:
        raise NotFound(f"There is no question {item_id}.", code="no_item")
    if item.batch.asks == ReviewBatch.Asks.CLUSTER and not item.gold:  # too many to read them all
        members = ClusterMember.objects.filter(cluster=item.evidence["cluster"], face__in=faces)
        asked = set(members.values_list("face_id", flat=True))
    else:
        asked = {one.face for one in faces_of_item(item_id).rows}
    shown = showable_faces().select_related("photo").in_bulk(asked.intersection(faces))
    return [shown[face] for face in dict.fromkeys(faces) if face in shown]


def _grid(item: ReviewItem, cursor: str) -> Slice[ItemFace]:
    cluster = find_cluster(item.evidence["cluster"])
    if cluster is None:
        raise NotFound("The cluster is no longer there.", code="no_cluster")
    found = list_grid_faces(cluster, cursor=cursor, size=NUMBERS)
    rows = [
        ItemFace(one.face, 0, round(one.similarity, 4), one.state == "confirmed")
        for one in found.rows
        if one.state in ("open", "confirmed")
    ]
    return Slice(rows, found.cursor)


def _known_grid(item: ReviewItem) -> Slice[ItemFace]:
    grid = item.evidence["grid"]
    shown = set(showable_faces().filter(pk__in=[face for face, _, _ in grid]).values_list("pk", flat=True))
    return Slice([ItemFace(face, 0, like, ticked) for face, like, ticked in grid if face in shown], "")
