"""Exact complete linkage under constraints, evidence merges, calibration, explanations and metrics. No Django.

calibration = calibrate(vectors, constraints=constraints)
clustering = cluster(vectors, constraints=constraints, thresholds=calibration.thresholds, progress=progress)
"""

from annotation.clustering.answered import Answers, Refinement
from annotation.clustering.arrivals import Arrivals, join_arrivals
from annotation.clustering.calibration import Calibration, CalibrationTargets, Estimate, calibrate
from annotation.clustering.centroids import Centroids, centroids
from annotation.clustering.cohort import strangers_by_label
from annotation.clustering.constraints import Constraints
from annotation.clustering.evidence import merge_cores
from annotation.clustering.explanation import Explanation, NearClusters, explain, near_clusters
from annotation.clustering.genuine import GenuineModel
from annotation.clustering.graph import RangeGraph, range_graph
from annotation.clustering.impostors import ImpostorModel
from annotation.clustering.joining import join_small
from annotation.clustering.linkage import Linkage, complete_linkage
from annotation.clustering.metrics import Agreement, Score, Settling, agreement, settling
from annotation.clustering.pipeline import Clustering, cluster
from annotation.clustering.questions import Questions, weakest_parts, worthwhile_questions
from annotation.clustering.resolution import Clash, Resolution, resolve
from annotation.clustering.suspects import Suspicion, suspect_labels
from annotation.clustering.thresholds import JoinRule, Thresholds

__all__ = [
    "Agreement",
    "Answers",
    "Arrivals",
    "Calibration",
    "CalibrationTargets",
    "Centroids",
    "Clash",
    "Clustering",
    "Constraints",
    "Estimate",
    "Explanation",
    "GenuineModel",
    "ImpostorModel",
    "JoinRule",
    "Linkage",
    "NearClusters",
    "Questions",
    "RangeGraph",
    "Refinement",
    "Resolution",
    "Score",
    "Settling",
    "Suspicion",
    "Thresholds",
    "agreement",
    "calibrate",
    "centroids",
    "cluster",
    "complete_linkage",
    "explain",
    "join_arrivals",
    "join_small",
    "merge_cores",
    "near_clusters",
    "range_graph",
    "resolve",
    "settling",
    "strangers_by_label",
    "suspect_labels",
    "weakest_parts",
    "worthwhile_questions",
]
