"""The release registry: what models there are, where they come from and how good they were measured to be."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class ModelRelease(models.Model):
    """One set of weights, known by its digest, with its lineage."""

    class Kind(models.TextChoices):
        DETECTOR = "detector", "Detector"
        EMBEDDER = "embedder", "Embedder"

    name = models.SlugField(max_length=100, help_text="as in the reference sface-ft@v3")
    version = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind)
    architecture = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the weights, hexadecimal")
    blob = models.CharField(max_length=200, help_text="key of the weights among the blobs")
    filename = models.CharField(max_length=120, help_text="its suffix says the format: .onnx or .safetensors")
    preprocessing = models.JSONField(default=dict)
    licence = models.CharField(max_length=100)
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    dataset = models.CharField(max_length=160, blank=True, help_text="reference of the version it was trained on")
    dataset_digest = models.CharField(max_length=64, blank=True)
    training = models.JSONField(default=dict, help_text="configuration and curves")
    metrics = models.JSONField(default=dict)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["name", "version"], name="one_release_version")]

    def __str__(self) -> str:
        return f"{self.name}@v{self.version}"


class ReleaseAlias(models.Model):
    """A movable name within a kind: `champion`, `challenger`."""

    kind = models.CharField(max_length=10, choices=ModelRelease.Kind)
    alias = models.SlugField(max_length=60)
    release = models.ForeignKey(ModelRelease, on_delete=models.PROTECT, related_name="aliases")
    moved_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "alias"], name="one_alias_per_kind")]
        verbose_name_plural = "release aliases"

    def __str__(self) -> str:
        return f"{self.kind}@{self.alias}"


class Evaluation(models.Model):
    """Metrics of one release on one pinned dataset digest and split, with intervals and slices."""

    release = models.ForeignKey(ModelRelease, on_delete=models.CASCADE, related_name="evaluations")
    dataset = models.CharField(max_length=160)
    dataset_digest = models.CharField(max_length=64)
    split = models.CharField(max_length=20)
    metrics = models.JSONField(default=dict, help_text="{slice: {tar@fmr: value, ci: [low, high], ...}}")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["release", "dataset_digest", "split"], name="one_evaluation"),
        ]

    def __str__(self) -> str:
        return f"{self.release_id} on {self.dataset} {self.split}"
