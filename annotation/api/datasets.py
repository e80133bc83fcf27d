"""REST: dataset versions and their files. What is locked is in no file that this serves."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.idempotency import IdempotentWrites
from accounts.models import User
from accounts.permissions import Requires, request_can
from accounts.roles import Capability
from annotation.api.ingests import StartedSerializer
from annotation.models import DatasetVersion
from annotation.queries.dataset_pages import list_versions
from annotation.queries.datasets import is_extra_only, public_blob, public_description, version_by_reference
from annotation.services.datasets import freeze
from foundation.rest import CursorPagination
from foundation.serving import AnyAccept, whole_blob


class VersionSummarySerializer(serializers.ModelSerializer[DatasetVersion]):
    aliases: Any = serializers.SlugRelatedField(slug_field="alias", many=True, read_only=True)

    class Meta:
        model = DatasetVersion
        fields = ("name", "version", "state", "error", "digest", "aliases", "counts", "job", "created_at")
        read_only_fields = fields


class FileSerializer(serializers.Serializer[Any]):
    digest = serializers.CharField()
    bytes = serializers.IntegerField()


class ShardSerializer(FileSerializer):
    split = serializers.CharField()
    faces = serializers.IntegerField(required=False, help_text="Left out where it holds no album's faces")


class VersionSerializer(serializers.Serializer[Any]):
    """The same as `version.json` in a pulled directory."""

    format = serializers.CharField()
    name = serializers.CharField()
    version = serializers.IntegerField()
    digest = serializers.CharField()
    created_at = serializers.CharField()
    counts = serializers.DictField(help_text="{split: {faces, identities}}, of locked splits too")
    parameters = serializers.DictField()
    manifest = FileSerializer(help_text="Parquet, one row per face of the splits that may be pulled")
    shards = ShardSerializer(many=True, help_text="Tar files of crops, those of locked splits left out")


class VersionPages(CursorPagination):
    ordering: Any = "-id"


class NewVersionSerializer(serializers.Serializer[Any]):
    name = serializers.SlugField(max_length=100)
    min_faces = serializers.IntegerField(min_value=1, max_value=1000, required=False, default=2)
    proportions = serializers.DictField(
        child=serializers.FloatField(min_value=0, max_value=1),
        required=False,
        allow_null=True,
        default=None,
        help_text="Shares of the pool's people per split; left out: those of the version before",
    )


class DatasetsView(IdempotentWrites, GenericAPIView[DatasetVersion]):
    permission_classes = (Requires(Capability.DATASETS, read=Capability.VIEW),)
    serializer_class = VersionSummarySerializer
    pagination_class = VersionPages

    def get_queryset(self) -> QuerySet[DatasetVersion]:
        return list_versions()

    @extend_schema(responses=VersionSummarySerializer(many=True), summary="All versions, latest first")
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(VersionSummarySerializer(page, many=True).data)

    @extend_schema(
        request=NewVersionSerializer, responses={202: StartedSerializer}, summary="Freeze the labels as a new version"
    )
    def post(self, request: Request) -> Response:
        wanted = NewVersionSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        job = freeze(user=cast(User, request.user), **wanted.validated_data)
        return Response({"job": job.pk}, status=202)


class MayPull(BasePermission):
    """Who may pull dataset versions, and of those that are synthetic only, who may make them."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request_can(request, Capability.DATASETS):
            return True
        return request_can(request, Capability.SYNTHESIS) and is_extra_only(
            f"{view.kwargs['name']}@{view.kwargs['version']}"
        )


class VersionView(APIView):
    permission_classes = (MayPull,)

    @extend_schema(responses=VersionSerializer, summary="What a pull of this version consists of")
    def get(self, request: Request, name: str, version: str) -> Response:
        found = version_by_reference(f"{name}@{version}")
        return Response(VersionSerializer(public_description(found)).data)


class VersionFileView(APIView):
    permission_classes = (MayPull,)
    content_negotiation_class = AnyAccept

    @extend_schema(
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
            304: OpenApiResponse(description="Unchanged"),
        },
        summary="One file of a version, whole or by range",
    )
    def get(self, request: Request, name: str, version: str, digest: str) -> HttpResponseBase:
        return whole_blob(request, public_blob(version_by_reference(f"{name}@{version}"), digest))
