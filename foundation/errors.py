"""The one error family. Raised anywhere, translated once at each edge (REST, job unit, command line)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class LoupeError(Exception):
    """An expected failure with a stable code that clients may rely on.

    Attributes:
        code: snake_case, part of the API; never changes once released.
        message: one clear sentence for a person, without secrets.
        status: the HTTP status at the REST edge.
        permanent: False if the same call may succeed later, so that a job unit is retried.
        facts: JSON values that a program may need beside the sentence, such as what has changed.
    """

    code = "error"
    status = 400
    permanent = True

    def __init__(self, message: str, *, code: str | None = None, facts: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts or {}
        if code is not None:
            self.code = code


class InvalidInput(LoupeError):
    """The caller's input is wrong and will stay wrong."""

    code = "invalid_input"


class NotFound(LoupeError):
    """No such object, or none that this user may see."""

    code = "not_found"
    status = 404


class Forbidden(LoupeError):
    """The user may see the object but not do this to it."""

    code = "forbidden"
    status = 403


class Conflict(LoupeError):
    """The object has changed or is in a state that does not allow this."""

    code = "conflict"
    status = 409


class Unavailable(LoupeError):
    """Something that we depend on does not answer at the moment."""

    code = "unavailable"
    status = 503
    permanent = False


class Cancelled(LoupeError):
    """The work was asked to stop."""

    code = "cancelled"
    status = 409


class StorageFull(Unavailable):
    """No room left for files. The same call works once there is."""

    code = "storage_full"
    status = 507
