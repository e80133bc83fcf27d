"""REST: faces and their crops. Faces of held-out photos do not exist here, for anybody."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Requires
from accounts.roles import Capability
from annotation.models import Face, Label
from annotation.queries.picture_access import find_crop, showable_faces
from foundation.errors import NotFound
from foundation.serving import AnyAccept, piece_of_blob

MAY: tuple[type[BasePermission], ...] = (Requires(Capability.CURATE),)
MEASURES = ("score", "size_px", "sharpness", "brightness", "contrast", "yaw", "pitch", "roll", "quality")


class LabelSerializer(serializers.ModelSerializer[Label]):
    identity_name = serializers.CharField(source="identity.name", default="", read_only=True)

    class Meta:
        model = Label
        fields = ("identity", "identity_name", "source", "confidence", "reason")
        read_only_fields = fields


class FaceSerializer(serializers.ModelSerializer[Face]):
    # "label" is also what DRF calls a field's title; a declared field does not shadow it.
    label = serializers.SerializerMethodField(  # type: ignore[assignment]
        help_text="Who it shows, null before the first clustering"
    )

    class Meta:
        model = Face
        fields = ("id", "photo", "ordinal", "x", "y", "width", "height", "landmarks", *MEASURES, "digest", "label")
        read_only_fields = fields

    @extend_schema_field(LabelSerializer(allow_null=True))
    def get_label(self, face: Face) -> dict[str, Any] | None:
        label: Label | None = getattr(face, "label", None)
        return None if label is None else dict(LabelSerializer(label).data)


class FaceView(APIView):
    permission_classes = MAY

    @extend_schema(responses=FaceSerializer, summary="One face")
    def get(self, request: Request, id: int) -> Response:
        face = get_object_or_404(showable_faces().select_related("label__identity"), pk=id)
        return Response(FaceSerializer(face).data)


class FaceCropView(APIView):
    permission_classes = (Requires(Capability.REVIEW),)
    content_negotiation_class = AnyAccept

    @extend_schema(
        responses={(200, "image/png"): OpenApiTypes.BINARY, 304: OpenApiResponse(description="Unchanged")},
        summary="The aligned crop of a face: PNG, 112 x 112",
    )
    def get(self, request: Request, id: int) -> HttpResponseBase:
        found = find_crop(id)
        if found is None:
            raise NotFound(f"There is no face {id}, or nobody may see it.", code="no_face")
        return piece_of_blob(
            request, found.blob, found.offset, found.length, digest=found.digest, content_type="image/png"
        )
