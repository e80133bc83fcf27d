"""REST: files on their way in. `known` says which need not be sent, `by-digest` names those."""

from __future__ import annotations

import json
from typing import Any, cast
from uuid import uuid4

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.idempotency import IdempotentWrites
from accounts.models import User
from accounts.permissions import Requires
from accounts.roles import Capability
from annotation.models import Upload
from annotation.queries.known_files import stored_blobs
from annotation.services.known_uploads import name_stored_files
from annotation.services.uploads import store_upload
from foundation.errors import InvalidInput
from foundation.parsers import LimitedMultiPartParser

MAY: tuple[type[BasePermission], ...] = (Requires(Capability.INGEST),)
MOST = 1000  # files named in one call
DIGEST = r"^[0-9a-f]{64}\Z"


class DigestsSerializer(serializers.Serializer[Any]):
    digests = serializers.ListField(child=serializers.RegexField(DIGEST), max_length=MOST)


class KnownSerializer(serializers.Serializer[Any]):
    known = serializers.ListField(child=serializers.CharField())


class ListedSerializer(serializers.Serializer[Any]):
    path = serializers.CharField(max_length=1000, trim_whitespace=False, help_text="Relative, with forward slashes")
    digest = serializers.RegexField(DIGEST, help_text="SHA-256 of the file")


class ListedToSendSerializer(ListedSerializer):
    digest = serializers.RegexField(DIGEST, required=False, allow_null=True, default=None)


class ByDigestSerializer(serializers.Serializer[Any]):
    batch = serializers.UUIDField(help_text="Chosen by the client; the files of one upload share it")
    listing = serializers.ListField(child=ListedSerializer(), min_length=1, max_length=MOST)


class UploadFormSerializer(serializers.Serializer[Any]):
    batch = serializers.UUIDField(required=False, help_text="Left out: a new one")
    listing = serializers.CharField(help_text='JSON: [{"path", "digest"}], one per file in the same order')
    files = serializers.ListField(child=serializers.FileField(allow_empty_file=True), min_length=1, max_length=MOST)


class StoredSerializer(serializers.ModelSerializer[Upload]):
    class Meta:
        model = Upload
        fields = ("path", "digest", "bytes")
        read_only_fields = fields


class UploadedSerializer(serializers.Serializer[Any]):
    batch = serializers.UUIDField()
    files = StoredSerializer(many=True)


class KnownView(APIView):
    permission_classes = MAY

    @extend_schema(
        request=DigestsSerializer, responses=KnownSerializer, summary="Which of these files are here already"
    )
    def post(self, request: Request) -> Response:
        wanted = DigestsSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        return Response({"known": sorted(stored_blobs(wanted.validated_data["digests"]))})


class ByDigestView(IdempotentWrites):
    permission_classes = MAY

    @extend_schema(
        request=ByDigestSerializer, responses={201: UploadedSerializer}, summary="Add files that are here already"
    )
    def post(self, request: Request) -> Response:
        wanted = ByDigestSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        batch = wanted.validated_data["batch"]
        files = [(entry["path"], entry["digest"]) for entry in wanted.validated_data["listing"]]
        made = name_stored_files(user=cast(User, request.user), batch=batch, files=files)
        return Response(UploadedSerializer({"batch": batch, "files": made}).data, status=201)


class UploadsView(IdempotentWrites):
    permission_classes = MAY
    parser_classes = (LimitedMultiPartParser,)

    @extend_schema(request=UploadFormSerializer, responses={201: UploadedSerializer}, summary="Send files")
    def post(self, request: Request) -> Response:
        form = UploadFormSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        files = form.validated_data["files"]
        listing = _listing(form.validated_data["listing"], len(files))
        batch = form.validated_data.get("batch") or uuid4()
        made = [
            store_upload(
                user=cast(User, request.user), batch=batch, path=entry["path"], content=file, expected=entry["digest"]
            )
            for entry, file in zip(listing, files, strict=True)
        ]
        return Response(UploadedSerializer({"batch": batch, "files": made}).data, status=201)


def _listing(text: str, count: int) -> list[dict[str, Any]]:
    """A form's file names come without folders, so paths travel beside them."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("`listing` is not JSON.", code="bad_listing") from error
    if not isinstance(raw, list) or len(raw) != count:
        raise InvalidInput("`listing` must name each of the files, in their order.", code="bad_listing")
    entries = ListedToSendSerializer(data=raw, many=True)
    entries.is_valid(raise_exception=True)
    return list(entries.validated_data)
