"""`Idempotency-Key` on writes: a client that lost the answer sends the call again and nothing happens twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import IdempotentAnswer, User
from foundation.errors import InvalidInput, LoupeError

HEADER = "Idempotency-Key"
KEPT_FOR = timedelta(days=1)
_WRITES = {"POST", "PUT", "PATCH", "DELETE"}


class KeyReused(LoupeError):
    """The key came before, with another body."""

    code = "idempotency_key_reused"
    status = 422


class IdempotentWrites(APIView):
    """Base for views that write. Without the header it does nothing.

    With it, the call and the note of its answer are one transaction, so either both are kept or neither, whenever the
    process dies; of two calls at once the second waits for the first and gets its answer. Only successes are noted:
    what was refused changed nothing and may be tried again. Notes are kept for a day.
    """

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method not in _WRITES or HEADER not in request.headers:
            return super().dispatch(request, *args, **kwargs)
        # As APIView does it, with the handler called once.
        self.args, self.kwargs = args, kwargs
        self.request = asked = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        try:
            self.initial(asked, *args, **kwargs)
            handler = getattr(self, str(request.method).lower(), self.http_method_not_allowed)
            response = _once(asked, lambda: handler(asked, *args, **kwargs))
        except Exception as error:
            response = self.handle_exception(error)
        self.response = self.finalize_response(asked, response, *args, **kwargs)
        return self.response


def _once(request: Request, call: Callable[[], Response]) -> Response:
    key = request.headers[HEADER]
    if not (1 <= len(key) <= 200 and key.isascii() and key.isprintable()):
        raise InvalidInput(f"{HEADER} must be 1 to 200 printable ASCII characters.", code="invalid_idempotency_key")
    digest = _digest(request)  # reads the body to its end before any row is locked
    with transaction.atomic():
        note, noted = _claim(cast(User, request.user), key, f"{request.method} {request.path}"[:300])
        if not noted:
            note.request_digest = digest
            response = call()
            if response.status_code >= 400:
                transaction.set_rollback(True)
                return response
            note.status = response.status_code
            note.body = None if response.data is None else json.loads(JSONRenderer().render(response.data))
            note.save(update_fields=["request_digest", "status", "body"])
    if not noted:
        if note.pk % 100 == 0:
            IdempotentAnswer.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()
        return response
    if note.request_digest != digest:
        raise KeyReused(f"This {HEADER} was used before for a different request.")
    return Response(note.body, status=note.status, headers={"Idempotent-Replayed": "true"})


def _claim(user: User, key: str, route: str) -> tuple[IdempotentAnswer, bool]:
    """The note of this call, and whether an earlier call made it."""
    try:
        with transaction.atomic():
            # Waits here while another call with this key has not yet been committed.
            return IdempotentAnswer.objects.create(user=user, key=key, route=route), False
    except IntegrityError:
        return IdempotentAnswer.objects.get(user=user, key=key, route=route), True


def _digest(request: Request) -> str:
    """SHA-256 of what was sent, whatever the order of JSON keys or the boundary of a form."""
    state = hashlib.sha256()
    if not isinstance(request.data, QueryDict):
        state.update(json.dumps(request.data, sort_keys=True).encode())
        return state.hexdigest()
    fields: list[tuple[str, list[Any]]] = sorted(request.data.lists())
    for name, value in ((name, value) for name, values in fields for value in values):
        state.update(f"{len(name)}:{name}".encode())
        if isinstance(value, UploadedFile):
            state.update(str(value.name).encode("utf-8", "surrogateescape"))
            for chunk in value.chunks():
                state.update(hashlib.sha256(chunk).digest())
            value.seek(0)
        else:
            state.update(f"{len(value)}:{value}".encode())
    return state.hexdigest()
