"""Under /api/v1/."""

from __future__ import annotations

from django.urls import path

from annotation.api import (
    clusterings,
    clusters,
    collections,
    datasets,
    decisions,
    faces,
    identities,
    ingests,
    photos,
    reversals,
    uploads,
)

urlpatterns = [
    path("collections", collections.CollectionsView.as_view(), name="collections"),
    path("collections/<int:id>", collections.CollectionView.as_view(), name="collection"),
    path("uploads", uploads.UploadsView.as_view(), name="uploads"),
    path("uploads/known", uploads.KnownView.as_view(), name="uploads-known"),
    path("uploads/by-digest", uploads.ByDigestView.as_view(), name="uploads-by-digest"),
    path("ingests", ingests.IngestsView.as_view(), name="ingests"),
    path("photos", photos.PhotosView.as_view(), name="photos"),
    path("photos/<int:id>", photos.PhotoView.as_view(), name="photo"),
    path("faces/<int:id>", faces.FaceView.as_view(), name="face"),
    path("faces/<int:id>/crop", faces.FaceCropView.as_view(), name="face-crop"),
    path("clusterings", clusterings.ClusteringsView.as_view(), name="clusterings"),
    path("clusterings/<int:id>", clusterings.ClusteringView.as_view(), name="clustering"),
    path(
        "clusterings/<int:id>/difference", clusterings.ClusteringDifferenceView.as_view(), name="clustering-difference"
    ),
    path("clusterings/<int:id>/apply", clusterings.ApplyClusteringView.as_view(), name="clustering-apply"),
    path("clusterings/<int:id>/drop", clusterings.DropClusteringView.as_view(), name="clustering-drop"),
    path("clusters", clusters.ClustersView.as_view(), name="clusters"),
    path("clusters/<int:id>", clusters.ClusterView.as_view(), name="cluster"),
    path("clusters/<int:id>/faces", clusters.ClusterFacesView.as_view(), name="cluster-faces"),
    path("identities", identities.IdentitiesView.as_view(), name="identities"),
    path("identities/<int:id>", identities.IdentityView.as_view(), name="identity"),
    path("identities/<int:id>/faces", identities.IdentityFacesView.as_view(), name="identity-faces"),
    path("decisions", decisions.DecisionsView.as_view(), name="decisions"),
    path("decisions/reversal", reversals.ReversalsView.as_view(), name="decisions-reversal"),
    path("decisions/undo", decisions.UndoView.as_view(), name="decisions-undo"),
    path("decisions/redo", decisions.RedoView.as_view(), name="decisions-redo"),
    path("decisions/<int:id>", decisions.DecisionView.as_view(), name="decision"),
    path("decisions/<int:id>/revert", decisions.RevertView.as_view(), name="decision-revert"),
    path("datasets", datasets.DatasetsView.as_view(), name="datasets"),
    path("datasets/<slug:name>/versions/<slug:version>", datasets.VersionView.as_view(), name="dataset-version"),
    path(
        "datasets/<slug:name>/versions/<slug:version>/files/<slug:digest>",
        datasets.VersionFileView.as_view(),
        name="dataset-file",
    ),
]
