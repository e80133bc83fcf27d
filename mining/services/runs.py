"""Mining runs, and the batches of questions that they leave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from django.db import transaction
from django.utils.crypto import salted_hmac

from accounts.models import User
from annotation.models import ClusterRun
from annotation.queries.clusters import require_current_run
from foundation.errors import InvalidInput
from foundation.progress import Progress
from jobs.models import Job
from jobs.services import enqueue
from mining.known import LEAST_SHARE, MOST_SHARE, Asked, mix_in, told
from mining.models import ReviewBatch, ReviewItem, ReviewVote
from mining.other_model import NEEDED_BY, require_other_space
from mining.strategies import USUAL, find_strategy
from mining.strategies.base import Mined
from mining.strategies.pool import Pool
from mining.vote_queries import expected_seconds

MAX_BUDGET, MAX_OVERLAP = 10_000, 9
GOLD = 0.1  # share of questions with a known answer


def start_mining(
    *,
    user: User | None,
    strategies: Sequence[str] | None = None,
    budget: int = 100,
    overlap: int = 1,
    gold: float = GOLD,
    seed: int | None = None,
    diversity: float = 0.0,
    options: Mapping[str, Mapping[str, object]] | None = None,
) -> Job:
    """Look for at most `budget` questions per strategy.

    Args:
        strategies: None for the usual ones.
        overlap: how many people answer each question.
        gold: the share of questions with a known answer hidden among the others, 0.05..0.15, or 0 for none.
        seed: of what is drawn at random; None for the job's number.
        diversity: 0..1, from the most valuable questions to those that differ most among more of these.
        options: {strategy: {option: value}}, see `mining.strategies.options`; the others have their defaults.

    Raises InvalidInput (`unknown_strategy`, `bad_budget`, `bad_overlap`, `bad_gold`, `bad_diversity`,
    `unknown_option`, `bad_option`), or Conflict
    before anything was clustered and where a second model is wanted that is not there (`one_model`).
    """
    chosen = _chosen(strategies, options or {})
    names = list(chosen)
    if not 0 <= budget <= MAX_BUDGET:
        raise InvalidInput(f"The budget must lie between 0 and {MAX_BUDGET}.", code="bad_budget")
    if not 1 <= overlap <= MAX_OVERLAP:
        raise InvalidInput(f"1 to {MAX_OVERLAP} people can answer a question.", code="bad_overlap")
    if gold and not LEAST_SHARE <= gold <= MOST_SHARE:
        shares = f"{LEAST_SHARE} and {MOST_SHARE}"
        raise InvalidInput(f"The share of known answers must lie between {shares}, or be 0.", code="bad_gold")
    if not 0 <= diversity <= 1:
        raise InvalidInput("The diversity must lie between 0 and 1.", code="bad_diversity")
    clustering = require_current_run()
    if not NEEDED_BY.isdisjoint(names):
        require_other_space(clustering)
    params = {"strategies": names, "budget": budget, "overlap": overlap, "gold": gold, "seed": seed}
    params |= {"diversity": diversity, "options": {name: of for name, of in chosen.items() if of}}
    return enqueue(kind="mine", params=params, user=user)


def _chosen(strategies: Iterable[str] | None, options: Mapping[str, Mapping[str, object]]) -> dict[str, dict[str, Any]]:
    """Each strategy of a run with the value of each of its options."""
    names = list(USUAL if strategies is None else dict.fromkeys(strategies))
    for name in options:
        find_strategy(name)
        if name not in names:
            raise InvalidInput(f"There are options for {name}, which is not to be run.", code="unknown_option")
    return {name: find_strategy(name, options.get(name)).chosen for name in names}


def mine(
    *,
    name: str,
    job: Job,
    pool: Pool,
    budget: int,
    progress: Progress,
    diversity: float = 0.0,
    options: Mapping[str, object] | None = None,
) -> Mined:
    """Let one strategy of a job look at the pool."""
    strategy = find_strategy(name, options)
    pool = _beside(pool, job) if strategy.weighs_pairs_beside else pool
    return strategy.mine(pool, budget=budget, diversity=diversity, progress=progress)


def _beside(pool: Pool, job: Job) -> Pool:
    """The pool with the pairs that the job's queues ask about so far."""
    asked = ReviewItem.objects.filter(batch__job=job, batch__asks=ReviewBatch.Asks.PAIR, gold="")
    faces = np.array([pair[:2] for pair in asked.values_list("faces", flat=True)], np.int64).reshape(-1, 2)
    known = faces[np.isin(faces, pool.face_ids).all(axis=1)]
    return replace(pool, beside=np.searchsorted(pool.face_ids, known).astype(np.int64))


@transaction.atomic
def store_batch(*, name: str, mined: Mined, pool: Pool, run: ClusterRun, job: Job) -> ReviewBatch:
    """Freeze what a strategy picked as the job's batch of that strategy, with known answers hidden in it.

    An earlier attempt's batch is replaced, unless somebody has answered some of it already.
    """
    before = ReviewBatch.objects.filter(job=job, strategy=name).first()
    if before is not None and ReviewVote.objects.filter(item__batch=before).exists():
        return before
    ReviewBatch.objects.filter(job=job, strategy=name).delete()
    asks, share = find_strategy(name).asks, float(job.params.get("gold", GOLD))
    suspects = ReviewItem.objects.filter(batch__asks=ReviewBatch.Asks.SUSPECT, gold="", state=ReviewItem.State.OPEN)
    doubted = set(suspects.values_list("faces__0", flat=True))
    asked = mix_in(pool, mined.questions, asks=asks, share=share, rng=_drawn(job, name), doubted=doubted)
    batch = ReviewBatch.objects.create(
        strategy=name,
        asks=asks,
        parameters=_parameters(job, name),
        overlap=int(job.params.get("overlap", 1)),
        expected_seconds=expected_seconds(strategy=name, asks=asks),
        run=run,
        job=job,
        report=mined.report | told(mined.questions, asked, share),
        created_by=job.created_by,
    )
    ReviewItem.objects.bulk_create([_item(batch, ordinal, one) for ordinal, one in enumerate(asked)], batch_size=2000)
    return batch


def _parameters(job: Job, name: str) -> dict[str, Any]:
    """What the batch was made with."""
    shared = {key: job.params[key] for key in ("budget", "overlap", "gold", "diversity") if key in job.params}
    options = (job.params.get("options") or {}).get(name)
    return {**shared, "options": options} if options else shared


def _drawn(job: Job, name: str) -> np.random.Generator:
    """From the run's seed and this installation's secret: nobody can work out where known answers are hidden."""
    seed = job.params.get("seed")
    return np.random.default_rng(list(salted_hmac("mining", f"{job.pk if seed is None else seed}:{name}").digest()))


def _item(batch: ReviewBatch, ordinal: int, asked: Asked) -> ReviewItem:
    question = asked.question
    return ReviewItem(
        batch=batch,
        ordinal=ordinal,
        faces=list(question.faces),
        identities=list(question.identities),
        value=question.value / batch.expected_seconds,
        settles=question.settles,
        why=question.why[:300],
        evidence=question.evidence,
        gold=asked.gold,
    )
