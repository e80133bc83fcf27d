"""Shapes of mining's REST bodies."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from mining.models import ReviewBatch, ReviewItem, ReviewVote
from mining.services.drafts import ANSWERS
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
    """Nothing here may tell a question whose answer is known from any other."""

    lease_expires_at = serializers.DateTimeField(default=None, read_only=True, allow_null=True)

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
            "lease_expires_at",
        )
        read_only_fields = fields


class LeaseSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(min_value=1, max_value=MOST_LEASED, required=False, default=10)


class LeasedSerializer(serializers.Serializer[Any]):
    items = ReviewItemSerializer(many=True)


class AnswerSerializer(serializers.Serializer[Any]):
    answer = serializers.ChoiceField(
        choices=sorted({answer for answers in ANSWERS.values() for answer in answers}),
        help_text="About a pair: same, different. About a suspect: left (the first of the item's identities), right "
        "(the second), neither, both (the two are one person)",
    )
    payload = serializers.DictField(required=False, default=dict, help_text="What the answer names, where it does")
    seconds = serializers.FloatField(min_value=0, max_value=86_400, required=False, allow_null=True, default=None)


class VoteSerializer(serializers.ModelSerializer[ReviewVote]):
    """The same for every question, whether its answer wrote a decision or not."""

    vote = serializers.IntegerField(source="id", read_only=True)
    state = serializers.CharField(source="item.state", read_only=True, help_text="Of the question, after the vote")

    class Meta:
        model = ReviewVote
        fields = ("vote", "item", "answer", "payload", "state")
        read_only_fields = fields
