"""Frozen portions of work for people."""

from __future__ import annotations

from datetime import datetime
from statistics import fmean

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models


class ReviewBatch(models.Model):
    """What one mining run picked, frozen."""

    class Asks(models.TextChoices):
        """What kind of question all of a batch's items are."""

        PAIR = "pair", "Are two faces one person?"
        SUSPECT = "suspect", "Whom does a face show?"
        CLUSTER = "cluster", "Is a cluster one person?"
        MERGE = "merge", "Are two people one?"

    strategy = models.CharField(max_length=40)
    asks = models.CharField(max_length=10, choices=Asks, default=Asks.PAIR)
    parameters = models.JSONField(default=dict)
    overlap = models.PositiveSmallIntegerField(default=1, help_text="how many people answer each question")
    expected_seconds = models.FloatField(default=3.0, help_text="that one answer is expected to take")
    run = models.ForeignKey("annotation.ClusterRun", null=True, on_delete=models.SET_NULL, related_name="+")
    job = models.ForeignKey("jobs.Job", null=True, on_delete=models.SET_NULL, related_name="+")
    report = models.JSONField(default=dict, help_text="considered, picked, histogram")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    # Set by `mining.queries.batches` and `mining.batch_counts`, which all that counts questions below needs.
    states: dict[str, int]  # how many questions are in which
    given: int  # answers given to open questions

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "review batches"

    def __str__(self) -> str:
        return f"{self.strategy} #{self.pk}"

    @property
    def total(self) -> int:
        return sum(self.states.values())

    @property
    def open_items(self) -> int:
        return self._in(ReviewItem.State.OPEN)

    @property
    def disputed_items(self) -> int:
        """Answered differently, and waiting for somebody to settle them."""
        return self._in(ReviewItem.State.DISPUTED)

    @property
    def done(self) -> int:
        return self.total - self.open_items - self.disputed_items

    @property
    def answers_left(self) -> int:
        return self.open_items * self.overlap + self.disputed_items - self.given

    @property
    def minutes_left(self) -> float:
        """What answering the rest takes, all people together."""
        return round(self.answers_left * self.expected_seconds / 60, 1)

    def _in(self, state: str) -> int:
        return self.states.get(state, 0)


class ReviewItem(models.Model):
    """One question for a person, its value, and how it was answered."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ANSWERED = "answered", "Answered"
        SKIPPED = "skipped", "Skipped"  # by everybody who may answer
        DISPUTED = "disputed", "Answered differently"
        OBSOLETE = "obsolete", "Settled by another answer"

    batch = models.ForeignKey(ReviewBatch, on_delete=models.CASCADE, related_name="items")
    ordinal = models.PositiveIntegerField()
    faces = ArrayField(models.BigIntegerField(), help_text="the faces asked about, the subject first")
    identities = ArrayField(models.BigIntegerField(), default=list, help_text="the identities in question")
    value = models.FloatField(help_text="faces settled x uncertainty / expected seconds")
    settles = models.PositiveIntegerField(help_text="how many faces one answer settles")
    why = models.CharField(max_length=300)
    evidence = models.JSONField(default=dict)
    gold = models.CharField(max_length=10, blank=True, default="", help_text="the known answer; shown to nobody")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    decision = models.ForeignKey("annotation.Decision", null=True, on_delete=models.SET_NULL, related_name="+")
    lease_expires_at: datetime | None = None  # set by `lease_items` for whom it lends the question to

    class Meta:
        ordering = ["batch", "ordinal"]
        constraints = [models.UniqueConstraint(fields=["batch", "ordinal"], name="one_item_per_ordinal")]
        indexes = [
            models.Index(fields=["state", "batch", "ordinal"]),
            # Every answer looks for other open questions about the same.
            models.Index(models.F("faces__0"), condition=models.Q(state="open"), name="open_items_by_subject"),
        ]

    def __str__(self) -> str:
        return f"item {self.ordinal} of batch {self.batch_id}"

    @property
    def likely_same(self) -> float | None:
        """How likely mining held both sides for one person, 0..1; of two models that disagree the mean, None if it did
        not say."""
        noted = self.evidence.get("same")
        return None if noted is None else fmean(noted if isinstance(noted, list) else [noted])


class ReviewLease(models.Model):
    """Somebody has a question before them."""

    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="leases")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "user"], name="one_lease_per_item_user")]

    def __str__(self) -> str:
        return f"item {self.item_id} lent to user {self.user_id}"


class ReviewVote(models.Model):
    """What one person answered. Taking it back sets `withdrawn_at`; the row stays."""

    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="votes")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="votes")
    answer = models.CharField(max_length=10)
    payload = models.JSONField(default=dict, help_text="what the answer names: of a cluster, the faces rejected")
    seconds = models.FloatField(null=True, help_text="how long the person took")
    adjudicates = models.BooleanField(default=False, help_text="cast on a question that people answered differently")
    decision = models.ForeignKey("annotation.Decision", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "user", "adjudicates"],
                condition=models.Q(withdrawn_at=None),
                name="one_vote_per_item_user",
            )
        ]
        indexes = [models.Index(fields=["user", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.answer} on item {self.item_id} by user {self.user_id}"


class ErrorModel(models.Model):
    """How often a person gives which answer where which is true, of one kind of question; see `mining.consensus`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    asks = models.CharField(max_length=10, choices=ReviewBatch.Asks)
    errors = models.JSONField(help_text="true answer -> given answer -> probability")
    prevalence = models.JSONField(help_text="answer -> how often it is true; the same for all people")
    votes = models.PositiveIntegerField(help_text="answers that it was learned from")
    known = models.PositiveIntegerField(help_text="of these, on questions whose answer was known")
    right = models.PositiveIntegerField(default=0, help_text="of the known ones")
    computed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "asks"], name="one_error_model_per_user_asks")]

    def __str__(self) -> str:
        return f"errors of user {self.user_id} on {self.asks}"
