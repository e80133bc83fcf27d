"""Under /api/v1/."""

from __future__ import annotations

from django.urls import path

from accounts.api import KeysView, MeView, TokensView, TokenView

urlpatterns = [
    path("me", MeView.as_view(), name="me"),
    path("me/keys", KeysView.as_view(), name="my-keys"),
    path("tokens", TokensView.as_view(), name="tokens"),
    path("tokens/<int:id>", TokenView.as_view(), name="token"),
]
