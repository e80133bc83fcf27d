"""What can go wrong, and the exit code that each kind has on the command line."""

from __future__ import annotations


class LoupeClientError(Exception):
    """An expected failure.

    Attributes:
        code: stable snake_case name; the server's own where it answered.
        message: one sentence for a person.
        exit_code: what the command line ends with.
    """

    code = "error"
    exit_code = 1

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class UsageError(LoupeClientError):
    """The call itself is wrong."""

    code = "usage"
    exit_code = 2


class NotSignedIn(LoupeClientError):
    """No token, or one that the server no longer takes."""

    code = "not_signed_in"
    exit_code = 3


class NotFound(LoupeClientError):
    """No such object on the server or on disk, or none that this user may see."""

    code = "not_found"
    exit_code = 4


class Unreachable(LoupeClientError):
    """The server does not answer, also after trying again."""

    code = "unreachable"
    exit_code = 5


class Damaged(LoupeClientError):
    """Bytes differ from their digest, or a pulled dataset is not complete."""

    code = "damaged"
    exit_code = 6


class JobFailed(LoupeClientError):
    """The job ended, but not well."""

    code = "job_failed"
    exit_code = 7


class FinishedWithErrors(LoupeClientError):
    """The job is done, but for some of it that failed."""

    code = "job_finished_with_errors"
    exit_code = 8
