"""Under /api/v1/."""

from __future__ import annotations

from django.urls import path

from loop.api import AbandonRoundView, PromoteView, RoundsView, RoundView

urlpatterns = [
    path("rounds", RoundsView.as_view(), name="rounds"),
    path("rounds/<int:number>", RoundView.as_view(), name="round"),
    path("rounds/<int:number>/abandon", AbandonRoundView.as_view(), name="round-abandon"),
    path("models/<str:reference>/promote", PromoteView.as_view(), name="model-promote"),
]
