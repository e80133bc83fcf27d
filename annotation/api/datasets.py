"""REST: dataset versions and their files. What is locked is in no file that this serves."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Requires
from accounts.roles import Capability
from annotation.exporters.splits import LOCKED
from annotation.models import DatasetVersion
from annotation.queries.dataset_pages import list_versions
from foundation.errors import Conflict, NotFound
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


class VersionSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    version = serializers.IntegerField()
    digest = serializers.CharField()
    aliases = serializers.ListField(child=serializers.CharField())
    counts = serializers.DictField(help_text="{split: {faces, identities}}, of locked splits too")
    created_at = serializers.DateTimeField()
    manifest = FileSerializer(help_text="Parquet, one row per face of the splits that may be pulled")
    shards = FileSerializer(many=True, help_text="Tar files of crops, those of locked splits left out")


class VersionPages(CursorPagination):
    ordering: Any = "-id"


class DatasetsView(GenericAPIView[DatasetVersion]):
    permission_classes = (Requires(Capability.VIEW),)
    serializer_class = VersionSummarySerializer
    pagination_class = VersionPages

    def get_queryset(self) -> QuerySet[DatasetVersion]:
        return list_versions()

    @extend_schema(responses=VersionSummarySerializer(many=True), summary="All versions, latest first")
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(VersionSummarySerializer(page, many=True).data)


class VersionView(APIView):
    permission_classes = (Requires(Capability.DATASETS),)

    @extend_schema(responses=VersionSerializer, summary="What a pull of this version consists of")
    def get(self, request: Request, name: str, version: str) -> Response:
        found = _published(name, version)
        body = {
            "name": found.name,
            "version": found.version,
            "digest": found.digest,
            "aliases": [alias.alias for alias in found.aliases.all()],
            "counts": found.counts,
            "created_at": found.created_at,
            "manifest": {"digest": found.public_manifest_digest, "bytes": found.public_manifest_bytes},
            "shards": _open_shards(found),
        }
        return Response(VersionSerializer(body).data)


class VersionFileView(APIView):
    permission_classes = (Requires(Capability.DATASETS),)
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
        found = _published(name, version)
        keys = {shard["digest"]: shard["blob"] for shard in _open_shards(found)}
        keys[found.public_manifest_digest] = found.public_manifest_blob
        if digest not in keys:
            raise NotFound("This version has no such file that may be pulled.", code="no_such_file")
        return whole_blob(request, keys[digest])


def _open_shards(version: DatasetVersion) -> list[dict[str, Any]]:
    return [shard for shard in version.shards if shard["split"] not in LOCKED]


def _published(name: str, reference: str) -> DatasetVersion:
    """`v12`, `latest` (the highest that is published) or another alias. Raises NotFound, Conflict."""
    rows = list_versions().filter(name=name)
    if match := re.fullmatch(r"v([1-9][0-9]{0,8})", reference):
        found = rows.filter(version=int(match[1])).first()
    else:
        found = rows.filter(aliases__alias=reference).first()
        if found is None and reference == "latest":
            found = rows.filter(state=DatasetVersion.State.PUBLISHED).order_by("-version").first()
    if found is None:
        raise NotFound(f"There is no {name}@{reference}.", code="no_version")
    if found.state != DatasetVersion.State.PUBLISHED:
        raise Conflict(f"{found} is {found.get_state_display().lower()}.", code="version_not_published")
    return found
