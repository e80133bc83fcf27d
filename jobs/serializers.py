"""Jobs and units as JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from jobs import queries
from jobs.models import Job, JobState, Unit, UnitState


class ProgressSerializer(serializers.Serializer[queries.JobProgress]):
    done = serializers.FloatField(help_text="Weight of what has ended")
    total = serializers.FloatField(help_text="Weight of all")
    fraction = serializers.FloatField(min_value=0, max_value=1)
    rate = serializers.FloatField(allow_null=True, help_text="Weight per second")
    seconds_left = serializers.FloatField(allow_null=True)
    running = serializers.IntegerField(help_text="Units under work now")


class JobSerializer(serializers.ModelSerializer[Job]):
    created_by = serializers.CharField(source="created_by.username", default=None, read_only=True, allow_null=True)
    progress = ProgressSerializer(read_only=True)
    cancelling = serializers.BooleanField(read_only=True)

    class Meta:
        model = Job
        fields = [
            "id",
            "kind",
            "title",
            "state",
            "cancelling",
            "params",
            "unit_noun",
            "units_total",
            "units_done",
            "units_failed",
            "progress",
            "message",
            "result",
            "error_code",
            "error",
            "peak_rss_mb",
            "parent",
            "created_by",
            "created_at",
            "started_at",
            "finished_at",
        ]
        read_only_fields = fields


class UnitSerializer(serializers.ModelSerializer[Unit]):
    class Meta:
        model = Unit
        fields = [
            "id",
            "key",
            "ordinal",
            "weight",
            "state",
            "attempts",
            "lost",
            "items_done",
            "items_total",
            "waits_for",
            "worker",
            "result",
            "error_code",
            "error",
            "not_before",
            "started_at",
            "ended_at",
            "seconds",
        ]
        read_only_fields = fields


class JobFilter(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=[*JobState.choices, ("unfinished", "Not ended yet")], required=False)
    kind = serializers.CharField(max_length=64, required=False)
    # "parent" is also what DRF calls the serializer around a field; a declared field does not shadow it.
    parent = serializers.IntegerField(min_value=1, max_value=2**63 - 1, required=False)  # type: ignore[assignment]


class UnitFilter(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=UnitState.choices, required=False)
    with_errors = serializers.BooleanField(
        required=False, default=False, help_text="Only those that failed, or are done though something in them failed"
    )
