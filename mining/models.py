"""Frozen portions of work for people."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models


class ReviewBatch(models.Model):
    """What one mining run picked, frozen."""

    class Asks(models.TextChoices):
        """What kind of question all of a batch's items are."""

        PAIR = "pair", "Are two faces one person?"
        SUSPECT = "suspect", "Whom does a face show?"

    strategy = models.CharField(max_length=40)
    asks = models.CharField(max_length=10, choices=Asks, default=Asks.PAIR)
    parameters = models.JSONField(default=dict)
    run = models.ForeignKey("annotation.ClusterRun", null=True, on_delete=models.SET_NULL, related_name="+")
    job = models.ForeignKey("jobs.Job", null=True, on_delete=models.SET_NULL, related_name="+")
    report = models.JSONField(default=dict, help_text="considered, picked, histogram")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "review batches"

    def __str__(self) -> str:
        return f"{self.strategy} #{self.pk}"


class ReviewItem(models.Model):
    """One question for a person, its value, and how it was answered."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ANSWERED = "answered", "Answered"
        SKIPPED = "skipped", "Skipped"
        OBSOLETE = "obsolete", "Settled by another answer"

    batch = models.ForeignKey(ReviewBatch, on_delete=models.CASCADE, related_name="items")
    ordinal = models.PositiveIntegerField()
    faces = ArrayField(models.BigIntegerField(), help_text="the faces asked about, the subject first")
    identities = ArrayField(models.BigIntegerField(), default=list, help_text="the identities in question")
    value = models.FloatField(help_text="faces settled x uncertainty")
    settles = models.PositiveIntegerField(help_text="how many faces one answer settles")
    why = models.CharField(max_length=300)
    evidence = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    decision = models.ForeignKey("annotation.Decision", null=True, on_delete=models.SET_NULL, related_name="+")
    leased_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    lease_expires_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["batch", "ordinal"]
        constraints = [models.UniqueConstraint(fields=["batch", "ordinal"], name="one_item_per_ordinal")]
        indexes = [models.Index(fields=["state", "batch", "ordinal"])]

    def __str__(self) -> str:
        return f"item {self.ordinal} of batch {self.batch_id}"
