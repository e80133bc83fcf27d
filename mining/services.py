"""Mining runs, and the answers to what they ask."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from annotation.ledger.entries import Kind
from annotation.models import ClusterRun, Decision, Label
from annotation.queries.clusters import require_current_run
from annotation.services.decisions import By, Draft, record
from annotation.services.identities import assignment, merger, rejection
from foundation.errors import Conflict, InvalidInput, NotFound
from foundation.progress import Progress
from jobs.models import Job
from jobs.services import enqueue
from mining.models import ReviewBatch, ReviewItem
from mining.strategies import STRATEGIES, find_strategy
from mining.strategies.base import Mined, Question
from mining.strategies.pool import Pool

MAX_BUDGET = 10_000
LEASE = timedelta(minutes=10)


def start_mining(*, user: User | None, strategies: Sequence[str] | None = None, budget: int = 100) -> Job:
    """Look for at most `budget` questions per strategy; None for all of them.

    Raises InvalidInput (`unknown_strategy`, `bad_budget`), or Conflict before anything was clustered.
    """
    names = _names(strategies)
    if not 0 <= budget <= MAX_BUDGET:
        raise InvalidInput(f"The budget must lie between 0 and {MAX_BUDGET}.", code="bad_budget")
    require_current_run()
    return enqueue(kind="mine", params={"strategies": names, "budget": budget}, user=user)


def _names(strategies: Iterable[str] | None) -> list[str]:
    names = list(STRATEGIES if strategies is None else dict.fromkeys(strategies))
    for name in names:
        find_strategy(name)
    return names


def mine(*, name: str, pool: Pool, budget: int, progress: Progress) -> Mined:
    """Let one strategy look at the pool."""
    return find_strategy(name).mine(pool, budget=budget, progress=progress)


@transaction.atomic
def store_batch(*, name: str, mined: Mined, run: ClusterRun, job: Job, budget: int) -> ReviewBatch:
    """Freeze what a strategy picked as the job's batch of that strategy; an earlier attempt's is replaced."""
    ReviewBatch.objects.filter(job=job, strategy=name).delete()
    batch = ReviewBatch.objects.create(
        strategy=name,
        asks=find_strategy(name).asks,
        parameters={"budget": budget},
        run=run,
        job=job,
        report=mined.report,
        created_by=job.created_by,
    )
    items = [_item(batch, ordinal, question) for ordinal, question in enumerate(mined.questions)]
    ReviewItem.objects.bulk_create(items, batch_size=2000)
    return batch


def _item(batch: ReviewBatch, ordinal: int, question: Question) -> ReviewItem:
    return ReviewItem(
        batch=batch,
        ordinal=ordinal,
        faces=list(question.faces),
        identities=list(question.identities),
        value=question.value,
        settles=question.settles,
        why=question.why[:300],
        evidence=question.evidence,
    )


@transaction.atomic
def lease_items(*, user: User, batch_id: int, count: int = 10) -> list[ReviewItem]:
    """The next open questions for this person; nobody else gets them until the lease ends. Asking again renews it."""
    now = timezone.now()
    rows = ReviewItem.objects.select_for_update(skip_locked=True).filter(batch=batch_id, state=ReviewItem.State.OPEN)
    taken = rows.filter(lease_expires_at__gt=now).exclude(leased_by=user).values("pk")
    items = list(rows.exclude(pk__in=taken).order_by("ordinal")[:count])
    for item in items:
        item.leased_by, item.lease_expires_at = user, now + LEASE
    ReviewItem.objects.bulk_update(items, ["leased_by", "lease_expires_at"])
    return items


@transaction.atomic
def skip_item(*, user: User, item_id: int) -> ReviewItem:
    """Leave a question unanswered for good. Raises NotFound or Conflict (`item_closed`, `item_leased`)."""
    item = _open_item(user, item_id)
    item.state = ReviewItem.State.SKIPPED
    item.save(update_fields=["state"])
    return item


@transaction.atomic
def answer_item(*, user: User, item_id: int, answer: str, seconds: float | None = None) -> list[Decision]:
    """Write an answer to the ledger and close the question, and others that it settles.

    Args:
        answer: about a pair `same` or `different`; about a suspect `left` (it is the first person), `right` (it is
            the other one), `neither`, or `both` (the two are one person).

    `same` about two people merges them, as does `both`. A near-duplicate that is the second face of a suspect goes
    where the suspect goes. Raises InvalidInput (`unknown_answer`), NotFound or Conflict.
    """
    item = _open_item(user, item_id)
    drafts = _suspect(item, answer) if item.batch.asks == ReviewBatch.Asks.SUSPECT else _pair(item, answer)
    evidence = {**item.evidence, "page": "review", "item": item.pk, "batch": item.batch_id, "run": item.batch.run_id}
    made = record(drafts, by=By(user, seconds, evidence))
    item.state, item.decision = ReviewItem.State.ANSWERED, made[0]
    item.save(update_fields=["state", "decision"])
    _close_settled(item)
    return made


def _close_settled(item: ReviewItem) -> None:
    """Close other questions about the same suspect or pair, but those that somebody is answering right now."""
    same = ReviewItem.objects.filter(state=ReviewItem.State.OPEN, batch__asks=item.batch.asks)
    whom = item.batch.asks == ReviewBatch.Asks.SUSPECT
    settled = same.filter(faces__0=item.faces[0]) if whom else same.filter(faces=item.faces)
    free = settled.select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True)
    ReviewItem.objects.filter(pk__in=list(free)).update(state=ReviewItem.State.OBSOLETE)


def _open_item(user: User, item_id: int) -> ReviewItem:
    item = ReviewItem.objects.select_for_update(of=("self",)).select_related("batch").filter(pk=item_id).first()
    if item is None:
        raise NotFound(f"There is no question {item_id}.", code="no_item")
    if item.state != ReviewItem.State.OPEN:
        raise Conflict("This question is closed.", code="item_closed")
    leased = item.lease_expires_at is not None and item.lease_expires_at > timezone.now()
    if leased and item.leased_by_id not in (None, user.pk):
        raise Conflict("Somebody else is answering this question.", code="item_leased")
    return item


def _pair(item: ReviewItem, answer: str) -> list[Draft]:
    a, b = item.faces[:2]
    if answer == "different":
        return [Draft(Kind.DIFFERENT, faces=(a,), others=(b,)), *_parting(a, b)]
    if answer != "same":
        raise InvalidInput("A pair is `same` or `different`.", code="unknown_answer")
    drafts = [Draft(Kind.SAME, faces=(a,), others=(b,))]
    people = dict(Label.objects.filter(face__in=(a, b)).exclude(identity=None).values_list("face_id", "identity_id"))
    if len(set(people.values())) == 2:
        drafts.append(merger(people[a], people[b]))  # the subject's side is the smaller one
    return drafts


def _parting(subject: int, other: int) -> list[Draft]:
    """A given label stays with a face until somebody speaks against it: two faces that are apart can't both keep it."""
    labels = {label.face_id: label for label in Label.objects.filter(face__in=(subject, other))}
    a, b = labels.get(subject), labels.get(other)
    given = (Label.Source.IMPORT, Label.Source.SYNTHETIC)
    if a is None or b is None or a.identity_id is None or a.identity_id != b.identity_id or a.source not in given:
        return []
    return [Draft(Kind.REJECT, faces=(subject,), identity=a.identity_id)]


def _suspect(item: ReviewItem, answer: str) -> list[Draft]:
    subject, (own, *others) = item.faces[0], item.identities
    copies = item.faces[1:2] if item.evidence.get("copy") else []
    if answer == "left":
        return _shows([subject, *copies], own)
    if answer == "right" and others:
        return _shows([subject, *copies], others[0])
    if answer == "neither":
        return [rejection(person, [subject, *copies]) for person in (own, *others)]
    if answer == "both" and others:
        few, many = sorted((own, others[0]), key=lambda person: Label.objects.filter(identity=person).count())
        return [*_shows([subject, *copies], own), merger(few, many)]
    raise InvalidInput("A suspect is `left`, `right`, `neither` or `both`.", code="unknown_answer")


def _shows(faces: Sequence[int], person: int) -> list[Draft]:
    """That these faces are the person: confirmed where they bear the label, else put there."""
    theirs = set(Label.objects.filter(face__in=faces, identity=person).values_list("face_id", flat=True))
    confirmed = [face for face in faces if face in theirs]
    moved = [face for face in faces if face not in theirs]
    drafts = [Draft(Kind.ASSIGN, faces=tuple(confirmed), identity=person)] if confirmed else []
    return drafts + (assignment(moved, person) if moved else [])
