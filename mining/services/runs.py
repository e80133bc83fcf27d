"""Mining runs, and the batches of questions that they leave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction

from accounts.models import User
from annotation.models import ClusterRun
from annotation.queries.clusters import require_current_run
from foundation.errors import InvalidInput
from foundation.progress import Progress
from jobs.models import Job
from jobs.services import enqueue
from mining.models import ReviewBatch, ReviewItem
from mining.strategies import STRATEGIES, find_strategy
from mining.strategies.base import Mined, Question
from mining.strategies.pool import Pool

MAX_BUDGET = 10_000


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
