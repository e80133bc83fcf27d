"""Shapes of mining's REST bodies."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from mining.models import ReviewBatch, ReviewItem
from mining.services.runs import MAX_BUDGET
from mining.strategies import STRATEGIES

MOST_LEASED = 100


class NewMiningSerializer(serializers.Serializer[Any]):
    strategies = serializers.ListField(
        child=serializers.ChoiceField(choices=list(STRATEGIES)),
        required=False,
        allow_null=True,
        allow_empty=False,
        default=None,
        max_length=20,
        help_text="Left out: all",
    )
    budget = serializers.IntegerField(min_value=0, max_value=MAX_BUDGET, required=False, default=100)


class ReviewBatchSerializer(serializers.ModelSerializer[ReviewBatch]):
    total = serializers.IntegerField()
    open_items = serializers.IntegerField()

    class Meta:
        model = ReviewBatch
        fields = ("id", "strategy", "asks", "parameters", "run", "job", "report", "total", "open_items", "created_at")
        read_only_fields = fields


class ReviewItemSerializer(serializers.ModelSerializer[ReviewItem]):
    class Meta:
        model = ReviewItem
        fields = (
            "id",
            "batch",
            "ordinal",
            "faces",
            "identities",
            "value",
            "settles",
            "why",
            "evidence",
            "state",
            "decision",
            "lease_expires_at",
        )
        read_only_fields = fields


class LeaseSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(min_value=1, max_value=MOST_LEASED, required=False, default=10)


class LeasedSerializer(serializers.Serializer[Any]):
    items = ReviewItemSerializer(many=True)


class AnswerSerializer(serializers.Serializer[Any]):
    answer = serializers.ChoiceField(
        choices=["same", "different", "left", "right", "neither", "both"],
        help_text="About a pair: same, different. About a suspect: left (the first of the item's identities), right "
        "(the second), neither, both (the two are one person)",
    )
    seconds = serializers.FloatField(min_value=0, max_value=86_400, required=False, allow_null=True, default=None)
