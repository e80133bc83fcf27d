"""What the cluster list and the cluster grid show. The number of queries never depends on how many faces there are."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, F, Max, Q, QuerySet

from annotation.models import Cluster, ClusterMember, ClusterRun, Label
from annotation.queries.keyset import Slice, take_after
from annotation.queries.picture_access import held_out, showable_faces

PAGE = 60
FACES_PAGE = 180
ORDERS = {"size": ("ordinal",), "doubt": ("-diameter", "ordinal")}


@dataclass(frozen=True)
class ClusterFilter:
    """Which clusters to list and how. `named`: `""` all, `yes`, or `no`."""

    named: str = ""
    order: str = "size"


@dataclass(frozen=True)
class GridFace:
    """One face of a cluster as the grid shows it.

    Attributes:
        similarity: cosine similarity to the medoid.
        state: `open`, `confirmed` (a person said so), `moved` (it belongs to somebody else now), or `aside`.
        note: what the state means here, in a word or two.
    """

    face: int
    similarity: float
    quality: float
    state: str
    note: str


def current_run() -> ClusterRun | None:
    """The run that labels follow from at present."""
    return ClusterRun.objects.select_related("space__release").filter(current=True).first()


def count_new_faces(run: ClusterRun | None) -> int:
    """Faces that came after the run looked, or all where there was none."""
    last = ClusterMember.objects.filter(run=run).aggregate(last=Max("face_id"))["last"] if run else None
    return showable_faces().filter(pk__gt=last or 0).count()


def list_clusters(run: ClusterRun, chosen: ClusterFilter, *, cursor: str = "") -> Slice[Cluster]:
    """Clusters of the run, each with its identity and `confirmed`, the number of its faces that a person confirmed."""
    order = ORDERS.get(chosen.order, ORDERS["size"])
    found = take_after(_chosen(run, chosen).select_related("identity"), order=order, cursor=cursor, size=PAGE)
    _attach_confirmed(found.rows)
    return found


def find_cluster(cluster_id: int) -> Cluster | None:
    """One cluster with its run and identity."""
    return Cluster.objects.select_related("run", "identity__merged_into").filter(pk=cluster_id).first()


def list_grid_faces(cluster: Cluster, *, cursor: str = "", size: int = FACES_PAGE) -> Slice[GridFace]:
    """The cluster's faces, weakest first, up to the medoid."""
    shown = ClusterMember.objects.filter(cluster=cluster).exclude(held_out("face__photo_id"))
    rows = shown.select_related("face__label__identity").only(
        "face_id", "similarity", "face__quality", "face__label__source", "face__label__reason",
        "face__label__identity__name",
    )  # fmt: skip
    found = take_after(rows, order=["similarity", "id"], cursor=cursor, size=size)
    # Shortly after a merge the cluster still stands under the person that was merged.
    owners = {cluster.identity_id, cluster.identity.merged_into_id if cluster.identity else None} - {None}
    named = cluster.run.state != ClusterRun.State.PREVIEW  # those of a preview are nobody's yet
    return Slice([_grid_face(member, owners if named else None) for member in found.rows], found.cursor)


def neighbours(cluster: Cluster) -> tuple[int | None, int | None]:
    """The clusters before and after this one in its run, by size."""
    siblings = Cluster.objects.filter(run=cluster.run_id, ordinal__in=(cluster.ordinal - 1, cluster.ordinal + 1))
    by_ordinal = dict(siblings.order_by().values_list("ordinal", "pk"))
    return by_ordinal.get(cluster.ordinal - 1), by_ordinal.get(cluster.ordinal + 1)


def count_clusters(run: ClusterRun) -> dict[str, int]:
    """How many clusters the run has: `""` all, `yes` named, `no` not."""
    counts = Cluster.objects.filter(run=run).aggregate(
        all=Count("pk"), named=Count("pk", filter=Q(identity__isnull=False) & ~Q(identity__name=""))
    )
    return {"": counts["all"], "yes": counts["named"], "no": counts["all"] - counts["named"]}


def _chosen(run: ClusterRun, chosen: ClusterFilter) -> QuerySet[Cluster]:
    rows = Cluster.objects.filter(run=run)
    if chosen.named == "yes":
        rows = rows.filter(identity__isnull=False).exclude(identity__name="")
    elif chosen.named == "no":
        rows = rows.filter(Q(identity=None) | Q(identity__name=""))
    return rows


def _attach_confirmed(clusters: list[Cluster]) -> None:
    members = ClusterMember.objects.filter(
        cluster__in=[cluster.pk for cluster in clusters],
        face__label__source=Label.Source.HUMAN,
        face__label__identity=F("cluster__identity"),
    )
    counts = dict(members.order_by().values_list("cluster").annotate(n=Count("pk")))
    for cluster in clusters:
        cluster.confirmed = counts.get(cluster.pk, 0)  # type: ignore[attr-defined]


def _grid_face(member: ClusterMember, owners: set[int | None] | None) -> GridFace:
    face = member.face
    label: Label | None = getattr(face, "label", None)
    state, note = "open", ""
    if label is not None and label.identity_id is None:
        if label.reason in (Label.Reason.REJECTED, Label.Reason.IGNORED, Label.Reason.NOT_A_FACE):
            state, note = "aside", label.reason.replace("_", " ")
    elif label is not None and owners is None:
        note = str(label.identity)
    elif label is not None and owners is not None and label.identity_id not in owners:
        state, note = "moved", str(label.identity)
    elif label is not None and label.source == Label.Source.HUMAN:
        state, note = "confirmed", "confirmed"
    return GridFace(member.face_id, member.similarity or 0.0, face.quality, state, note)
