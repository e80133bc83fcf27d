"""Reading what mining needs, and what it picked; what the review pages show is in `review_pages`."""

from __future__ import annotations

import numpy as np
from django.db.models import Count, IntegerField, JSONField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, JSONObject

from annotation.models import ClusterMember, ClusterRun, Identity, Label, Photo
from annotation.queries.decisions import ledger_state
from annotation.queries.labels import profiles_of
from annotation.queries.vectors import FaceVectors, load_vectors
from foundation.errors import NotFound
from foundation.progress import Progress, silent
from mining.models import ReviewBatch, ReviewItem, ReviewVote
from mining.other_model import with_other_model
from mining.strategies.pool import Int, Pool
from mining.vote_queries import ASIDE, SKIP

State = ReviewItem.State

# Faces that nobody should be asked about: settled, or too poor to tell.
LEFT_OUT = (Label.Reason.IGNORED, Label.Reason.NOT_A_FACE, Label.Reason.LOW_QUALITY)


def batches() -> QuerySet[ReviewBatch]:
    """All batches, latest first, with what `ReviewBatch` tells of its questions: `states` and `given`."""
    items = ReviewItem.objects.filter(batch=OuterRef("pk")).order_by().values("batch")
    counts = {state: Count("pk", filter=Q(state=state)) for state in State.values}
    votes = ReviewVote.objects.filter(item__batch=OuterRef("pk"), item__state=State.OPEN, withdrawn_at=None)
    given = votes.exclude(answer=SKIP).order_by().values("item__batch").annotate(n=Count("pk")).values("n")
    # Each by itself: joined, the votes would be counted once per question. All states in one: it reads every question.
    return ReviewBatch.objects.annotate(  # type: ignore[no-redef]
        states=Coalesce(Subquery(items.annotate(n=JSONObject(**counts)).values("n")), Value({}, JSONField())),
        given=Coalesce(Subquery(given, output_field=IntegerField()), 0),
    ).order_by("-id")


def batch_by_id(batch_id: int) -> ReviewBatch:
    """One batch as `batches` has it. Raises NotFound."""
    found = batches().filter(pk=batch_id).first()
    if found is None:
        raise NotFound(f"There is no batch {batch_id}.", code="no_batch")
    return found


def require_batch(batch_id: int) -> None:
    """Raises NotFound where there is no such batch; counts nothing."""
    if not ReviewBatch.objects.filter(pk=batch_id).exists():
        raise NotFound(f"There is no batch {batch_id}.", code="no_batch")


def items_of(batch: ReviewBatch) -> QuerySet[ReviewItem]:
    """The batch's questions, most valuable first."""
    return batch.items.order_by("ordinal")


def load_pool(run: ClusterRun, *, other_model: bool = False, progress: Progress = silent) -> Pool:
    """The faces of the run's space with their labels and what people have settled about them.

    With `other_model` also as a second model sees them; raises Conflict (`one_model`) where there is none.
    """
    left_out = set(Label.objects.filter(reason__in=LEFT_OUT).values_list("face_id", flat=True))
    faces = load_vectors(run.space, leave_out=left_out, progress=progress)
    identity, human = _labels(faces)
    row_of = {face: row for row, face in enumerate(faces.face_ids.tolist())}
    state = ledger_state()
    apart, together = (
        np.array([(row_of[a], row_of[b]) for a, b in pairs if a in row_of and b in row_of], np.int64).reshape(-1, 2)
        for pairs in (state.cannot, state.must)
    )
    rules = run.parameters["rules"]
    merge = run.parameters["merge_similarity"]
    pool = Pool(
        face_ids=faces.face_ids,
        photo_ids=faces.photo_ids,
        groups=faces.groups,
        vectors=faces.vectors,
        identity=identity,
        human=human,
        names=dict(Identity.objects.exclude(name="").values_list("pk", "name")),
        threshold=1 - run.parameters["core_distance"] if merge is None else merge,
        band=(rules["confident_at"] - rules["doubtful_at"]) / 2,
        strangers=run.parameters.get("stranger_similarity", 0.0),
        apart=apart,
        rejected={(row_of[face], who) for face, persons in state.rejected.items() if face in row_of for who in persons},
        asked=_asked(),
        quality=faces.quality,
        together=together,
        hashes=_hashes(faces),
        owner=_owners(faces, identity),
        cluster=_clusters(run, faces),
        model=str(run.space.release),
    )
    return with_other_model(pool, run, leave_out=left_out, progress=progress) if other_model else pool


def _asked() -> set[tuple[int, ...]]:
    """The faces of all questions but those that may be asked anew: a newer clustering has overtaken them, or a face
    that they showed was set aside."""
    asked = ReviewItem.objects.exclude(state=State.OBSOLETE, decision=None).exclude(decision__kind__in=ASIDE)
    return {tuple(faces) for faces in asked.values_list("faces", flat=True).iterator()}


def _clusters(run: ClusterRun, faces: FaceVectors) -> Int:
    """The cluster of each face in the run, -1 for none."""
    rows = ClusterMember.objects.filter(run=run).exclude(cluster=None).values_list("face_id", "cluster_id")
    known = dict(rows.iterator(chunk_size=20_000))
    return np.array([known.get(face, -1) for face in faces.face_ids.tolist()], np.int64)


def _hashes(faces: FaceVectors) -> dict[int, int]:
    """Of the photos that share a near-duplicate group, by photo."""
    pairs = np.unique(np.stack([faces.groups, faces.photo_ids], axis=1), axis=0)
    groups, photos = np.unique(pairs[:, 0], return_counts=True)
    shared = pairs[np.isin(pairs[:, 0], groups[photos > 1]), 1]
    rows = Photo.objects.filter(pk__in=shared.tolist()).values_list("pk", "dhash")
    return {photo: dhash for photo, dhash in rows if dhash is not None}


def _owners(faces: FaceVectors, identity: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Int | None:
    """The owner of the profile of each face that the profile prior set aside, -1 for all others, -2 if not known.

    That is the person whom most of the profile's other faces show: the prior gave them the label.
    """
    reason = Label.Reason.PROFILE_PRIOR
    set_aside = np.fromiter(Label.objects.filter(reason=reason).values_list("face_id", flat=True).iterator(), np.int64)
    left = np.isin(faces.face_ids, set_aside)
    if not left.any():
        return None
    profiles = profiles_of(faces.photo_ids)
    known = (profiles >= 0) & (identity >= 0)
    cells, sizes = np.unique(np.stack([profiles[known], identity[known]], axis=1), axis=0, return_counts=True)
    largest_last = np.argsort(sizes, kind="stable")
    owners = dict(cells[largest_last].tolist())
    return np.array([owners.get(one, -2) if out else -1 for one, out in zip(profiles.tolist(), left, strict=True)])


def _labels(
    faces: FaceVectors,
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    rows = Label.objects.exclude(identity=None).values_list("face_id", "identity_id", "source")
    labels = {face: (who, source == Label.Source.HUMAN) for face, who, source in rows.iterator(chunk_size=20_000)}
    known = [labels.get(face, (-1, False)) for face in faces.face_ids.tolist()]
    return np.array([who for who, _ in known], np.int64), np.array([human for _, human in known], np.bool_)
