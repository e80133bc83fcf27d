"""Rounds as REST shows them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from foundation.errors import InvalidInput
from loop.aims import EXTRAS, MOST_EXTRAS
from loop.models import Round
from loop.settling import UNTIL, change_of, checked_until
from models_zoo.evaluation.slices import SLICES

# Whose faces may be aimed at: those of the test are for the final number.
AIMED_SPLITS = ("val_blackbox", "val_eyeball", "train")


class RoundSerializer(serializers.ModelSerializer[Round]):
    champion = serializers.StringRelatedField[Any](allow_null=True)
    challenger = serializers.StringRelatedField[Any](allow_null=True)
    dataset = serializers.StringRelatedField[Any](allow_null=True)
    state = serializers.CharField(source="job.state", default=None, help_text="of the job that drives it")
    labels_changed = serializers.SerializerMethodField(
        help_text="share of labels that its last clustering changed, 0 to 1"
    )

    class Meta:
        model = Round
        fields = (
            "id",
            "number",
            "job",
            "state",
            "parameters",
            "stages",
            "labels_changed",
            "promoted",
            "verdict",
            "champion",
            "challenger",
            "dataset",
            "created_at",
            "finished_at",
        )
        read_only_fields = fields

    def get_labels_changed(self, round: Round) -> float | None:
        change = change_of(round)
        return change.share if change else None


class NewAimSerializer(serializers.Serializer[Any]):
    dataset = serializers.CharField(help_text="the version whose train faces are changed and whose split is aimed at")
    slice = serializers.CharField(
        required=False, allow_blank=True, default="", help_text=f"one of {', '.join(SLICES)}; left out, the worst"
    )
    split = serializers.ChoiceField(choices=AIMED_SPLITS, default="val_blackbox")
    seed = serializers.IntegerField(min_value=0, max_value=2**31, default=0)


class NewTrialSerializer(serializers.Serializer[Any]):
    dataset = serializers.CharField(help_text="the version to train on and to judge by")
    extras = serializers.ListField(
        child=serializers.CharField(),
        min_length=1,
        max_length=MOST_EXTRAS,
        help_text="versions of synthetic faces to add",
    )
    aim = serializers.IntegerField(required=False, default=None, help_text="job that aimed the recipe: judge its slice")
    slice = serializers.CharField(required=False, allow_blank=True, default="", help_text="judge this one instead")
    split = serializers.ChoiceField(choices=AIMED_SPLITS, default="val_blackbox")
    config = serializers.DictField(required=False, default=dict, help_text="overrides of the training configuration")


class NewRoundSerializer(serializers.Serializer[Any]):
    parameters = serializers.DictField(
        required=False,
        default=dict,
        help_text="train: overrides of the training configuration; extras: versions of synthetic faces to train with, "
        "which are compared with real ones alone; mining_budget; until_settled: {rounds: at most so many, share: "
        "target}, for rounds until a clustering changes a smaller share of labels",
    )

    def validate_parameters(self, value: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(value) - {"train", "mining_budget", EXTRAS, UNTIL})
        if unknown:
            raise serializers.ValidationError(f"Unknown: {', '.join(unknown)}.")
        budget = value.get("mining_budget", 100)
        if not isinstance(budget, int) or isinstance(budget, bool) or not 0 <= budget <= 10_000:
            raise serializers.ValidationError("mining_budget must be a whole number from 0 to 10000.")
        if UNTIL in value:
            try:
                checked_until(value[UNTIL])
            except InvalidInput as error:
                raise serializers.ValidationError(error.message) from error
        extras = value.get(EXTRAS, [])
        if not isinstance(extras, list) or not all(isinstance(one, str) for one in extras):
            raise serializers.ValidationError("extras must be a list of references.")
        if not isinstance(value.get("train", {}), dict):
            raise serializers.ValidationError("train must be an object.")
        return value
