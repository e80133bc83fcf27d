"""Who a face shows, as of now. Derived from the ledger and the current cluster run; made anew at will."""

from __future__ import annotations

from django.db import models


class Label(models.Model):
    """The effective label of one face. Human beats auto, always."""

    class Source(models.TextChoices):
        HUMAN = "human", "A person said so"
        AUTO = "auto", "Clustering"
        IMPORT = "import", "Imported with the photo"
        SYNTHETIC = "synthetic", "Synthetic"

    # Those that come from outside, and stay beneath whatever people say.
    GIVEN = ((Source.IMPORT, Source.IMPORT.label), (Source.SYNTHETIC, Source.SYNTHETIC.label))

    class Reason(models.TextChoices):
        """Why a face has no identity; empty when it has one."""

        NONE = "", "Labelled"
        SINGLETON = "singleton", "No other face within the threshold"
        LOW_QUALITY = "low_quality", "Too poor to judge"
        PROFILE_PRIOR = "profile_prior", "Not the owner of this profile"
        SAME_PHOTO = "same_photo", "Another face of the photo is more like this person"
        REJECTED = "rejected", "A person rejected the label"
        IGNORED = "ignored", "Ignored by a person"
        NOT_A_FACE = "not_a_face", "Not a face"

    face = models.OneToOneField("annotation.Face", on_delete=models.CASCADE, related_name="label")
    identity = models.ForeignKey("annotation.Identity", null=True, on_delete=models.PROTECT, related_name="labels")
    source = models.CharField(max_length=10, choices=Source)
    confidence = models.FloatField(help_text="0..1")
    reason = models.CharField(max_length=20, choices=Reason, default=Reason.NONE, blank=True)
    decision = models.ForeignKey("annotation.Decision", null=True, on_delete=models.SET_NULL, related_name="+")
    run = models.ForeignKey("annotation.ClusterRun", null=True, on_delete=models.SET_NULL, related_name="+")

    # Whom the face shows without people: as it came from outside, which never changes, with where from in `given_as`;
    # else, where people's word or a too small cluster took the label, who it was by clustering until then.
    given = models.ForeignKey(
        "annotation.Identity", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    given_as = models.CharField(max_length=10, choices=GIVEN, db_default="", default="", blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["identity", "face"]),
            models.Index(fields=["reason"]),
            models.Index(fields=["given", "face"], condition=models.Q(given__isnull=False), name="labels_by_given"),
        ]

    def __str__(self) -> str:
        return f"face {self.face_id}: {self.identity_id or self.reason}"
