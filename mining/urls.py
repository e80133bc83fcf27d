"""Under /api/v1/."""

from __future__ import annotations

from django.urls import path

from mining.api import (
    AnnotatorsView,
    AnswerView,
    BatchesView,
    BatchItemsView,
    ItemFacesView,
    LeaseView,
    MyAnswersView,
    ReleaseView,
    SeveralAnswersView,
    SkipView,
    WithdrawSeveralView,
    WithdrawView,
)
from mining.run_api import MiningRunsView, MiningRunView, StrategiesView

urlpatterns = [
    path("mining-strategies", StrategiesView.as_view(), name="mining-strategies"),
    path("mining-runs", MiningRunsView.as_view(), name="mining-runs"),
    path("mining-runs/<int:id>", MiningRunView.as_view(), name="mining-run"),
    path("review/batches", BatchesView.as_view(), name="review-batches"),
    path("review/batches/<int:id>/items", BatchItemsView.as_view(), name="review-batch-items"),
    path("review/batches/<int:id>/lease", LeaseView.as_view(), name="review-lease"),
    path("review/batches/<int:id>/release", ReleaseView.as_view(), name="review-release"),
    path("review/items/<int:id>/faces", ItemFacesView.as_view(), name="review-item-faces"),
    path("review/items/<int:id>/answer", AnswerView.as_view(), name="review-answer"),
    path("review/items/<int:id>/skip", SkipView.as_view(), name="review-skip"),
    path("review/answers", SeveralAnswersView.as_view(), name="review-answers"),
    path("review/withdrawals", WithdrawSeveralView.as_view(), name="review-withdrawals"),
    path("annotators", AnnotatorsView.as_view(), name="annotators"),
    path("annotators/me", MyAnswersView.as_view(), name="my-answers"),
    path("review/votes/<int:id>/withdraw", WithdrawView.as_view(), name="review-withdraw"),
]
