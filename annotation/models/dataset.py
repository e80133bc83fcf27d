"""Immutable dataset versions."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class DatasetVersion(models.Model):
    """An immutable digest over rows, splits and shards."""

    class State(models.TextChoices):
        BUILDING = "building", "Building"
        PUBLISHED = "published", "Published"
        REFUSED = "refused", "Refused"

    name = models.SlugField(max_length=100)
    version = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.BUILDING)
    error = models.CharField(max_length=500, blank=True)
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 over manifest and shard digests")
    manifest_blob = models.CharField(max_length=200, blank=True)
    manifest_digest = models.CharField(max_length=64, blank=True)
    manifest_bytes = models.BigIntegerField(default=0)
    # What a pull by somebody who may not see test images gets: the same without the rows of locked splits.
    public_manifest_blob = models.CharField(max_length=200, blank=True)
    public_manifest_digest = models.CharField(max_length=64, blank=True)
    public_manifest_bytes = models.BigIntegerField(default=0)
    shards = models.JSONField(default=list, help_text="[{digest, bytes, blob, split}]")
    counts = models.JSONField(default=dict, help_text="{split: {faces, identities}}")
    parameters = models.JSONField(default=dict)
    run = models.ForeignKey("annotation.ClusterRun", null=True, on_delete=models.SET_NULL, related_name="+")
    last_decision_id = models.BigIntegerField(null=True, help_text="the ledger's end when it was frozen")
    job = models.ForeignKey("jobs.Job", null=True, on_delete=models.SET_NULL, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "-version"]
        constraints = [models.UniqueConstraint(fields=["name", "version"], name="one_dataset_version")]

    def __str__(self) -> str:
        return f"{self.name}@v{self.version}"

    @property
    def extra_only(self) -> bool:
        """Whether it holds nothing of the album, but synthetic or other extra rows."""
        return bool(self.counts) and all(split.endswith("_extra") for split in self.counts)


class DatasetAlias(models.Model):
    """A movable name for a version: `people@latest`."""

    name = models.SlugField(max_length=100)
    alias = models.SlugField(max_length=60)
    version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="aliases")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "alias"], name="one_alias_per_dataset")]

    def __str__(self) -> str:
        return f"{self.name}@{self.alias}"


class TestUse(models.Model):
    """One use of a locked test split. Every use is counted, for each one wears the number out a little."""

    version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="test_uses")
    release = models.ForeignKey("models_zoo.ModelRelease", null=True, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    purpose = models.CharField(max_length=200)
    used_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"test of {self.version_id} used for {self.purpose}"
