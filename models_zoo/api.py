"""REST: the release registry, read only; promotion is the loop's."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Requires
from accounts.roles import Capability
from foundation.errors import InvalidInput
from models_zoo.models import ModelRelease
from models_zoo.queries import by_reference, releases
from models_zoo.serializers import ReleaseSerializer


class ReleasesView(GenericAPIView[ModelRelease]):
    permission_classes = (Requires(Capability.VIEW),)
    serializer_class = ReleaseSerializer

    def get_queryset(self) -> QuerySet[ModelRelease]:
        kind = self.request.query_params.get("kind", "")
        if kind and kind not in ModelRelease.Kind.values:
            raise InvalidInput(f"Kinds are {', '.join(ModelRelease.Kind.values)}.", code="unknown_kind")
        return releases(kind=kind or None)

    @extend_schema(
        parameters=[OpenApiParameter("kind", str, enum=ModelRelease.Kind.values)],
        responses=ReleaseSerializer(many=True),
        summary="Model releases, newest first",
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(ReleaseSerializer(page, many=True).data)


class ReleaseView(APIView):
    permission_classes = (Requires(Capability.VIEW),)

    @extend_schema(responses=ReleaseSerializer, summary="One release, by name@vN or name@alias")
    def get(self, request: Request, reference: str) -> Response:
        return Response(ReleaseSerializer(by_reference(reference)).data)
