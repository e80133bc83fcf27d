"""How a REST request says who it is: `Authorization: Bearer <token>`, or the browser's session with CSRF."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import AccessToken, User
from accounts.services import find_live_token

__all__ = ["SessionAuthentication", "TokenAuthentication"]


class TokenAuthentication(BaseAuthentication):
    """A personal access token. `request.auth` is the `AccessToken`, whose scopes limit what the call may do.

    One answer for every token that does not work, so that nobody learns which tokens once existed.
    """

    def authenticate(self, request: Request) -> tuple[User, AccessToken] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        token = find_live_token(words[1].decode("latin-1")) if len(words) == 2 else None
        if token is None:
            raise AuthenticationFailed("This access token is unknown, revoked or expired.", code="invalid_token")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="loupe"'
