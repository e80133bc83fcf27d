"""A person."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Identity(models.Model):
    """A person. Merging is a decision in the ledger (`merged_into` is derived from it), never a delete."""

    class Origin(models.TextChoices):
        AUTO = "auto", "Found by clustering"
        HUMAN = "human", "Created by a person"
        IMPORT = "import", "Imported with the photos"

    name = models.CharField(max_length=200, blank=True, help_text="derived from the ledger's last rename")
    external_key = models.CharField(max_length=200, null=True, blank=True, unique=True)
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.AUTO)
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged")
    # Grows by one whenever a decision touches the identity: the optimistic lock of its editors.
    revision = models.PositiveIntegerField(default=0)
    # Derived, refreshed with the labels, so that lists of people cost one query.
    faces_count = models.PositiveIntegerField(default=0)
    cover = models.ForeignKey("annotation.Face", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "identities"
        indexes = [models.Index(fields=["-faces_count", "id"], condition=Q(merged_into=None), name="people_by_faces")]

    def __str__(self) -> str:
        return self.name or f"Person {self.pk}"
