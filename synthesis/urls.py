"""Under /api/v1/."""

from __future__ import annotations

from django.urls import path

from synthesis.api import (
    BlenderView,
    FailedItemsView,
    PreviewView,
    RecipesView,
    RecipeView,
    RetryView,
    RunsView,
    RunView,
    SheetView,
    SlowPreviewView,
)

urlpatterns = [
    path("synthesis/recipes", RecipesView.as_view(), name="synthesis-recipes"),
    path("synthesis/recipes/<slug:name>", RecipeView.as_view(), name="synthesis-recipe"),
    path("synthesis/preview", PreviewView.as_view(), name="synthesis-preview"),
    path("synthesis/previews/<int:id>", SlowPreviewView.as_view(), name="synthesis-slow-preview"),
    path("synthesis/blender", BlenderView.as_view(), name="synthesis-blender"),
    path("synthesis/runs", RunsView.as_view(), name="synthesis-runs"),
    path("synthesis/runs/<int:id>", RunView.as_view(), name="synthesis-run"),
    path("synthesis/runs/<int:id>/failed", FailedItemsView.as_view(), name="synthesis-failed"),
    path("synthesis/runs/<int:id>/sheet", SheetView.as_view(), name="synthesis-sheet"),
    path("synthesis/runs/<int:id>/retry", RetryView.as_view(), name="synthesis-retry"),
]
