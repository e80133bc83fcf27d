"""A source of photos and what is known about it beforehand."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Collection(models.Model):
    """An album, profile or camera; carries a prior about whom its photos show."""

    class Prior(models.TextChoices):
        MIXED = "mixed", "Mixed: anybody may appear"
        PROFILE = "profile", "Profile: one owner, the rest is noise"

    class Split(models.TextChoices):
        """Where the faces of a collection that is kept out of the pool go in every dataset version."""

        NONE = "", "In the pool"
        VAL_BLACKBOX = "val_blackbox", "Held out: choosing models"
        TEST = "test", "Held out: the final number"

    name = models.CharField(max_length=200, unique=True)
    slug = models.SlugField(max_length=200, unique=True)
    prior = models.CharField(max_length=10, choices=Prior, default=Prior.MIXED)
    owner = models.ForeignKey("annotation.Identity", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    # Photos of a held-out collection are never clustered, calibrated on, mined or trained on.
    held_out = models.CharField(max_length=20, choices=Split, default=Split.NONE, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    photos = models.ManyToManyField(
        "annotation.Photo",
        through="CollectionPhoto",
        through_fields=("collection", "photo"),
        related_name="collections",
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class CollectionPhoto(models.Model):
    """One photo seen under one path in one collection; the same photo may be seen many times but is stored once."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="sightings")
    photo = models.ForeignKey("annotation.Photo", on_delete=models.CASCADE, related_name="sightings")
    path = models.CharField(max_length=1000)
    # The photo of which this one is a deliberately degraded copy, where known: pairs of one source prove nothing.
    source = models.ForeignKey(
        "annotation.Photo", null=True, blank=True, on_delete=models.SET_NULL, related_name="copies"
    )
    seen_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["collection", "path"], name="one_sighting_per_path")]
        indexes = [models.Index(fields=["photo"])]

    def __str__(self) -> str:
        return f"{self.collection_id}:{self.path}"
