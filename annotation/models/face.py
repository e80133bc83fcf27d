"""Faces and the packs that hold their crops."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models


class CropPack(models.Model):
    """An immutable, content-addressed, uncompressed tar of aligned 112x112 PNG crops; the unit of work."""

    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the tar, hexadecimal")
    blob = models.CharField(max_length=200, help_text="key among the blobs")
    faces_count = models.PositiveIntegerField()
    bytes = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.digest[:12]


class Face(models.Model):
    """One detection in one photo, with the place of its crop."""

    photo = models.ForeignKey("annotation.Photo", on_delete=models.CASCADE, related_name="faces")
    detector = models.ForeignKey("models_zoo.ModelRelease", on_delete=models.PROTECT, related_name="+")
    ordinal = models.PositiveIntegerField(help_text="position among the photo's faces, by falling detector score")
    # Pixels of the upright photo.
    x = models.FloatField()
    y = models.FloatField()
    width = models.FloatField()
    height = models.FloatField()
    landmarks = ArrayField(models.FloatField(), size=10, help_text="five x,y pairs in pixels of the upright photo")
    score = models.FloatField(help_text="detector score, 0..1")
    # Quality measures, see models_zoo.quality.
    size_px = models.FloatField()
    sharpness = models.FloatField()
    brightness = models.FloatField()
    contrast = models.FloatField()
    yaw = models.FloatField()
    pitch = models.FloatField()
    roll = models.FloatField()
    quality = models.FloatField(help_text="combined, 0..1")
    pack = models.ForeignKey(CropPack, on_delete=models.PROTECT, related_name="faces")
    row = models.PositiveIntegerField(help_text="row in the pack and in its vectors")
    offset = models.BigIntegerField(help_text="of the PNG in the tar, bytes")
    length = models.PositiveIntegerField(help_text="of the PNG, bytes")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the PNG, hexadecimal")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["photo", "detector", "ordinal"], name="one_face_per_detection"),
            models.UniqueConstraint(fields=["pack", "row"], name="one_face_per_pack_row"),
        ]
        indexes = [models.Index(fields=["quality"])]

    def __str__(self) -> str:
        return f"face {self.pk}"
