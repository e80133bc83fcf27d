"""Mining runs: what each picked, why, and how far people are. Each function has a constant number of queries."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from django.db.models import QuerySet

from foundation.errors import NotFound
from jobs.models import Job
from jobs.queries import job_list, with_progress
from mining.models import ReviewBatch, ReviewItem
from mining.queries import batches
from mining.strategies import STRATEGIES, USUAL, find_strategy, title_of
from mining.strategies.options import Option
from mining.vote_queries import expected_seconds

KIND = "mine"
State = ReviewItem.State
SHEET = 24  # questions of a contact sheet's page


@dataclass(frozen=True)
class Picked:
    """What one strategy of a run picked.

    Attributes:
        batch: as `mining.queries.batches` has it.
    """

    batch: ReviewBatch

    @property
    def states(self) -> Mapping[str, int]:
        """How many questions are in which state."""
        return self.batch.states

    @property
    def title(self) -> str:
        return title_of(self.batch.strategy)

    @property
    def reasons(self) -> Mapping[str, int]:
        found: Mapping[str, int] = self.batch.report.get("reasons") or {}
        return found


@dataclass(frozen=True)
class MiningRun:
    """A mining job, with `progress`, and what it picked."""

    job: Job
    picked: Sequence[Picked] = field(default_factory=list)

    @cached_property
    def states(self) -> Counter[str]:
        """How many questions of all strategies are in which state."""
        total: Counter[str] = Counter()
        for one in self.picked:
            total.update(one.states)
        return total

    @property
    def questions(self) -> int:
        return sum(self.states.values())

    @property
    def done(self) -> int:
        return self.questions - self.states[State.OPEN] - self.states[State.DISPUTED]

    @property
    def minutes_left(self) -> float:
        """What answering the rest takes, all people together."""
        return round(sum(one.batch.minutes_left for one in self.picked), 1)

    @property
    def answers_left(self) -> int:
        return sum(one.batch.answers_left for one in self.picked)

    @property
    def considered(self) -> int:
        return self._reported("considered")

    @property
    def candidates(self) -> int:
        return self._reported("candidates")

    @property
    def reasons(self) -> dict[str, int]:
        """Over all strategies, the most frequent first."""
        total: Counter[str] = Counter()
        for one in self.picked:
            total.update(one.reasons)
        return dict(total.most_common())

    def _reported(self, name: str) -> int:
        return sum(int(one.batch.report.get(name) or 0) for one in self.picked)


@dataclass(frozen=True)
class Choice:
    """A strategy as it can be chosen.

    Attributes:
        about: what it looks for, in a sentence or two.
        usual: whether a run that names none uses it.
        seconds: what one answer is expected to take.
        options: what can be told it, see `mining.strategies.options`.
    """

    name: str
    title: str
    asks: str
    about: str
    usual: bool
    seconds: float
    options: Sequence[Option]


def mining_jobs() -> QuerySet[Job]:
    """The jobs behind mining runs, newest first."""
    return job_list(kind=KIND)


def mining_runs(jobs: Iterable[Job]) -> list[MiningRun]:
    """Runs of these jobs, in their order."""
    found = with_progress(jobs)
    picked: dict[int, list[Picked]] = {job.pk: [] for job in found}
    for batch in batches().filter(job__in=list(picked)).order_by("pk"):
        if batch.job_id is not None:
            picked[batch.job_id].append(Picked(batch))
    return [MiningRun(job, picked[job.pk]) for job in found]


def mining_run(job_id: int) -> MiningRun:
    """One run. Raises NotFound (`no_mining_run`)."""
    job = mining_jobs().filter(pk=job_id).first()
    if job is None:
        raise NotFound(f"There is no mining run {job_id}.", code="no_mining_run")
    return mining_runs([job])[0]


def sheet_of(batch: ReviewBatch, *, start: int = 0) -> tuple[list[ReviewItem], int | None]:
    """A page of a batch's questions for its contact sheet, most valuable first, and where the next page starts."""
    rows = list(batch.items.filter(ordinal__gte=start).order_by("ordinal")[: SHEET + 1])
    return rows[:SHEET], rows[SHEET].ordinal if len(rows) > SHEET else None


def choices() -> list[Choice]:
    """Every strategy, the usual ones first."""
    found = []
    for name in sorted(STRATEGIES, key=lambda name: name not in USUAL):
        strategy = find_strategy(name)
        about = _first_words(type(strategy).__doc__ or "")
        seconds = expected_seconds(strategy=name, asks=strategy.asks)
        found.append(Choice(name, strategy.title, strategy.asks, about, name in USUAL, seconds, strategy.options))
    return found


def _first_words(text: str) -> str:
    """The first paragraph of a docstring as people read it, without what points into the code."""
    first = " ".join(text.partition("\n\n")[0].split())
    return re.sub(r"`([^`]+)`", lambda name: name[1].replace("_", " "), re.sub(r" \(`[^)]*`\)", "", first))
