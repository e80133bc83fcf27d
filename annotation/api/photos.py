"""REST: photos, what became of them, and their faces."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Requires
from accounts.roles import Capability
from annotation.api.faces import FaceSerializer
from annotation.api.fields import IdField
from annotation.api.pages import KeysetPages, page_of
from annotation.models import CollectionPhoto, Photo
from annotation.queries.photo_pages import PhotoFilter, find_photo_page, list_photos
from foundation.errors import NotFound

MAY: tuple[type[BasePermission], ...] = (Requires(Capability.CURATE),)
FIELDS = (
    "id",
    "digest",
    "bytes",
    "mime",
    "width",
    "height",
    "taken_at",
    "duplicate_group",
    "state",
    "error_code",
    "error",
    "created_at",
    "locked",
)


class PhotoSerializer(serializers.ModelSerializer[Photo]):
    locked = serializers.BooleanField(help_text="Held out: nobody may see its picture or faces")
    faces_count = serializers.IntegerField()
    path = serializers.CharField(source="first_path", help_text="Under which it was first seen")

    class Meta:
        model = Photo
        fields: tuple[str, ...] = (*FIELDS, "faces_count", "path")
        read_only_fields = fields


class SightingSerializer(serializers.ModelSerializer[CollectionPhoto]):
    class Meta:
        model = CollectionPhoto
        fields = ("collection", "path", "source")
        read_only_fields = fields


class PhotoPageSerializer(serializers.ModelSerializer[Photo]):
    locked = serializers.BooleanField()
    sightings = SightingSerializer(many=True)
    faces = serializers.SerializerMethodField()

    class Meta:
        model = Photo
        fields: tuple[str, ...] = (*FIELDS, "sightings", "faces")
        read_only_fields = fields

    @extend_schema_field(FaceSerializer(many=True))
    def get_faces(self, photo: Any) -> list[Any]:
        return [] if photo.locked else list(FaceSerializer(photo.faces.all(), many=True).data)


class PhotoFilterSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=Photo.State.choices, required=False, default="")
    collection = IdField(required=False, default=None)


class PhotosView(GenericAPIView[Photo]):
    permission_classes = MAY
    serializer_class = PhotoSerializer
    pagination_class = KeysetPages
    queryset = Photo.objects.none()

    @extend_schema(
        parameters=[PhotoFilterSerializer], responses=PhotoSerializer(many=True), summary="Photos, newest first"
    )
    def get(self, request: Request) -> Response:
        wanted = PhotoFilterSerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        found = list_photos(PhotoFilter(**wanted.validated_data), cursor=request.query_params.get("cursor", ""))
        return page_of(request, PhotoSerializer(found.rows, many=True).data, found.cursor)


class PhotoView(APIView):
    permission_classes = MAY

    @extend_schema(responses=PhotoPageSerializer, summary="One photo with its faces")
    def get(self, request: Request, id: int) -> Response:
        photo = find_photo_page(id)
        if photo is None:
            raise NotFound(f"There is no photo {id}.", code="no_photo")
        return Response(PhotoPageSerializer(photo).data)
