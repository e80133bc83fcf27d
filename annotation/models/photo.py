"""One image, known by the digest of its bytes."""

from __future__ import annotations

from django.db import models


class Photo(models.Model):
    """An image by content digest. A file that can't be read is kept too, as `failed` with its reason."""

    class State(models.TextChoices):
        STORED = "stored", "Stored, faces not yet looked for"
        READY = "ready", "Faces found"
        NO_FACES = "no_faces", "No face found"
        FAILED = "failed", "Failed"

    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the file, hexadecimal")
    blob = models.CharField(max_length=200, blank=True, help_text="key of the original among the blobs")
    bytes = models.BigIntegerField()
    mime = models.CharField(max_length=40, blank=True)
    # Size after EXIF orientation was applied; null while unknown.
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    orientation = models.PositiveSmallIntegerField(default=1, help_text="EXIF orientation, 1..8")
    taken_at = models.DateTimeField(null=True, help_text="EXIF time, taken as UTC where it has no zone")
    dhash = models.BigIntegerField(null=True, help_text="64-bit difference hash, as a signed number")
    # The smallest photo id of its near-duplicate group; itself when it has none. Groups never cross dataset splits.
    duplicate_group = models.BigIntegerField(null=True, db_index=True)
    state = models.CharField(max_length=10, choices=State, default=State.STORED)
    error_code = models.CharField(max_length=60, blank=True)
    error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["state", "id"]), models.Index(fields=["dhash"])]

    def __str__(self) -> str:
        return self.digest[:12]
