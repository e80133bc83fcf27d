"""Lists that continue after their last row (`annotation.queries.keyset`) in the shape of every list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from rest_framework.request import Request
from rest_framework.response import Response

from foundation.rest import CursorPagination


class KeysetPages(CursorPagination):
    """For the schema: such lists look like all others."""

    page_size_query_param: Any = None


def page_of(request: Request, rows: Iterable[Any], cursor: str) -> Response:
    """One page; `next` is the address of the following one. There is no way back but the browser's."""
    following = None
    if cursor:
        query = {**request.query_params.dict(), "cursor": cursor}
        following = request.build_absolute_uri(f"{request.path}?{urlencode(query)}")
    return Response({"next": following, "previous": None, "results": list(rows)})
