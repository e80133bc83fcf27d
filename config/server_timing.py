"""How long the server took, told to whoever asked: browsers show it, benchmarks subtract it."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase


class ServerTimingMiddleware:
    """Adds `Server-Timing: app;dur=<milliseconds>` to every answer; a streamed body is not counted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = self._get_response(request)
        response["Server-Timing"] = f"app;dur={1000 * (time.perf_counter() - began):.1f}"
        return response
