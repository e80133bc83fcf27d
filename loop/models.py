"""One turn of the loop."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Round(models.Model):
    """One turn of the loop: which job drove it, and what each stage did."""

    number = models.PositiveIntegerField(unique=True, help_text="1, 2, ..; 0 is the state before the first round")
    job = models.OneToOneField("jobs.Job", null=True, on_delete=models.SET_NULL, related_name="round")
    parameters = models.JSONField(default=dict)
    stages = models.JSONField(default=dict, help_text="{stage: {job, seconds, result}}")
    promoted = models.BooleanField(null=True, help_text="null until the gate has spoken")
    verdict = models.JSONField(default=list, help_text="the gate's reasons, in words")
    champion = models.ForeignKey(
        "models_zoo.ModelRelease", null=True, on_delete=models.PROTECT, related_name="+", help_text="after the round"
    )
    challenger = models.ForeignKey("models_zoo.ModelRelease", null=True, on_delete=models.PROTECT, related_name="+")
    dataset = models.ForeignKey("annotation.DatasetVersion", null=True, on_delete=models.PROTECT, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"round {self.number}"
