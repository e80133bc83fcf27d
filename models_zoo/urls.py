"""Under /api/v1/."""

from __future__ import annotations

from django.urls import path

from models_zoo.api import ReleasesView, ReleaseView

urlpatterns = [
    path("models", ReleasesView.as_view(), name="models"),
    path("models/<str:reference>", ReleaseView.as_view(), name="model"),
]
