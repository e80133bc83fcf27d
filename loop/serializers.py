"""Rounds as REST shows them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from foundation.errors import InvalidInput
from loop.models import Round
from loop.settling import UNTIL, change_of, checked_until


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


class NewRoundSerializer(serializers.Serializer[Any]):
    parameters = serializers.DictField(
        required=False,
        default=dict,
        help_text="train: overrides of the training configuration; mining_budget; until_settled: {rounds: at most so "
        "many, share: target}, for rounds until a clustering changes a smaller share of labels",
    )

    def validate_parameters(self, value: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(value) - {"train", "mining_budget", UNTIL})
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
        if not isinstance(value.get("train", {}), dict):
            raise serializers.ValidationError("train must be an object.")
        return value
