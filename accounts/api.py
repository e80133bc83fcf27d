"""REST: who am I, and my access tokens."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import AccessToken, User
from accounts.permissions import SignedIn, capabilities
from accounts.serializers import (
    CreatedTokenSerializer,
    KeysSerializer,
    MeSerializer,
    NewTokenSerializer,
    TokenSerializer,
)
from accounts.services import choose_keys, create_token, revoke_token
from accounts.shortcuts import keys_of
from foundation.errors import Forbidden, InvalidInput


class MeView(APIView):
    permission_classes = (SignedIn,)

    @extend_schema(responses=MeSerializer, summary="Who I am and what I may do")
    def get(self, request: Request) -> Response:
        user = cast(User, request.user)
        token = request.auth if isinstance(request.auth, AccessToken) else None
        me = {
            "id": user.pk,
            "username": user.username,
            "role": user.role,
            "capabilities": sorted(capabilities(user, token=token)),
        }
        return Response(MeSerializer(me).data)


class KeysView(APIView):
    permission_classes = (SignedIn,)

    @extend_schema(responses=KeysSerializer, summary="My keys for all actions")
    def get(self, request: Request) -> Response:
        return Response({"keys": keys_of(cast(User, request.user).keys)})

    @extend_schema(request=KeysSerializer, responses=KeysSerializer, summary="Choose keys; those left out are reset")
    def put(self, request: Request) -> Response:
        wanted = KeysSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        user = choose_keys(user=cast(User, request.user), keys=wanted.validated_data["keys"])
        return Response({"keys": keys_of(user.keys)})


class TokensView(GenericAPIView[AccessToken]):
    """Answers to creating a token are never noted for `Idempotency-Key`: they hold the secret."""

    permission_classes = (SignedIn,)
    serializer_class = TokenSerializer

    def get_queryset(self) -> QuerySet[AccessToken]:
        return AccessToken.objects.filter(user=cast(User, self.request.user))

    @extend_schema(responses=TokenSerializer(many=True), summary="My access tokens")
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(TokenSerializer(page, many=True).data)

    @extend_schema(request=NewTokenSerializer, responses={201: CreatedTokenSerializer}, summary="Make an access token")
    def post(self, request: Request) -> Response:
        wanted = NewTokenSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        scopes: list[str] | None = wanted.validated_data.get("scopes")
        expires_at: datetime | None = wanted.validated_data["expires_at"]
        if isinstance(request.auth, AccessToken):
            scopes, expires_at = _within(request.auth, scopes, expires_at)
        token, secret = create_token(
            user=cast(User, request.user), name=wanted.validated_data["name"], scopes=scopes, expires_at=expires_at
        )
        answer = {**TokenSerializer(token).data, "secret": secret}
        return Response(answer, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})


class TokenView(APIView):
    permission_classes = (SignedIn,)

    @extend_schema(responses=TokenSerializer, summary="One of my access tokens")
    def get(self, request: Request, id: int) -> Response:
        token = get_object_or_404(AccessToken, pk=id, user=cast(User, request.user))
        return Response(TokenSerializer(token).data)

    @extend_schema(responses={204: None}, summary="Revoke one of my access tokens")
    def delete(self, request: Request, id: int) -> Response:
        revoke_token(token=get_object_or_404(AccessToken, pk=id, user=cast(User, request.user)))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _within(
    token: AccessToken, scopes: list[str] | None, expires_at: datetime | None
) -> tuple[list[str], datetime | None]:
    """A token may make others, but none that can do more or lives longer than itself."""
    granted = capabilities(token.user, token=token)
    if scopes is not None and (beyond := sorted(set(scopes) - granted)):
        raise Forbidden(f"Your access token does not include: {', '.join(beyond)}.", code="scope_beyond_token")
    if token.expires_at is not None:
        if expires_at is not None and expires_at > token.expires_at:
            raise InvalidInput("A token can't outlive the one that makes it.", code="expiry_beyond_token")
        expires_at = expires_at or token.expires_at
    return sorted(granted if scopes is None else scopes), expires_at
