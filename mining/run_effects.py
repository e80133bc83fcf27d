"""What the answers to a mining run's questions changed: labels, the purity of clusters, the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from annotation.exporters.splits import VAL_BLACKBOX
from annotation.ledger.entries import Kind
from annotation.models import ClusterRun, DatasetVersion
from annotation.queries.convergence import purities
from mining.models import ReviewBatch
from models_zoo.models import Evaluation, ModelRelease

# Decisions that stand as answers to the run's questions, with what was decided in the same breath. A question whose
# decision was taken back is open again, so what is answered stands.
_ACTIONS = """
    SELECT DISTINCT d.action FROM mining_reviewitem i
    JOIN mining_reviewbatch b ON b.id = i.batch_id
    JOIN annotation_decision d ON d.id = i.decision_id
    WHERE b.job_id = %s AND i.state = 'answered'
"""
_KINDS = f"""
    SELECT d.kind, count(*), coalesce(sum(cardinality(d.faces)), 0), min(d.id), max(d.id), min(d.created_at)
    FROM annotation_decision d WHERE d.reverts_id IS NULL AND d.action IN ({_ACTIONS}) GROUP BY d.kind
"""  # noqa: S608 - made of constants
_JOINED = """
    SELECT coalesce(sum(i.settles), 0) FROM mining_reviewitem i
    JOIN mining_reviewbatch b ON b.id = i.batch_id
    JOIN annotation_decision d ON d.id = i.decision_id
    WHERE b.job_id = %s AND i.state = 'answered'
    AND EXISTS (SELECT 1 FROM annotation_decision m WHERE m.action = d.action AND m.kind = 'merge')
"""
_RESTING = f"""
    SELECT count(*) FROM annotation_label l JOIN annotation_decision d ON d.id = l.decision_id
    WHERE d.action IN ({_ACTIONS})
"""  # noqa: S608 - made of constants


LEAVING = (Kind.SPLIT, Kind.REJECT, Kind.IGNORE, Kind.NOT_A_FACE)


@dataclass(frozen=True)
class LabelChanges:
    """What the decisions that answers wrote say.

    Attributes:
        decisions: how many.
        moved: faces that left their person or got another one: split off, rejected, ignored, or on the smaller side of
            a merge.
        confirmed: faces that people put on a person whom they bore already, or bear now.
        joined: people who were merged into others.
        split: times that faces were put on another person, or told not to be the one whom they bore.
        apart: pairs told apart.
        resting: labels that rest on these decisions now.
        first, last: decisions, by number; None without any.
        since: when the first one was made.
    """

    decisions: int = 0
    moved: int = 0
    confirmed: int = 0
    joined: int = 0
    split: int = 0
    apart: int = 0
    resting: int = 0
    first: int | None = None
    last: int | None = None
    since: datetime | None = None


@dataclass(frozen=True)
class Purity:
    """Of the clusters that were mined, and of those that labels follow from now, by what people say now.

    Attributes:
        before, after: 0..1; None where the clusters are not kept any more or no face in them was confirmed, and after
            where nothing was clustered since the first answer.
        faces: that are confirmed and in those clusters, before and after.
        runs: the two clusterings, by number.
    """

    before: float | None = None
    after: float | None = None
    faces: tuple[int, int] = (0, 0)
    runs: tuple[int | None, int | None] = (None, None)


@dataclass(frozen=True)
class ModelTrained:
    """The first version with these decisions in it, and the first release that learned from that.

    Attributes:
        whole: whether all of the decisions are in the version, not only some.
        before, after: what was measured, on the people kept out for choosing, of the release that training started
            from and of the one that it made; empty while it was not.
    """

    version: DatasetVersion | None = None
    whole: bool = False
    release: ModelRelease | None = None
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Effects:
    """All three."""

    labels: LabelChanges
    purity: Purity
    model: ModelTrained


def effects_of(job_id: int) -> Effects:
    """What the answers to a run's questions changed, in at most nine queries however many there are."""
    labels = _labels(job_id)
    mined = ReviewBatch.objects.filter(job=job_id).exclude(run=None).values_list("run_id", flat=True).first()
    return Effects(labels, _purity(mined, labels.since), _model(labels))


def _labels(job_id: int) -> LabelChanges:
    with connection.cursor() as cursor:
        cursor.execute(_KINDS, [job_id])
        rows = cursor.fetchall()
        if not rows:
            return LabelChanges()
        cursor.execute(_JOINED, [job_id])
        joined = int(cursor.fetchone()[0])
        cursor.execute(_RESTING, [job_id])
        resting = int(cursor.fetchone()[0])
    count = {kind: int(times) for kind, times, *_ in rows}
    faces = {kind: int(faces) for kind, _, faces, *_ in rows}
    left = sum(faces.get(kind, 0) for kind in LEAVING)
    return LabelChanges(
        decisions=sum(count.values()),
        moved=joined + left,
        confirmed=faces.get(Kind.ASSIGN, 0),
        joined=count.get(Kind.MERGE, 0),
        split=count.get(Kind.SPLIT, 0) + count.get(Kind.REJECT, 0),
        apart=count.get(Kind.DIFFERENT, 0),
        resting=resting,
        first=min(row[3] for row in rows),
        last=max(row[4] for row in rows),
        since=min(row[5] for row in rows),
    )


def _purity(mined: int | None, since: datetime | None) -> Purity:
    if mined is None:
        return Purity()
    later = None
    if since is not None:
        newer = ClusterRun.objects.filter(current=True, created_at__gt=since)
        later = newer.values_list("pk", flat=True).first()
    runs: Sequence[int] = [mined] if later is None else [mined, later]
    found = purities(runs)
    before, after = found.get(mined), found.get(later) if later is not None else None
    return Purity(
        before[0] if before else None,
        after[0] if after else None,
        (before[1] if before else 0, after[1] if after else 0),
        (mined, later),
    )


def _model(labels: LabelChanges) -> ModelTrained:
    if labels.first is None or labels.last is None:
        return ModelTrained()
    published = DatasetVersion.objects.filter(state=DatasetVersion.State.PUBLISHED)
    version = published.filter(last_decision_id__gte=labels.first).order_by("pk").first()
    if version is None:
        return ModelTrained()
    whole = (version.last_decision_id or 0) >= labels.last
    trained = ModelRelease.objects.filter(kind=ModelRelease.Kind.EMBEDDER, dataset_digest=version.digest)
    release = trained.exclude(dataset_digest="").order_by("pk").first()
    if release is None:
        return ModelTrained(version, whole)
    both = [release.parent_id or 0, release.pk]
    rows = Evaluation.objects.filter(release__in=both, dataset_digest=version.digest, split=VAL_BLACKBOX)
    measured = dict(rows.values_list("release", "metrics"))
    before, after = (measured.get(one, {}) for one in both)
    return ModelTrained(version, whole, release, before, after)
