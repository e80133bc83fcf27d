"""Request bodies with hard limits. DRF reads JSON from the socket, past Django's own limit, until it ends."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser, MultiPartParser

from foundation.errors import LoupeError


class BodyTooLarge(LoupeError):
    """The request's body is beyond the limit; nothing of it was kept."""

    code = "body_too_large"
    status = 413


class LimitedJSONParser(JSONParser):
    """JSON of at most `DATA_UPLOAD_MAX_MEMORY_SIZE` bytes."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge(f"A JSON body may have at most {limit} bytes.")
        try:
            return super().parse(io.BytesIO(body), media_type, parser_context)
        except RecursionError as error:
            raise ParseError("JSON parse error - nested too deeply") from error


class LimitedMultiPartParser(MultiPartParser):
    """Forms with files, at most `LOUPE_MAX_UPLOAD_BYTES` in all. Files beyond 4 MiB go to disk as they arrive."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        request = (parser_context or {})["request"]
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > settings.LOUPE_MAX_UPLOAD_BYTES:
            raise BodyTooLarge(f"One upload may have at most {settings.LOUPE_MAX_UPLOAD_BYTES} bytes; send several.")
        return super().parse(stream, media_type, parser_context)
