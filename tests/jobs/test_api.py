"""The jobs' REST calls: who may, what they answer, how many queries they take."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.models import User
from accounts.roles import Role
from jobs import queries, services
from jobs.models import Job, JobState, Unit, UnitState

pytestmark = pytest.mark.django_db


def client(role: Role) -> APIClient:
    user = User.objects.create_user(username=role.value, password="x", role=role)
    found = APIClient()
    found.force_login(user)
    return found


def a_job(**params: object) -> Job:
    return services.enqueue(kind="effect", params={"count": 3, **params})


def test_nobody_sees_jobs_without_signing_in() -> None:
    assert APIClient().get("/api/v1/jobs").status_code == 401


def test_an_annotator_neither_sees_nor_touches() -> None:
    job, api = a_job(), client(Role.ANNOTATOR)
    assert api.get(f"/api/v1/jobs/{job.pk}").status_code == 403
    for verb in ("cancel", "retry"):
        answer = api.post(f"/api/v1/jobs/{job.pk}/{verb}")
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    job.refresh_from_db()
    assert job.state == JobState.QUEUED


def test_cancel_and_retry() -> None:
    job, api = a_job(bad=["0001"]), client(Role.DATA_ENGINEER)
    answer = api.post(f"/api/v1/jobs/{job.pk}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (202, "cancelled")
    assert api.post(f"/api/v1/jobs/{job.pk}/retry").json()["state"] == "queued"
    services.run_to_end(job_id=job.pk)
    seen = api.get(f"/api/v1/jobs/{job.pk}").json()
    assert (seen["state"], seen["units_done"], seen["units_failed"]) == ("finished_with_errors", 2, 1)
    assert seen["progress"]["fraction"] == 1.0
    (failed,) = api.get(f"/api/v1/jobs/{job.pk}/units?state=failed").json()["results"]
    assert (failed["key"], failed["error_code"], failed["error"]) == ("0001", "corrupt", "0001 is corrupt.")
    assert api.post(f"/api/v1/jobs/{job.pk}/retry").json()["state"] == "running"


def test_errors_are_problems() -> None:
    api = client(Role.MANAGER)
    missing = api.get("/api/v1/jobs/999999")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert api.post("/api/v1/jobs/999999/cancel").status_code == 404
    done = services.run_to_end(job_id=a_job().pk)
    refused = api.post(f"/api/v1/jobs/{done.pk}/retry")
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_to_retry")
    assert api.get("/api/v1/jobs?state=odd").json()["code"] == "invalid_input"


def test_units_come_in_order_page_by_page() -> None:
    job, api = services.run_to_end(job_id=a_job(count=25).pk), client(Role.MANAGER)
    keys, url = [], f"/api/v1/jobs/{job.pk}/units?page_size=10"
    while url:
        page = api.get(url).json()
        keys += [unit["key"] for unit in page["results"]]
        url = page["next"]
    assert keys == [f"{number:04d}" for number in range(25)]


@pytest.mark.parametrize("count", [2, 20])
def test_the_list_takes_as_many_queries_for_few_as_for_many(
    count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(count):
        a_job()
    with django_assert_num_queries(2):
        assert len(queries.unfinished_jobs()) == count
    api = client(Role.MANAGER)
    api.get("/api/v1/jobs")
    with django_assert_num_queries(6):
        assert len(api.get("/api/v1/jobs").json()["results"]) == count


def test_progress_rate_and_time_left_come_from_units() -> None:
    job = a_job(count=10)
    now = timezone.now()
    Job.objects.filter(pk=job.pk).update(
        state=JobState.RUNNING, planned_at=now - timedelta(seconds=20), weight_total=100, weight_done=40
    )
    Unit.objects.create(
        job=job, key="a", ordinal=0, weight=20, state=UnitState.RUNNING, items_done=5, items_total=10, claim=None
    )
    found = queries.progress(queries.get_job(job.pk))
    assert (found.done, found.total, found.running) == (50.0, 100.0, 1)
    assert found.rate == pytest.approx(2.5, rel=0.05)
    assert found.seconds_left == pytest.approx(20.0, rel=0.05)
    assert queries.progress_of(queries.get_job(job.pk)) == (50, 100)
