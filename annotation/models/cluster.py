"""One clustering of one space, and its clusters."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class ClusterRun(models.Model):
    """One clustering: what went in (digest), how (parameters), what came out. One run is current.

    A preview waits for somebody to apply it, which makes it the current one, or to drop it.
    """

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        PREVIEW = "preview", "Preview"
        DROPPED = "dropped", "Dropped"

    space = models.ForeignKey("annotation.EmbeddingSpace", on_delete=models.CASCADE, related_name="runs")
    job = models.ForeignKey("jobs.Job", null=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    current = models.BooleanField(default=False)
    parameters = models.JSONField(default=dict)
    input_digest = models.CharField(max_length=64, blank=True)
    metrics = models.JSONField(default=dict, help_text="counts, seconds, conflicts with decisions")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["current"], condition=Q(current=True), name="one_current_run"),
            models.UniqueConstraint(fields=["job"], name="one_run_per_job"),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"


class Cluster(models.Model):
    """Faces that the run takes for one person. Clusters of one face are not stored: their member has no cluster."""

    run = models.ForeignKey(ClusterRun, on_delete=models.CASCADE, related_name="clusters")
    ordinal = models.PositiveIntegerField(help_text="0-based, by falling size, then smallest face id")
    size = models.PositiveIntegerField()
    diameter = models.FloatField(help_text="largest cosine distance within, 0..2")
    widest_a = models.ForeignKey("annotation.Face", on_delete=models.CASCADE, related_name="+")
    widest_b = models.ForeignKey("annotation.Face", on_delete=models.CASCADE, related_name="+")
    medoid = models.ForeignKey("annotation.Face", on_delete=models.CASCADE, related_name="+")
    identity = models.ForeignKey("annotation.Identity", null=True, on_delete=models.PROTECT, related_name="clusters")

    class Meta:
        ordering = ["run", "ordinal"]
        constraints = [models.UniqueConstraint(fields=["run", "ordinal"], name="one_cluster_per_ordinal")]
        indexes = [models.Index(fields=["identity"])]

    def __str__(self) -> str:
        return f"cluster {self.ordinal} of run {self.run_id}"


class ClusterMember(models.Model):
    """Where a run put a face. `cluster` is null for a face that stands alone."""

    run = models.ForeignKey(ClusterRun, on_delete=models.CASCADE, related_name="members")
    cluster = models.ForeignKey(Cluster, null=True, on_delete=models.CASCADE, related_name="members")
    face = models.ForeignKey("annotation.Face", on_delete=models.CASCADE, related_name="memberships")
    similarity = models.FloatField(null=True, help_text="cosine similarity to the medoid, -1..1")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "face"], name="one_membership_per_run_face")]
        indexes = [models.Index(fields=["cluster", "similarity", "id"])]

    def __str__(self) -> str:
        return f"face {self.face_id} in cluster {self.cluster_id}"
