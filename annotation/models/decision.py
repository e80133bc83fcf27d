"""The ledger: what a person (or a run) said, for ever."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from annotation.ledger.entries import Kind


class Decision(models.Model):
    """One entry of the append-only ledger; the database itself refuses to change or delete a row.

    The fields mean what `annotation.ledger.entries.Entry` says. Decisions speak of faces and identities, never of
    clusters, which come and go.
    """

    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in Kind])
    faces = ArrayField(models.BigIntegerField(), default=list)
    others = ArrayField(models.BigIntegerField(), default=list)
    identity = models.ForeignKey("annotation.Identity", null=True, on_delete=models.PROTECT, related_name="decisions")
    into = models.ForeignKey("annotation.Identity", null=True, on_delete=models.PROTECT, related_name="decisions_into")
    text = models.CharField(max_length=200, blank=True)
    reverts = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="reverted_by")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="decisions")
    # Entries of one action of the user (confirm and name, say) share this, and are undone together.
    action = models.UUIDField(db_index=True)
    seconds = models.FloatField(null=True, help_text="how long the person took")
    evidence = models.JSONField(default=dict, help_text="what was shown: run, cluster, similarity, release")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["actor", "-id"]), models.Index(fields=["identity", "-id"])]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class Constraint(models.Model):
    """A pair of faces that must or cannot be one person; derived from the ledger and made anew from it at will."""

    class Kind(models.TextChoices):
        MUST = "must", "Must link"
        CANNOT = "cannot", "Cannot link"

    kind = models.CharField(max_length=6, choices=Kind)
    face_a = models.ForeignKey("annotation.Face", on_delete=models.CASCADE, related_name="+")
    face_b = models.ForeignKey("annotation.Face", on_delete=models.CASCADE, related_name="+")
    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="constraints")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["face_a", "face_b", "decision"], name="one_constraint_per_pair_decision"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.face_a_id} {self.face_b_id}"
