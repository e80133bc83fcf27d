"""Releases as REST shows them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from models_zoo.models import Evaluation, ModelRelease


class EvaluationSerializer(serializers.ModelSerializer[Evaluation]):
    class Meta:
        model = Evaluation
        fields = ("dataset", "dataset_digest", "split", "metrics", "created_at")
        read_only_fields = fields


class ReleaseSerializer(serializers.ModelSerializer[ModelRelease]):
    reference = serializers.CharField(source="__str__", help_text="name@vN")
    parent = serializers.StringRelatedField[Any](allow_null=True)  # type: ignore[assignment]
    aliases = serializers.SlugRelatedField[Any](slug_field="alias", many=True, read_only=True)
    evaluations = EvaluationSerializer(many=True)

    class Meta:
        model = ModelRelease
        fields = (
            "id",
            "reference",
            "name",
            "version",
            "kind",
            "architecture",
            "digest",
            "licence",
            "aliases",
            "parent",
            "dataset",
            "dataset_digest",
            "evaluations",
            "created_at",
        )
        read_only_fields = fields
