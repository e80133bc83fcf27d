"""REST: people. What is said about them goes to `decisions`."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Requires
from accounts.roles import Capability
from annotation.api.pages import KeysetPages, page_of
from annotation.models import Identity, Label
from annotation.queries.identities import identity_by_id
from annotation.queries.people_pages import ORDERS, PeopleFilter, list_faces_of, list_people

MAY: tuple[type[BasePermission], ...] = (Requires(Capability.CURATE),)


class IdentitySerializer(serializers.ModelSerializer[Identity]):
    class Meta:
        model = Identity
        fields = (
            "id",
            "name",
            "external_key",
            "origin",
            "merged_into",
            "revision",
            "faces_count",
            "cover",
            "created_at",
        )
        read_only_fields = fields


class LabelledFaceSerializer(serializers.ModelSerializer[Label]):
    similarity = serializers.FloatField(help_text="Cosine, to the medoid of its cluster; else the confidence")
    quality = serializers.FloatField(source="face.quality")
    photo = serializers.IntegerField(source="face.photo_id")

    class Meta:
        model = Label
        fields = ("face", "photo", "source", "confidence", "similarity", "quality")
        read_only_fields = fields


class PeopleFilterSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    named = serializers.ChoiceField(choices=["yes", "no"], required=False, default="")
    order = serializers.ChoiceField(choices=list(ORDERS), required=False, default="faces")


class IdentitiesView(GenericAPIView[Identity]):
    permission_classes = MAY
    serializer_class = IdentitySerializer
    pagination_class = KeysetPages
    queryset = Identity.objects.none()

    @extend_schema(
        parameters=[PeopleFilterSerializer], responses=IdentitySerializer(many=True), summary="People as they stand now"
    )
    def get(self, request: Request) -> Response:
        wanted = PeopleFilterSerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        found = list_people(PeopleFilter(**wanted.validated_data), cursor=request.query_params.get("cursor", ""))
        return page_of(request, IdentitySerializer(found.rows, many=True).data, found.cursor)


class IdentityView(APIView):
    permission_classes = MAY

    @extend_schema(responses=IdentitySerializer, summary="One person; `merged_into` says who it became")
    def get(self, request: Request, id: int) -> Response:
        return Response(IdentitySerializer(identity_by_id(id)).data)


class IdentityFacesView(GenericAPIView[Label]):
    permission_classes = MAY
    serializer_class = LabelledFaceSerializer
    pagination_class = KeysetPages
    queryset = Label.objects.none()

    @extend_schema(responses=LabelledFaceSerializer(many=True), summary="The person's faces, least alike first")
    def get(self, request: Request, id: int) -> Response:
        found = list_faces_of(identity_by_id(id), cursor=request.query_params.get("cursor", ""))
        return page_of(request, LabelledFaceSerializer(found.rows, many=True).data, found.cursor)
