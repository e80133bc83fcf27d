"""The vectors of one model release. Two spaces are never mixed in one comparison."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class EmbeddingSpace(models.Model):
    """One embedder release's vectors over all packs."""

    class State(models.TextChoices):
        BUILDING = "building", "Building"
        READY = "ready", "Ready"
        LIVE = "live", "Live"
        RETIRED = "retired", "Retired"

    release = models.OneToOneField("models_zoo.ModelRelease", on_delete=models.PROTECT, related_name="space")
    dimension = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.BUILDING)
    calibration = models.JSONField(default=dict, help_text="thresholds and what they follow from; else empty")
    created_at = models.DateTimeField(auto_now_add=True)
    live_since = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="live"), name="one_live_space"),
        ]

    def __str__(self) -> str:
        return f"space {self.pk} ({self.state})"


class PackVectors(models.Model):
    """One pack's vectors in one space: a .npy of float32 (n, d), row i = face i of the pack."""

    space = models.ForeignKey(EmbeddingSpace, on_delete=models.CASCADE, related_name="vectors")
    pack = models.ForeignKey("annotation.CropPack", on_delete=models.CASCADE, related_name="vectors")
    blob = models.CharField(max_length=200, help_text="key among the blobs")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["space", "pack"], name="one_vectors_per_space_pack")]

    def __str__(self) -> str:
        return f"vectors of pack {self.pack_id} in space {self.space_id}"
