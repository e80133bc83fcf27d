"""How well embeddings tell people apart: verification with intervals, label-free pairs and the promotion gate."""

from __future__ import annotations

from models_zoo.evaluation.gate import Criterion, Verdict, decide
from models_zoo.evaluation.label_free import label_free_trial
from models_zoo.evaluation.slices import Slice, find_slices, rank_slices, slice_called
from models_zoo.evaluation.trial import FaceSet, Trial, verification_trial
from models_zoo.evaluation.verification import (
    Difference,
    Rate,
    difference,
    error_versus_reject,
    mean_difference,
    tar_at_far,
)

__all__ = [
    "Criterion",
    "Difference",
    "FaceSet",
    "Rate",
    "Slice",
    "Trial",
    "Verdict",
    "decide",
    "difference",
    "error_versus_reject",
    "find_slices",
    "label_free_trial",
    "mean_difference",
    "rank_slices",
    "slice_called",
    "tar_at_far",
    "verification_trial",
]
