"""Shapes of the REST bodies about mining runs."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from foundation.errors import InvalidInput
from jobs.serializers import JobSerializer
from mining.known import LEAST_SHARE, MOST_SHARE
from mining.models import ReviewBatch
from mining.services.runs import GOLD, MAX_BUDGET, MAX_OVERLAP
from mining.strategies import STRATEGIES


class StrategyOptionsField(serializers.JSONField):
    """{strategy: {option: value}}; `mining.schema` lists the options in the REST schema."""

    def to_internal_value(self, data: Any) -> Any:
        found = super().to_internal_value(data)
        if not isinstance(found, dict) or not all(isinstance(of, dict) for of in found.values()):
            raise InvalidInput("`options` is {strategy: {option: value}}.", code="bad_option")
        return found


class NewMiningSerializer(serializers.Serializer[Any]):
    strategies = serializers.ListField(
        child=serializers.ChoiceField(choices=list(STRATEGIES)),
        required=False,
        allow_null=True,
        allow_empty=False,
        default=None,
        max_length=20,
        help_text="Left out: the usual ones",
    )
    budget = serializers.IntegerField(
        min_value=0, max_value=MAX_BUDGET, required=False, default=100, help_text="At most so many, per strategy"
    )
    overlap = serializers.IntegerField(
        min_value=1, max_value=MAX_OVERLAP, required=False, default=1, help_text="How many people answer each question"
    )
    gold = serializers.FloatField(
        min_value=0,
        max_value=MOST_SHARE,
        required=False,
        default=GOLD,
        help_text=f"Share of known answers hidden in every queue, {LEAST_SHARE} to {MOST_SHARE}, or 0",
    )
    seed = serializers.IntegerField(min_value=0, max_value=2**53, required=False, allow_null=True, default=None)
    diversity = serializers.FloatField(
        min_value=0, max_value=1, required=False, default=0, help_text="0: the most valuable; 1: those that differ most"
    )
    options = StrategyOptionsField(required=False, default=dict, help_text="{strategy: {option: value}}")


class OptionSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    kind = serializers.CharField(help_text="whole, number, wholes, numbers (ranges, both ends included) or choice")
    default = serializers.JSONField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    choices = serializers.ListField(child=serializers.CharField())
    allowed = serializers.CharField(help_text="What may be given, in words")
    help = serializers.CharField()


class StrategySerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    asks = serializers.ChoiceField(choices=ReviewBatch.Asks.choices)
    about = serializers.CharField(help_text="What it looks for")
    usual = serializers.BooleanField(help_text="Whether a run that names no strategies uses it")
    seconds = serializers.FloatField(help_text="What one answer is expected to take")
    options = OptionSerializer(many=True)


class StrategiesSerializer(serializers.Serializer[Any]):
    strategies = StrategySerializer(many=True)


class PickedSerializer(serializers.Serializer[Any]):
    """What one strategy of a run picked."""

    batch = serializers.IntegerField(source="batch.pk")
    strategy = serializers.CharField(source="batch.strategy")
    title = serializers.CharField()
    asks = serializers.CharField(source="batch.asks")
    parameters = serializers.JSONField(source="batch.parameters")
    report = serializers.JSONField(
        source="batch.report", help_text="Considered, candidates, picked, reasons, histograms"
    )
    states = serializers.DictField(child=serializers.IntegerField(), help_text="How many questions are in which state")
    minutes_left = serializers.FloatField(source="batch.minutes_left")


class MiningRunSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="job.pk", help_text="Of the job, too")
    state = serializers.CharField(source="job.state")
    job = JobSerializer()
    questions = serializers.IntegerField()
    considered = serializers.IntegerField()
    candidates = serializers.IntegerField()
    reasons = serializers.DictField(child=serializers.IntegerField(), help_text="Why, and how many were picked for it")
    states = serializers.DictField(child=serializers.IntegerField())
    minutes_left = serializers.FloatField(help_text="What answering the rest takes, all people together")
    picked = PickedSerializer(many=True)


class LabelChangesSerializer(serializers.Serializer[Any]):
    decisions = serializers.IntegerField()
    moved = serializers.IntegerField(help_text="Faces that left their person or got another one")
    confirmed = serializers.IntegerField(help_text="Faces that were put on a person, or kept there")
    joined = serializers.IntegerField(help_text="People who were merged into others")
    split = serializers.IntegerField(help_text="Times that faces were taken from a person")
    apart = serializers.IntegerField(help_text="Pairs told apart")
    resting = serializers.IntegerField(help_text="Labels that rest on these decisions now")


class PuritySerializer(serializers.Serializer[Any]):
    before = serializers.FloatField(allow_null=True, help_text="Of the clusters that were mined")
    after = serializers.FloatField(allow_null=True, help_text="Of those that were made since")
    faces = serializers.ListField(child=serializers.IntegerField(), help_text="Confirmed faces in either")
    runs = serializers.ListField(child=serializers.IntegerField(allow_null=True), help_text="The two clusterings")


class ModelTrainedSerializer(serializers.Serializer[Any]):
    version = serializers.CharField(allow_null=True, help_text="The first dataset version with these decisions in it")
    whole = serializers.BooleanField(help_text="Whether all of them are in it")
    release = serializers.CharField(allow_null=True, help_text="The first release trained on it")
    before = serializers.DictField(help_text="Measured of the release that training started from")
    after = serializers.DictField(help_text="Measured of the release")


class EffectsSerializer(serializers.Serializer[Any]):
    labels = LabelChangesSerializer()
    purity = PuritySerializer()
    model = ModelTrainedSerializer()


class OneMiningRunSerializer(MiningRunSerializer):
    changed = EffectsSerializer(help_text="What the answers to its questions changed")
