"""Shapes of synthesis' REST bodies."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from jobs.serializers import JobSerializer
from synthesis.models import FailedItem, SynthesisRun
from synthesis.queries import images_per_minute
from synthesis.services.runs import MOST_IMAGES
from synthesis.writers.formats import FORMATS

MOST_SEED = 2**63 - 1
MOST_SHOWN = 12


class SettingSerializer(serializers.Serializer[Any]):
    path = serializers.CharField()
    kind = serializers.ChoiceField(choices=["range", "whole_range", "number", "whole", "switch", "word"])
    value = serializers.JSONField(help_text="As the recipe has it; ranges are [low, high]")
    given = serializers.BooleanField(help_text="False where it is the part's default")
    least = serializers.FloatField(allow_null=True, help_text="That a number, or an end of a range, may be")
    greatest = serializers.FloatField(allow_null=True, help_text="Likewise; both are null for switches and words")
    words = serializers.ListField(child=serializers.CharField(), help_text="Those that a word may be; any if empty")


class RecipeSummarySerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    about = serializers.CharField()
    needs = serializers.CharField(help_text="faces: those of a dataset version; blender; or nothing")
    formats = serializers.ListField(child=serializers.CharField(), help_text="The usual one first")
    fonts = serializers.CharField(help_text="For text: how many were found, and how to get more; or nothing")


class RecipeSerializer(RecipeSummarySerializer):
    yaml = serializers.CharField()
    settings = SettingSerializer(many=True)


class RecipesSerializer(serializers.Serializer[Any]):
    recipes = RecipeSummarySerializer(many=True)


class WantedSerializer(serializers.Serializer[Any]):
    """A recipe with changes, and a seed."""

    recipe = serializers.JSONField(help_text="A preset's name, YAML, or the same as plain values")
    changes = serializers.DictField(
        required=False, default=dict, help_text="{setting's path, or an end of it that only one has: value}"
    )
    seed = serializers.IntegerField(min_value=0, max_value=MOST_SEED, required=False, default=0)
    source_dataset = serializers.CharField(
        max_length=200,
        required=False,
        allow_blank=True,
        default="",
        help_text="For effects on faces: the version whose train faces are used",
    )


class NewRunSerializer(WantedSerializer):
    count = serializers.IntegerField(min_value=1, max_value=MOST_IMAGES)
    title = serializers.CharField(
        max_length=100, required=False, allow_blank=True, default="", help_text="Of a recipe that is no preset"
    )
    name = serializers.SlugField(
        max_length=100, required=False, allow_blank=True, default="", help_text="Of the dataset"
    )
    format = serializers.ChoiceField(choices=list(FORMATS), required=False, allow_blank=True, default="")
    split = serializers.ChoiceField(choices=["train_extra", "val_extra"], required=False, default="train_extra")
    most_seconds = serializers.FloatField(min_value=1, required=False, allow_null=True, default=None)
    most_bytes = serializers.IntegerField(
        min_value=1, max_value=MOST_SEED, required=False, allow_null=True, default=None
    )
    confirm = serializers.BooleanField(required=False, default=False, help_text="Large runs are refused without")


class PreviewRequestSerializer(WantedSerializer):
    first = serializers.IntegerField(min_value=0, max_value=MOST_SEED, required=False, default=0)
    count = serializers.IntegerField(min_value=1, max_value=MOST_SHOWN, required=False, default=MOST_SHOWN)
    draw = serializers.BooleanField(required=False, default=True, help_text="Draw the labels on the images")


class PreviewItemSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    seed = serializers.IntegerField()
    image = serializers.CharField(help_text="PNG, base64; empty if it could not be made")
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    labels = serializers.JSONField()
    params = serializers.JSONField()
    attempt = serializers.IntegerField(help_text="Draws that were rejected before")
    code = serializers.CharField(help_text="Why it could not be made; empty otherwise")
    reason = serializers.CharField()


class PreviewSerializer(serializers.Serializer[Any]):
    items = PreviewItemSerializer(many=True)
    job = serializers.IntegerField(
        allow_null=True, help_text="Of scenes: it makes them one by one; ask it for the rest"
    )
    job_state = serializers.CharField()
    unfinished = serializers.BooleanField()


class BlenderSerializer(serializers.Serializer[Any]):
    ready = serializers.BooleanField()
    job = serializers.IntegerField(allow_null=True, help_text="That sets it up, or failed to")


class RunSerializer(serializers.ModelSerializer[SynthesisRun]):
    job = JobSerializer(read_only=True)
    version = serializers.CharField(default=None, read_only=True, allow_null=True)
    # "source" is also what DRF calls where a field comes from.
    source_dataset = serializers.CharField(source="source", default=None, read_only=True, allow_null=True)
    created_by = serializers.CharField(source="created_by.username", default=None, read_only=True, allow_null=True)
    made = serializers.IntegerField(read_only=True)
    failed = serializers.IntegerField(read_only=True)
    stored_bytes = serializers.IntegerField(read_only=True)
    images_per_minute = serializers.SerializerMethodField()

    class Meta:
        model = SynthesisRun
        fields = (
            "id",
            "name",
            "title",
            "recipe",
            "seed",
            "count",
            "format",
            "split",
            "shard_size",
            "most_seconds",
            "most_bytes",
            "source_dataset",
            "generator_digest",
            "generator",
            "estimate",
            "made",
            "failed",
            "stored_bytes",
            "images_per_minute",
            "job",
            "version",
            "created_by",
            "created_at",
        )
        read_only_fields = fields

    def get_images_per_minute(self, run: SynthesisRun) -> float | None:
        return images_per_minute(run)


class FailedItemSerializer(serializers.ModelSerializer[FailedItem]):
    seed = serializers.IntegerField(source="run.seed", read_only=True)

    class Meta:
        model = FailedItem
        fields = ("index", "seed", "code", "reason")
        read_only_fields = fields
