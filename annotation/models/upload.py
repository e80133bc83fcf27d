"""Files on their way in."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Upload(models.Model):
    """One file that was uploaded and waits to be ingested; its bytes are among the blobs under `blob`."""

    batch = models.UUIDField(db_index=True, help_text="the files of one upload share it")
    path = models.CharField(max_length=1000, help_text="as the client named it; only ever shown, never opened")
    digest = models.CharField(max_length=64)
    blob = models.CharField(max_length=200)
    bytes = models.BigIntegerField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "path"], name="one_upload_per_batch_path")]

    def __str__(self) -> str:
        return self.path
