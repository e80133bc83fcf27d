"""REST: collections of photos."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.idempotency import IdempotentWrites
from accounts.models import User
from accounts.permissions import Requires, request_can
from accounts.roles import Capability
from annotation.models import Collection, Identity
from annotation.queries.photo_pages import list_collections
from annotation.services.collections import change_collection, ensure_collection
from foundation.errors import Forbidden
from foundation.rest import CursorPagination

MAY: tuple[type[BasePermission], ...] = (Requires(Capability.INGEST, read=Capability.VIEW),)
# Whoever fills what models are chosen or judged by must be allowed to own it.
_OWNS = {Collection.Split.VAL_BLACKBOX: Capability.DATASETS, Collection.Split.TEST: Capability.LOCKED_TEST}


class CollectionSerializer(serializers.ModelSerializer[Collection]):
    photos_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = Collection
        fields = ("id", "name", "slug", "prior", "owner", "held_out", "photos_count", "created_at")
        read_only_fields = fields


class NewCollectionSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=200)
    prior = serializers.ChoiceField(choices=Collection.Prior.choices, required=False)
    held_out = serializers.ChoiceField(choices=Collection.Split.choices, required=False)


class CollectionChangeSerializer(NewCollectionSerializer):
    name = serializers.CharField(max_length=200, required=False)
    owner = serializers.PrimaryKeyRelatedField(queryset=Identity.objects.filter(merged_into=None), required=False)


class CollectionPages(CursorPagination):
    ordering: Any = ("name", "id")


class CollectionsView(IdempotentWrites, GenericAPIView[Collection]):
    permission_classes = MAY
    serializer_class = CollectionSerializer
    pagination_class = CollectionPages

    def get_queryset(self) -> QuerySet[Collection]:
        return list_collections()

    @extend_schema(responses=CollectionSerializer(many=True), summary="Collections by name")
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(CollectionSerializer(page, many=True).data)

    @extend_schema(
        request=NewCollectionSerializer,
        responses={201: CollectionSerializer},
        summary="Make a collection, or find the one of that name",
    )
    def post(self, request: Request) -> Response:
        wanted = NewCollectionSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        check_owner(request, wanted.validated_data.get("held_out", ""))
        made = ensure_collection(user=cast(User, request.user), **wanted.validated_data)
        return _answer(made.pk, status=201)


class CollectionView(IdempotentWrites):
    permission_classes = MAY

    @extend_schema(responses=CollectionSerializer, summary="One collection")
    def get(self, request: Request, id: int) -> Response:
        return _answer(id)

    @extend_schema(request=CollectionChangeSerializer, responses=CollectionSerializer, summary="Change a collection")
    def patch(self, request: Request, id: int) -> Response:
        collection = get_object_or_404(Collection, pk=id)
        wanted = CollectionChangeSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        for split in (collection.held_out, wanted.validated_data.get("held_out", "")):
            check_owner(request, split)
        change_collection(collection=collection, **wanted.validated_data)
        return _answer(id)


def check_owner(request: Request, split: str) -> None:
    """Raise Forbidden unless the caller may fill or change collections that are held out for `split`."""
    needed = _OWNS.get(Collection.Split(split))
    if needed is not None and not request_can(request, needed):
        raise Forbidden("Your role does not include changing what is held out.", code="held_out_collection")


def _answer(collection_id: int, *, status: int = 200) -> Response:
    return Response(CollectionSerializer(get_object_or_404(list_collections(), pk=collection_id)).data, status=status)
