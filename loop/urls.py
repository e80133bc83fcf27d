"""Under /api/v1/."""

from __future__ import annotations

from django.urls import path

from loop.api import AbandonRoundView, AimsView, PromoteView, RoundsView, RoundView, TrialsView

urlpatterns = [
    path("rounds", RoundsView.as_view(), name="rounds"),
    path("rounds/<int:number>", RoundView.as_view(), name="round"),
    path("rounds/<int:number>/abandon", AbandonRoundView.as_view(), name="round-abandon"),
    path("models/<str:reference>/promote", PromoteView.as_view(), name="model-promote"),
    path("aims", AimsView.as_view(), name="aims"),
    path("synthetic-trials", TrialsView.as_view(), name="synthetic-trials"),
]
