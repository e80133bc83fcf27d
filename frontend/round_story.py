"""A round as pages tell it: its stages as a visible list, what it measured, how rounds compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from frontend.charts import Series, line_chart
from frontend.measurements import HEADLINE, Measured, as_number, slices_of
from jobs.models import Job
from loop.models import Round
from loop.stages import STAGES, stage

LONGEST_FACT = 60


@dataclass(frozen=True)
class Step:
    """One stage: `state` is done, running, failed, skipped or waiting; `facts` are its small results."""

    name: str
    title: str
    state: str
    seconds: float | None
    job: Job | None
    facts: list[tuple[str, str]]
    skipped: str


def steps_of(round: Round, jobs: Mapping[int, Job]) -> list[Step]:
    """All stages in order, also those that have not begun. `jobs` are the stages' own jobs by id."""
    return [_step(name, round.stages.get(name), jobs, round) for name in STAGES]


def job_ids(rounds: Iterable[Round]) -> list[int]:
    """The jobs that the stages of these rounds started."""
    return [record["job"] for one in rounds for record in one.stages.values() if record.get("job")]


def _step(name: str, record: Mapping[str, Any] | None, jobs: Mapping[int, Job], round: Round) -> Step:
    title = stage(name).title
    if record is None:
        return Step(name, title, "waiting", None, None, [], "")
    result = record.get("result")
    job = jobs.get(record.get("job") or 0)
    if result is None:
        failed = job is not None and job.state in ("failed", "cancelled")
        ended = round.finished_at is not None
        return Step(name, title, "failed" if failed or ended else "running", None, job, [], "")
    skipped = str(result.get("skipped", "")) if isinstance(result, Mapping) else ""
    state = "skipped" if skipped else "done"
    return Step(name, title, state, as_number(record.get("seconds")), job, _facts(result), skipped)


def _facts(result: Any) -> list[tuple[str, str]]:
    """The short values of a result; nested ones have pages of their own."""
    if not isinstance(result, Mapping):
        return []
    facts = []
    for key, value in result.items():
        if isinstance(value, bool) or key == "skipped" or isinstance(value, Mapping | list) or value is None:
            continue
        text = f"{value:.4g}" if isinstance(value, float) else str(value)
        if len(text) <= LONGEST_FACT:
            facts.append((key.replace("_", " "), text))
    return facts


def measured(round: Round, moment: str = "after") -> list[Measured]:
    """What the round's last stage measured on held-out people, `before` or `after` it."""
    result = round.stages.get("measure", {}).get("result") or {}
    entry = result.get(moment)
    return slices_of(entry) if isinstance(entry, Mapping) else []


@dataclass(frozen=True)
class Comparison:
    """One slice before and after a round."""

    name: str
    before: Measured | None
    after: Measured | None

    @property
    def gain(self) -> float | None:
        """After minus before."""
        values = [m.value if m else None for m in (self.before, self.after)]
        return None if None in values else (values[1] or 0.0) - (values[0] or 0.0)


def compare(round: Round) -> list[Comparison]:
    """Every slice that was measured before or after."""
    return paired(measured(round, "before"), measured(round))


def paired(before: Iterable[Measured], after: Iterable[Measured]) -> list[Comparison]:
    """Slices by name, also those that are on one side only."""
    was, is_now = ({one.name: one for one in side} for side in (before, after))
    return [Comparison(name, was.get(name), is_now.get(name)) for name in {**was, **is_now}]


def held_out_chart(rounds: Sequence[Round]) -> SafeString:
    """True accept rate on held-out people after each round, with intervals; round 0 is the start model."""
    points = _history(rounds)
    names = list(dict.fromkeys(name for _, slices in points for name in slices))
    series = []
    for name in names:
        entries = [slices.get(name) for _, slices in points]
        series.append(
            Series(
                name,
                [e.value if e else None for e in entries],
                [e.low if e else None for e in entries],
                [e.high if e else None for e in entries],
            )
        )
    return line_chart(series, [label for label, _ in points], title=f"Held-out people, {HEADLINE}, by round")


def _history(rounds: Sequence[Round]) -> list[tuple[str, dict[str, Measured]]]:
    ordered = sorted(rounds, key=lambda one: one.number)
    points: list[tuple[str, dict[str, Measured]]] = []
    for one in ordered:
        if not points and (start := measured(one, "before")):
            points.append((str(one.number - 1), {m.name: m for m in start}))
        if after := measured(one):
            points.append((str(one.number), {m.name: m for m in after}))
    return points


def _pool_series(rounds: Sequence[Round], *path: str) -> list[float | None]:
    values = []
    for one in sorted(rounds, key=lambda r: r.number):
        value: Any = one.stages.get("measure", {}).get("result") or {}
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        values.append(as_number(value))
    return values


def pool_chart(rounds: Sequence[Round]) -> SafeString:
    """The share of the pool's faces that have a label."""
    series = [Series("labelled share", _pool_series(rounds, "pool", "labelled"))]
    known = [one for one in series if any(value is not None for value in one.values)]
    labels = [str(one.number) for one in sorted(rounds, key=lambda r: r.number)]
    return line_chart(known, labels, title="Share of the pool that has a label")
