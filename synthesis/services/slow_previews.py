"""Previews of recipes whose samples take seconds each: a job makes them one by one, a page asks for what is ready."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict, replace
from typing import Any

from accounts.models import User
from annotation.models import DatasetVersion
from foundation import blobs
from foundation.errors import NotFound
from jobs.models import UNFINISHED, Job, JobState, Unit, UnitState
from jobs.queries import get_job
from jobs.services import cancel, enqueue
from synthesis.provenance import generator_facts
from synthesis.services.generators import generator_for
from synthesis.services.previews import Shown, preview

KIND = "synthesis_preview"


def start_preview(
    *, node: Any, source: str, seed: int, first: int, count: int, draw: bool, user: User | None = None
) -> Job:
    """The job that makes these samples, also if it was started before. The user's other one is cancelled."""
    params = {"recipe": node, "source": source, "seed": seed, "first": first, "count": count, "draw": draw}
    facts = json.dumps([params, generator_facts()[0]], sort_keys=True)
    key = f"{KIND}-{hashlib.sha256(facts.encode()).hexdigest()}"
    same = Job.objects.filter(kind=KIND, key=key, state__in=[*UNFINISHED, JobState.FINISHED]).order_by("-pk").first()
    if same is not None and not same.cancelling:
        return same
    for other in Job.objects.filter(kind=KIND, created_by=user, state__in=UNFINISHED).values_list("pk", flat=True):
        cancel(job_id=other)
    return enqueue(kind=KIND, params=params, user=user, key=key)


def make_preview(*, job: Job, index: int, source: DatasetVersion | None) -> dict[str, Any]:
    """One of the job's samples, as its unit's result keeps it."""
    params = job.params
    generator = generator_for(params["recipe"], source)
    (shown,) = preview(generator, seed=params["seed"], first=index, count=1, draw=params["draw"])
    blob = blobs.put("shards", base64.b64decode(shown.image)) if shown.image else ""
    return asdict(replace(shown, image="")) | {"blob": blob}


def read_preview(job_id: int) -> tuple[Job, list[Shown]]:
    """The samples of a preview's job that are ready or failed, by index. Raises NotFound."""
    job = get_job(job_id)
    if job.kind != KIND:
        raise NotFound(f"Job {job_id} makes no preview.", code="no_preview")
    ended = job.units.filter(state__in=[UnitState.DONE, UnitState.FAILED]).order_by("ordinal")
    return job, [_shown(job, unit) for unit in ended]


def _shown(job: Job, unit: Unit) -> Shown:
    if unit.state == UnitState.FAILED:
        return Shown(unit.params["index"], job.params["seed"], code=unit.error_code, reason=unit.error)
    kept = dict(unit.result or {})
    blob = kept.pop("blob", "")
    return Shown(**kept | {"image": base64.b64encode(blobs.read(blob)).decode() if blob else ""})
