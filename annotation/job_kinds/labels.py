"""Labels made anew, as a job."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from annotation.services.label_jobs import settled_upto, told_upto
from annotation.services.labels import refresh_labels
from annotation.services.standing import tell_again
from jobs.kinds import JobKind, UnitRun, UnitSpec
from jobs.models import Job, Unit


class RefreshLabels(JobKind):
    """Carries decisions on to all the faces that they bear on."""

    name = "labels"
    title = "Refresh labels"
    unit_noun = "recomputation"

    def plan(self, job: Job) -> Iterable[UnitSpec]:
        return [UnitSpec(key="labels")]

    def run(self, job: Job, units: Sequence[Unit], run: UnitRun) -> None:
        since, told = settled_upto(), tell_again(since=told_upto())
        with transaction.atomic():
            run.done(units[0], refresh_labels(since=since).as_dict() | {"told": told})

    def finish(self, job: Job) -> dict[str, Any]:
        unit = job.units.first()
        return dict(unit.result or {}) if unit else {}
