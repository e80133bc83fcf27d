"""What every page view shares: rendering with its place in the navigation, keyset pages, errors as messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, TypeVar, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.models import User
from accounts.shortcuts import keys_of, shown
from foundation.errors import LoupeError, NotFound

T = TypeVar("T")
MOST_SHOWN = 2000


@dataclass(frozen=True)
class Key:
    """One keyboard shortcut, for the page's list of keys.

    `action`: of `accounts.shortcuts`, where people choose the key themselves; `keys` is not needed then.
    """

    keys: str
    does: str
    action: str = ""

    @property
    def parts(self) -> list[str]:
        return self.keys.split(" ")


# Where faces stand in a grid and can be selected.
GRID_KEYS = [
    Key("← ↑ → ↓", "Move from face to face"),
    Key("Space", "Select the face; with Shift, all up to it"),
    Key("Ctrl A", "Select all faces that are shown"),
    Key("", "Reject: the selected faces are not this person", "reject"),
    Key("", "Split the selected faces out as another person", "split"),
    Key("", "Merge with another person", "merge"),
    Key("", "Not a face", "not_a_face"),
    Key("", "Ignore the selected faces", "ignore"),
]


def page(
    request: HttpRequest,
    template: str,
    area: str,
    context: dict[str, Any],
    *,
    keys: Sequence[Key] = (),
    status: int = 200,
) -> HttpResponse:
    """Render `frontend/<template>` as part of `area` of the navigation."""
    own = own_keys(request)
    shown_keys = [replace(key, keys=shown(own[key.action])) if key.action else key for key in keys]
    return render(request, f"frontend/{template}", {**context, "area": area, "keys": shown_keys}, status=status)


def own_keys(request: HttpRequest) -> dict[str, str]:
    """{action: key} of the person who is signed in."""
    return keys_of(getattr(request.user, "keys", {}))


def signed_in(request: HttpRequest) -> User:
    """The user of a view that `accounts.permissions.requires` guards."""
    return cast(User, request.user)


class told:  # noqa: N801 - reads as a verb: with told(request): ...
    """An expected error of the block becomes a message on the next page, and the block ends there."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, LoupeError):
            return False
        messages.error(self._request, error.message)
        return True


def is_partial(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page. Going back in history asks for the whole page, as does what takes the
    live parts from it (`frontend/partials/live.html`)."""
    whole = request.headers.get("HX-History-Restore-Request") == "true" or request.headers.get("HX-Trigger") == "live"
    return request.headers.get("HX-Request") == "true" and not whole


def at_least(request: HttpRequest, size: int) -> int:
    """How many rows of a list to show: a page of them, or as many as one has scrolled to, if they are brought up to
    date in place."""
    return max(size, min(whole_number(request.GET.get("shown"), 0) or 0, MOST_SHOWN))


def until_ended(response: HttpResponse, *, ended: bool) -> HttpResponse:
    """The answer to a page that polls: once the work has ended, the whole page is loaded anew, buttons and all."""
    if ended:
        response.headers["HX-Refresh"] = "true"
    return response


def whole_number(text: str | None, default: int | None = None) -> int | None:
    """A query parameter as a non-negative integer that fits the database; `default` for anything else."""
    if text and text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    return default


def found_or_404(find: Callable[[], T]) -> T:
    """What `find` returns; its NotFound becomes the 404 page."""
    try:
        return find()
    except NotFound as error:
        raise Http404(error.message) from error
