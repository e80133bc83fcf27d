"""Turns whatever a kind raised into the error that is shown for a unit."""

from __future__ import annotations

import errno
import logging

from foundation.errors import LoupeError

log = logging.getLogger(__name__)


class Unexpected(LoupeError):
    """An error that nobody foresaw; it may pass, so it is tried again."""

    code = "unexpected_error"
    status = 500
    permanent = False


def as_loupe_error(error: Exception) -> LoupeError:
    """The error to show. What is not ours is logged with its stack and named by its type."""
    if isinstance(error, LoupeError):
        return error
    log.error("a job raised %s", type(error).__name__, exc_info=error)
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Unexpected("There is no space left where files are kept.", code="disk_full")
    if isinstance(error, MemoryError):
        return Unexpected("There was not enough memory.", code="out_of_memory")
    if isinstance(error, PermissionError):
        return Unexpected(f"{error.filename or 'A file'} may not be read or written.", code="no_permission")
    return Unexpected(f"{type(error).__name__}: {error}"[:1000])
