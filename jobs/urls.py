"""Under /api/v1/."""

from __future__ import annotations

from django.urls import path

from jobs.api import CancelView, JobsView, JobView, RetryView, UnitsView

urlpatterns = [
    path("jobs", JobsView.as_view(), name="jobs"),
    path("jobs/<int:id>", JobView.as_view(), name="job"),
    path("jobs/<int:id>/units", UnitsView.as_view(), name="job-units"),
    path("jobs/<int:id>/cancel", CancelView.as_view(), name="job-cancel"),
    path("jobs/<int:id>/retry", RetryView.as_view(), name="job-retry"),
]
