"""Who may take decisions back: the one rule for services, REST and pages."""

from __future__ import annotations

from collections.abc import Iterable

from accounts.models import AccessToken, User
from accounts.permissions import can
from accounts.roles import Capability
from foundation.errors import Forbidden


def may_take_back(user: User, actors: Iterable[int | None], *, token: AccessToken | None = None) -> bool:
    """Whether somebody, through `token` if given, may take back what these people decided; None: a run did."""
    return can(user, Capability.REVERT_OTHERS, token=token) or set(actors) <= {user.pk}


def check_may_take_back(user: User, actors: Iterable[int | None], *, token: AccessToken | None = None) -> None:
    """Raises Forbidden (`not_your_decision`) where they may not."""
    if not may_take_back(user, actors, token=token):
        raise Forbidden("Somebody else decided this. A manager can take it back.", code="not_your_decision")
