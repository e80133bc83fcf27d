"""REST: cluster runs. Clustering anew, at once or as a preview; what a run changes; applying and dropping."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.idempotency import IdempotentWrites
from accounts.models import User
from accounts.permissions import Requires
from accounts.roles import Capability
from annotation.models import ClusterRun
from annotation.queries.cluster_run_pages import cluster_runs, comparable_runs, require_run, usual_comparison
from annotation.queries.run_differences import kept_difference
from annotation.services.clustering_choices import drop_run
from annotation.services.clustering_jobs import start_applying, start_clustering
from annotation.services.clustering_settings import CORE_DISTANCE, MERGE_SIMILARITY
from foundation.errors import Conflict

MAY = (Requires(Capability.ROUNDS, read=Capability.CURATE),)


class ClusteringSerializer(serializers.ModelSerializer[ClusterRun]):
    release = serializers.CharField(source="space.release", read_only=True)
    kept = serializers.BooleanField(read_only=True, help_text="Whether its clusters are still there")
    parameters = serializers.JSONField(read_only=True)
    metrics = serializers.JSONField(read_only=True)

    class Meta:
        model = ClusterRun
        fields = (
            "id",
            "state",
            "current",
            "kept",
            "release",
            "job",
            "parameters",
            "metrics",
            "created_at",
            "finished_at",
        )
        read_only_fields = fields


class SettingsSerializer(serializers.Serializer[Any]):
    core_distance = serializers.FloatField(
        required=False,
        min_value=CORE_DISTANCE[0],
        max_value=CORE_DISTANCE[1],
        help_text="The largest cosine distance between two faces of one core",
    )
    merge_similarity = serializers.FloatField(
        required=False,
        allow_null=True,
        min_value=MERGE_SIMILARITY[0],
        max_value=MERGE_SIMILARITY[1],
        help_text="The least mean cosine similarity at which cores merge; null for cores only",
    )
    joins = serializers.BooleanField(required=False, help_text="Whether single faces join clusters in the end")


class NewClusteringSerializer(serializers.Serializer[Any]):
    preview = serializers.BooleanField(default=False, help_text="Keep it beside the current one until it is applied")
    settings = SettingsSerializer(
        required=False, help_text="Of a preview; what is left out follows from the calibration"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = self.initial_data.get("settings")
        if isinstance(given, dict) and (unknown := sorted(set(given) - set(SettingsSerializer().fields))):
            raise serializers.ValidationError({"settings": f"Unknown: {', '.join(unknown)}."})
        return attrs


class ClusteringJobSerializer(serializers.Serializer[Any]):
    job = serializers.IntegerField(allow_null=True, help_text="null if there is nothing to do")


class AgainstSerializer(serializers.Serializer[Any]):
    against = serializers.IntegerField(
        min_value=1, max_value=2**63 - 1, required=False, help_text="The run to compare with; default the current one"
    )


class DifferenceSerializer(serializers.Serializer[Any]):
    before = serializers.IntegerField(source="before.pk")
    after = serializers.IntegerField(source="after.pk")
    faces = serializers.IntegerField(help_text="In both runs")
    moved = serializers.IntegerField()
    joined = serializers.IntegerField(help_text="Faces that stood alone")
    left = serializers.IntegerField(help_text="Faces that now stand alone")
    appeared = serializers.IntegerField(help_text="Faces in the later run only")
    vanished = serializers.IntegerField(help_text="Faces in the earlier run only")
    same = serializers.IntegerField(help_text="Clusters with the same faces in both")
    split = serializers.IntegerField()
    merged = serializers.IntegerField()
    new = serializers.IntegerField()
    gone = serializers.IntegerField()
    people = serializers.IntegerField(help_text="Persons with a face that changes")
    contradictions = serializers.SerializerMethodField(help_text="Pairs of faces about which people said otherwise")
    bcubed_f = serializers.FloatField(source="agreement.bcubed.f", help_text="Agreement of both runs")

    def get_contradictions(self, found: Any) -> int:
        return int(found.together_count + found.parted_count)


class ClusteringsView(IdempotentWrites, GenericAPIView[ClusterRun]):
    permission_classes = MAY
    serializer_class = ClusteringSerializer

    def get_queryset(self) -> QuerySet[ClusterRun]:
        return cluster_runs()

    @extend_schema(responses=ClusteringSerializer(many=True), summary="Cluster runs, newest first")
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(ClusteringSerializer(page, many=True).data)

    @extend_schema(
        request=NewClusteringSerializer, responses={202: ClusteringJobSerializer}, summary="Cluster the live space anew"
    )
    def post(self, request: Request) -> Response:
        wanted = NewClusteringSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        job = start_clustering(user=cast(User, request.user), preview=given["preview"], settings=given.get("settings"))
        return Response({"job": job.pk}, status=202)


class ClusteringView(IdempotentWrites):
    permission_classes = MAY

    @extend_schema(responses=ClusteringSerializer, summary="One cluster run")
    def get(self, request: Request, id: int) -> Response:
        return Response(ClusteringSerializer(require_run(id)).data)


class ClusteringDifferenceView(IdempotentWrites):
    permission_classes = MAY

    @extend_schema(
        parameters=[AgainstSerializer], responses=DifferenceSerializer, summary="What the run changes against another"
    )
    def get(self, request: Request, id: int) -> Response:
        wanted = AgainstSerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        run = require_run(id)
        others = comparable_runs(run)
        number = wanted.validated_data.get("against")
        against = require_run(number) if number else usual_comparison(run, others)
        if against is None or not getattr(run, "kept", False) or not getattr(against, "kept", False):
            raise Conflict("There are no clusters to compare any more, or not yet.", code="nothing_to_compare")
        return Response(DifferenceSerializer(kept_difference(against, run)).data)


class ApplyClusteringView(IdempotentWrites):
    permission_classes = (Requires(Capability.ROUNDS),)

    @extend_schema(
        request=None, responses={202: ClusteringJobSerializer}, summary="Make the run current; labels follow from it"
    )
    def post(self, request: Request, id: int) -> Response:
        job = start_applying(run_id=id, user=cast(User, request.user))
        return Response({"job": job.pk if job else None}, status=202)


class DropClusteringView(IdempotentWrites):
    permission_classes = (Requires(Capability.ROUNDS),)

    @extend_schema(request=None, responses=ClusteringSerializer, summary="Give a preview up")
    def post(self, request: Request, id: int) -> Response:
        return Response(ClusteringSerializer(drop_run(run_id=id)).data)
