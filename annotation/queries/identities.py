"""Which faces stand for a person."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import F
from django.db.models.expressions import OrderBy

from annotation.models import Cluster, Identity, Label
from annotation.queries.picture_access import held_out
from foundation.errors import NotFound

REPRESENTATIVES = 8


def identity_by_id(identity_id: int) -> Identity:
    """One person, merged ones included. Raises NotFound."""
    found = Identity.objects.filter(pk=identity_id).first()
    if found is None:
        raise NotFound(f"There is no person {identity_id}.", code="no_identity")
    return found


def has_human_faces(identity_id: int) -> bool:
    """Whether people put any face on this person."""
    return Label.objects.filter(identity=identity_id, source=Label.Source.HUMAN).exists()


def cluster_medoids(identity_id: int) -> list[int]:
    """The medoids of the person's clusters in the current run that still bear the person's label, largest first."""
    rows = Cluster.objects.filter(run__current=True, identity=identity_id, medoid__label__identity=F("identity"))
    return list(rows.order_by("ordinal").values_list("medoid_id", flat=True))


def representatives(identity_id: int, *, without: Collection[int] = (), limit: int = REPRESENTATIVES) -> list[int]:
    """Up to `limit` faces that stand for the person: those that people put there first, then the surest."""
    human = _faces(identity_id, without, [F("confidence").desc(), F("face_id")], limit, source=Label.Source.HUMAN)
    if len(human) >= limit:
        return human
    medoids = [face for face in cluster_medoids(identity_id) if face not in without and face not in human]
    chosen = (human + medoids)[:limit]
    rest = _faces(identity_id, [*without, *chosen], [F("confidence").desc(), F("face_id")], limit - len(chosen))
    return chosen + rest


def _faces(
    identity_id: int, without: Iterable[int], order: Iterable[OrderBy | F], limit: int, **conditions: object
) -> list[int]:
    if limit <= 0:
        return []
    rows = Label.objects.filter(identity=identity_id, **conditions).exclude(face__in=list(without))
    rows = rows.exclude(held_out("face__photo_id"))
    return list(rows.order_by(*order).values_list("face_id", flat=True)[:limit])
