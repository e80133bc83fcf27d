"""Rounds: starting one, and moving it from stage to stage."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import User
from annotation.models import EmbeddingSpace
from foundation.errors import Conflict, LoupeError
from jobs import services as jobs
from jobs.models import Job, JobState
from loop.aims import EXTRAS, synthetic_versions
from loop.models import Round
from loop.settling import UNTIL, checked_until, has_settled, next_parameters
from loop.stages import stage


class StageFailed(LoupeError):
    """A stage's job did not end well; mend or retry that job, then retry the round."""

    code = "stage_failed"


def start_round(*, user: User | None = None, parameters: dict[str, Any] | None = None) -> Round:
    """Start the next round. Only one runs at a time: Conflict while another has not ended.

    Args:
        parameters: `train`, `mining_budget`, `extras` (references of versions with synthetic faces to train with), and
            `until_settled` (see `settling.checked_until`) for rounds that follow each other until labels stop changing.

    Also raises InvalidInput and NotFound for what is wrong with the parameters.
    """
    parameters = dict(parameters or {})
    if EXTRAS in parameters:  # pinned: `latest` may be another one by the time of training
        parameters[EXTRAS] = [str(one) for one in synthetic_versions(parameters[EXTRAS])]
    if UNTIL in parameters:
        parameters[UNTIL] = checked_until(parameters[UNTIL])
    with transaction.atomic():
        # The live space's row is the lock: rounds change which one it is.
        if EmbeddingSpace.objects.select_for_update().filter(state=EmbeddingSpace.State.LIVE).first() is None:
            raise Conflict("There are no faces yet: ingest photos before the first round.", code="nothing_ingested")
        running = Round.objects.filter(finished_at=None).first()
        if running is not None:
            raise Conflict(f"Round {running.number} has not ended.", code="round_running")
        number = (Round.objects.aggregate(last=Max("number"))["last"] or 0) + 1
        round = Round.objects.create(number=number, parameters=parameters, created_by=user)
        round.job = jobs.enqueue(kind="round", params={"round": round.pk}, user=user, key=f"round:{number}")
        round.save(update_fields=["job"])
    return round


def start_stage(*, round_id: int, name: str, parent: Job) -> Job | None:
    """Start the stage's job unless it has one; the job while it still runs, None once it has ended well.

    Raises StageFailed if the job failed: "retry failed" on the round then retries that job too.
    """
    with transaction.atomic():
        round = Round.objects.select_for_update().get(pk=round_id)
        record = round.stages.get(name)
        if record is None:
            job = stage(name).start(round, key=f"round:{round.number}:{name}", parent=parent)
            round.stages[name] = {"job": job.pk if job else None, "started": timezone.now().isoformat()}
            round.save(update_fields=["stages"])
            return job
    if record["job"] is None:
        return None
    job = Job.objects.get(pk=record["job"])
    if job.state in (JobState.FINISHED, JobState.FINISHED_WITH_ERRORS):
        return None
    if job.state in (JobState.FAILED, JobState.CANCELLED):
        if not record.get("retry"):
            _remember(round_id, name, {"retry": True})
            raise StageFailed(f"Stage {name}: job {job.pk} {job.get_state_display().lower()}. {job.error}".strip())
        _remember(round_id, name, {"retry": False})
        jobs.retry_failed(job_id=job.pk)
    return job


def finish_stage(*, round_id: int, name: str) -> dict[str, Any]:
    """Note what the stage did and how long it took."""
    round = Round.objects.get(pk=round_id)
    record = round.stages[name]
    if "result" in record:
        result: dict[str, Any] = record["result"]
        return result
    job = Job.objects.get(pk=record["job"]) if record["job"] else None
    result = stage(name).collect(round, job)
    started = datetime.fromisoformat(record["started"])
    _remember(round_id, name, {"result": result, "seconds": (timezone.now() - started).total_seconds()})
    return result


def finish_round(*, round_id: int, job: Job) -> dict[str, Any]:
    """Close the round once all stages are done, and start the next one where rounds go on until labels settle; a failed
    one stays open for "retry failed"."""
    following = None
    with transaction.atomic():
        round = Round.objects.select_for_update().get(pk=round_id)
        done = all("result" in record for record in round.stages.values()) and "measure" in round.stages
        if done and round.finished_at is None:  # an abandoned one has no successor
            round.finished_at = timezone.now()
            round.save(update_fields=["finished_at"])
            if (parameters := next_parameters(round)) is not None:
                following = start_round(user=round.created_by, parameters=parameters)
    return {
        "round": round.number,
        "promoted": round.promoted,
        "settled": has_settled(round),
        "next_job": following.job_id if following else None,
    }


def abandon_round(*, round_id: int) -> Round:
    """End a round that failed or was cancelled, so that another can start. What its stages did stays."""
    with transaction.atomic():
        round = Round.objects.select_for_update().get(pk=round_id)
        if round.finished_at is None:
            if round.job is not None and round.job.unfinished:
                jobs.cancel(job_id=round.job.pk)
            round.finished_at = timezone.now()
            round.verdict = [*round.verdict, "The round was abandoned."]
            round.save(update_fields=["finished_at", "verdict"])
    return round


def _remember(round_id: int, name: str, facts: dict[str, Any]) -> None:
    with transaction.atomic():
        round = Round.objects.select_for_update().get(pk=round_id)
        round.stages[name] = {**round.stages.get(name, {}), **facts}
        round.save(update_fields=["stages"])
