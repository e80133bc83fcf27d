"""Addresses of the pages."""

from __future__ import annotations

from django.urls import path

from frontend.views import (
    account,
    clusters,
    dashboard,
    datasets,
    importing,
    jobs,
    ledger,
    models,
    people,
    photos,
    pictures,
    review,
    rounds,
    sessions,
    users,
)

app_name = "ui"

urlpatterns = [
    path("", dashboard.show, name="dashboard"),
    path("login/", sessions.sign_in, name="sign_in"),
    path("logout/", sessions.sign_out, name="sign_out"),
    path("import/", importing.show, name="import"),
    path("import/folder/", importing.start_folder, name="import_folder"),
    path("import/collection/", importing.create_collection, name="create_collection"),
    path("photos/", photos.index, name="photos"),
    path("photos/<int:photo_id>/", photos.show, name="photo"),
    path("photos/<int:photo_id>/preview-<int:edge>.jpg", pictures.preview, name="preview"),
    path("photos/<int:photo_id>/original", pictures.original, name="original"),
    path("crops/<int:face_id>.png", pictures.crop, name="crop"),
    path("people/", people.index, name="people"),
    path("people/complete/", people.complete, name="complete_people"),
    path("people/<int:identity_id>/", people.show, name="person"),
    path("clusters/", clusters.index, name="clusters"),
    path("clusters/<int:cluster_id>/", clusters.show, name="cluster"),
    path("review/", review.index, name="review"),
    path("review/<int:batch_id>/", review.show, name="batch"),
    path("ledger/", ledger.index, name="ledger"),
    path("jobs/", jobs.index, name="jobs"),
    path("jobs/<int:job_id>/", jobs.show, name="job"),
    path("jobs/<int:job_id>/cancel/", jobs.cancel, name="cancel_job"),
    path("jobs/<int:job_id>/retry/", jobs.retry, name="retry_job"),
    path("rounds/", rounds.index, name="rounds"),
    path("rounds/start/", rounds.start, name="start_round"),
    path("rounds/<int:number>/", rounds.show, name="round"),
    path("rounds/<int:number>/abandon/", rounds.abandon, name="abandon_round"),
    path("rounds/<int:number>/abandon/", rounds.abandon, name="abandon_round"),
    path("datasets/", datasets.index, name="datasets"),
    path("datasets/freeze/", datasets.freeze, name="freeze"),
    path("datasets/<slug:name>/<int:version>/", datasets.show, name="dataset"),
    path("models/", models.index, name="models"),
    path("models/<slug:name>/<int:version>/", models.show, name="model"),
    path("account/", account.show, name="account"),
    path("account/tokens/", account.create_token, name="create_token"),
    path("account/tokens/<int:token_id>/revoke/", account.revoke_token, name="revoke_token"),
    path("account/sessions/end/", account.end_other_sessions, name="end_sessions"),
    path("users/", users.index, name="users"),
    path("users/add/", users.add, name="add_user"),
    path("users/<int:user_id>/role/", users.set_role, name="set_role"),
    path("users/<int:user_id>/code/", users.make_code, name="make_code"),
]
