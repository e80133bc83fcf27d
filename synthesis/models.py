"""Synthesis runs: what was asked for, which shards are made, which items could not be."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class SynthesisRun(models.Model):
    """A recipe, a seed and a count: the samples 0..count-1, whoever makes them, and what they became."""

    name = models.SlugField(max_length=100, help_text="of the dataset that it makes a version of")
    title = models.CharField(max_length=100, help_text="the preset's name, or what the recipe's maker calls it")
    recipe = models.JSONField(help_text="plain values, presets written out")
    seed = models.BigIntegerField()
    count = models.BigIntegerField()
    format = models.CharField(max_length=30)
    shard_size = models.PositiveIntegerField()
    most_seconds = models.FloatField(null=True, help_text="begin no shard later than this after the start")
    most_bytes = models.BigIntegerField(null=True, help_text="leave off the shards beyond")
    split = models.CharField(max_length=20, default="train_extra")
    source = models.ForeignKey("annotation.DatasetVersion", null=True, on_delete=models.PROTECT, related_name="+")
    generator_digest = models.CharField(max_length=64, help_text="of code and libraries; other ones may draw otherwise")
    generator = models.JSONField(default=dict, help_text="versions of what the digest covers")
    estimate = models.JSONField(default=dict)
    job = models.ForeignKey("jobs.Job", null=True, on_delete=models.SET_NULL, related_name="+")
    version = models.ForeignKey("annotation.DatasetVersion", null=True, on_delete=models.SET_NULL, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"synthesis run {self.pk}"

    @property
    def shards_total(self) -> int:
        return -(-self.count // self.shard_size)

    def indices(self, ordinal: int) -> range:
        """The samples of one shard."""
        first = ordinal * self.shard_size
        return range(first, min(first + self.shard_size, self.count))


class SynthesisShard(models.Model):
    """What one unit of a run's job made; written once, with its files stored before."""

    run = models.ForeignKey(SynthesisRun, on_delete=models.CASCADE, related_name="shards")
    ordinal = models.PositiveIntegerField()
    made = models.PositiveIntegerField()
    failed = models.PositiveIntegerField(default=0)
    bytes = models.BigIntegerField()
    blob = models.CharField(max_length=200, help_text="tar of pictures; empty where nothing was made")
    index_blob = models.CharField(max_length=200, help_text="tar of labels, and where the pictures are in the other")
    sheet_blob = models.CharField(
        max_length=200, blank=True, default="", help_text="of some: PNG of a sample, for the sheet"
    )
    seconds = models.FloatField(help_text="that one worker took")

    class Meta:
        ordering = ["run", "ordinal"]
        constraints = [models.UniqueConstraint(fields=["run", "ordinal"], name="one_shard_per_ordinal")]

    def __str__(self) -> str:
        return f"shard {self.ordinal} of {self.run_id}"


class FailedItem(models.Model):
    """An item that could not be made. The run's seed and this index make it again."""

    run = models.ForeignKey(SynthesisRun, on_delete=models.CASCADE, related_name="failed_items")
    index = models.BigIntegerField()
    code = models.CharField(max_length=64)
    reason = models.TextField()

    class Meta:
        ordering = ["run", "index"]
        constraints = [models.UniqueConstraint(fields=["run", "index"], name="one_failure_per_item")]

    def __str__(self) -> str:
        return f"item {self.index} of {self.run_id}"
