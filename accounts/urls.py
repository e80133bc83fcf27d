"""Under /api/v1/."""

from __future__ import annotations

from django.urls import path

from accounts.api import MeView, TokensView, TokenView

urlpatterns = [
    path("me", MeView.as_view(), name="me"),
    path("tokens", TokensView.as_view(), name="tokens"),
    path("tokens/<int:id>", TokenView.as_view(), name="token"),
]
