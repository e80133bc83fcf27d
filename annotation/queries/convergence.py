"""Whether labels have stopped changing: how many each clustering moved to another person, and how pure clusters are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection

# Faces on which people said who they are, by run and cluster; one that stands alone is a cluster of its own.
_PURITY = """
    SELECT run_id, sum(faces)::bigint, sum(most)::bigint FROM (
        SELECT run_id, place, sum(faces) AS faces, max(faces) AS most FROM (
            SELECT m.run_id, coalesce(m.cluster_id, -m.face_id) AS place, l.identity_id, count(*) AS faces
            FROM annotation_clustermember m JOIN annotation_label l ON l.face_id = m.face_id
            WHERE m.run_id = ANY(%s) AND l.source = 'human' AND l.identity_id IS NOT NULL
            GROUP BY 1, 2, 3
        ) cells GROUP BY 1, 2
    ) clusters GROUP BY 1
"""


@dataclass(frozen=True)
class LabelChange:
    """What a clustering did to labels that were there already.

    Attributes:
        moved: faces that have another person than before, or none any more, or one for the first time.
        known: faces that had a label before, with a person or without; new faces don't count.
    """

    moved: int
    known: int

    @property
    def share(self) -> float | None:
        """0..1; None where no face had a label, as with the first clustering."""
        return self.moved / self.known if self.known else None

    def settled(self, target: float | None = None) -> bool:
        """Whether less than the target share moved; None for `settled_share()`."""
        return self.share is not None and self.share < (settled_share() if target is None else target)


def label_change(metrics: Mapping[str, Any]) -> LabelChange | None:
    """From the metrics of a run that was made current; None for others, and for runs that did not count it."""
    labels = metrics.get("labels")
    if not isinstance(labels, Mapping) or "moved" not in labels or "known" not in labels:
        return None
    return LabelChange(int(labels["moved"]), int(labels["known"]))


def settled_share() -> float:
    """Labels have settled when a clustering moves a smaller share of them than this."""
    return float(settings.LOUPE_SETTLED_SHARE)


def purities(run_ids: Sequence[int]) -> dict[int, tuple[float, int]]:
    """{run: (share of confirmed faces that belong to the majority of their cluster, confirmed faces)}, by what people
    say now; only runs whose clusters are kept and that know such faces. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_PURITY, [list(run_ids)])
        return {run: (most / faces, faces) for run, faces, most in cursor.fetchall()}
