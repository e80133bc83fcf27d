"""REST: start an ingest."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.idempotency import IdempotentWrites
from accounts.models import User
from accounts.permissions import Requires
from accounts.roles import Capability
from annotation.api.collections import check_owner
from annotation.services.collections import ensure_collection

MAY: tuple[type[BasePermission], ...] = (Requires(Capability.INGEST),)


class NewIngestSerializer(serializers.Serializer[Any]):
    """Exactly one of upload, folder and zip."""

    upload = serializers.UUIDField(required=False, help_text="The batch of an upload")
    folder = serializers.CharField(max_length=4000, required=False, help_text="On the server, below LOUPE_INGEST_ROOTS")
    zip = serializers.CharField(max_length=4000, required=False, help_text="On the server, below LOUPE_INGEST_ROOTS")
    collection = serializers.CharField(
        max_length=200, required=False, help_text="Name of the one that takes all; without it each top folder is one"
    )


class StartedSerializer(serializers.Serializer[Any]):
    job = serializers.IntegerField()


class IngestsView(IdempotentWrites):
    permission_classes = MAY

    @extend_schema(
        request=NewIngestSerializer, responses={202: StartedSerializer}, summary="Ingest what was uploaded, or a path"
    )
    def post(self, request: Request) -> Response:
        # Loads the model runtimes, which other calls do without.
        from annotation.services.ingest import start_ingest

        wanted = NewIngestSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        user = cast(User, request.user)
        collection = ensure_collection(name=given["collection"], user=user) if "collection" in given else None
        if collection is not None:
            check_owner(request, collection.held_out)
        job = start_ingest(
            user=user,
            folder=given.get("folder"),
            archive=given.get("zip"),
            batch=given.get("upload"),
            collection=collection,
        )
        return Response({"job": job.pk}, status=202)
