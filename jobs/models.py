"""Job and Unit: the whole truth about background work. Only `jobs.services` and its neighbours write them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class JobState(models.TextChoices):
    QUEUED = "queued", "Queued"
    PLANNING = "planning", "Planning"
    RUNNING = "running", "Running"
    FINISHED = "finished", "Finished"
    FINISHED_WITH_ERRORS = "finished_with_errors", "Finished with errors"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


UNFINISHED = (JobState.QUEUED, JobState.PLANNING, JobState.RUNNING)


class UnitState(models.TextChoices):
    PENDING = "pending", "Pending"
    RUNNING = "running", "Running"
    WAITING = "waiting", "Waiting for another job"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


OPEN = (UnitState.PENDING, UnitState.RUNNING, UnitState.WAITING)
# Units that failed, and those that are done, though something in them failed.
WITH_ERRORS = Q(state=UnitState.FAILED) | Q(state=UnitState.DONE) & ~Q(error="")


class Job(models.Model):
    """One piece of background work. Its counters change in the same transaction as its units, so they are exact."""

    State = JobState

    kind = models.CharField(max_length=64)
    title = models.CharField(max_length=200, blank=True)
    params = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=24, choices=JobState.choices, default=JobState.QUEUED)
    key = models.CharField(max_length=200, blank=True, default="", help_text="at most one unfinished job per key")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="children")

    # Copied from the kind, so that lists and the dispatcher need not import what the kind needs.
    queue = models.CharField(max_length=32, default="default")
    sequential = models.BooleanField(default=False)
    unit_noun = models.CharField(max_length=32, default="unit")

    units_total = models.PositiveIntegerField(default=0)
    units_done = models.PositiveIntegerField(default=0)
    units_failed = models.PositiveIntegerField(default=0)
    weight_total = models.PositiveBigIntegerField(default=0)
    weight_done = models.PositiveBigIntegerField(default=0, help_text="of units that ended, well or not")

    message = models.CharField(max_length=500, blank=True, default="")
    result = models.JSONField(null=True, blank=True)
    error_code = models.CharField(max_length=64, blank=True, default="")
    error = models.TextField(blank=True, default="")
    peak_rss_mb = models.PositiveIntegerField(default=0)

    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    planned_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)

    # The lease of whoever plans or finishes the job; units have their own.
    claim = models.UUIDField(null=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    not_before = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["key"],
                condition=~Q(key="") & Q(state__in=["queued", "planning", "running"]),
                name="one_unfinished_job_per_key",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=Q(state__in=["queued", "planning", "running"]), name="unfinished_jobs"
            ),
            models.Index(fields=["kind", "-id"], name="jobs_by_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def unit_nouns(self) -> str:
        """The word for several units."""
        return f"{self.unit_noun[:-1]}ies" if self.unit_noun.endswith("y") else f"{self.unit_noun}s"

    @property
    def unfinished(self) -> bool:
        return self.state in UNFINISHED

    @property
    def cancelling(self) -> bool:
        return self.unfinished and self.cancel_requested_at is not None


class Unit(models.Model):
    """One idempotent part of a job. `claim` is the fencing token: a report counts only with the latest one."""

    State = UnitState

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="units")
    key = models.CharField(max_length=512)
    ordinal = models.PositiveIntegerField()
    params = models.JSONField(default=dict, blank=True)
    weight = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=12, choices=UnitState.choices, default=UnitState.PENDING)
    waits_for = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="waiting_units")

    attempts = models.PositiveSmallIntegerField(default=0, help_text="runs that ended in an error")
    lost = models.PositiveSmallIntegerField(default=0, help_text="runs whose worker vanished")
    alone = models.BooleanField(default=False, help_text="run by itself: it was in a batch that went wrong")
    not_before = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True)
    worker = models.CharField(max_length=120, blank=True, default="")

    items_done = models.PositiveBigIntegerField(default=0)
    items_total = models.PositiveBigIntegerField(default=0)
    result = models.JSONField(null=True, blank=True)
    error_code = models.CharField(max_length=64, blank=True, default="")
    error = models.TextField(blank=True, default="")
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    seconds = models.FloatField(default=0.0, help_text="time spent on this unit over all runs")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "key"], name="unit_key_once_per_job")]
        indexes = [
            models.Index(fields=["job", "state", "alone", "ordinal"], name="units_by_state"),
            models.Index(fields=["job", "ended_at"], condition=Q(ended_at__isnull=False), name="units_by_end"),
            models.Index(fields=["waits_for"], condition=Q(state="waiting"), name="units_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.job_id}/{self.key}"
