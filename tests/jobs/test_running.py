"""Jobs from enqueue to end, in one process."""

from __future__ import annotations

import pytest

from foundation.errors import Conflict, InvalidInput, NotFound
from jobs import queries, services
from jobs.models import Job, JobState, Unit, UnitState
from tests.jobs.kinds import effects

pytestmark = pytest.mark.django_db


def run(kind: str, **params: object) -> Job:
    return services.run_to_end(job_id=services.enqueue(kind=kind, params=params).pk)


def states(job: Job) -> dict[str, str]:
    return dict(job.units.values_list("key", "state"))


@pytest.mark.parametrize("kind", ["effect", "batched", "ordered"])
def test_every_unit_runs_once_and_is_counted(kind: str) -> None:
    job = run(kind, count=21)
    assert job.state == JobState.FINISHED
    assert effects() == [f"{job.pk}/{number:04d}" for number in range(21)]
    assert (job.units_total, job.units_done, job.units_failed) == (21, 21, 0)
    assert (job.weight_total, job.weight_done) == (42, 42)
    assert job.result == {"done": 21}
    assert [unit.result for unit in job.units.order_by("ordinal")] == [{"number": number} for number in range(21)]
    assert job.finished_at is not None and job.peak_rss_mb > 0


def test_a_job_without_units_finishes() -> None:
    job = run("effect", count=0)
    assert (job.state, job.result) == (JobState.FINISHED, {"done": 0})


def test_a_part_that_failed_is_an_error_of_the_job_and_tried_again() -> None:
    job = run("effect", count=5, flawed=["0002"])
    assert (job.state, job.units_done, job.units_failed, job.result) == ("finished_with_errors", 5, 0, {"done": 5})
    (unit,) = queries.units_of(job.pk, with_errors=True)
    assert (unit.key, unit.state, unit.error_code) == ("0002", "done", "corrupt")
    assert queries.error_summary(job.pk) == [("corrupt", 1)]
    Job.objects.filter(pk=job.pk).update(params={"count": 5})
    again = services.run_to_end(job_id=services.retry_failed(job_id=job.pk).pk)
    assert (again.state, again.units_done) == ("finished", 5)
    assert len(effects()) == 6
    assert not queries.units_of(job.pk, with_errors=True)


@pytest.mark.parametrize("kind", ["effect", "batched"])
def test_bad_units_fail_alone_and_retry_runs_only_them(kind: str) -> None:
    job = run(kind, count=20, bad=["0003", "0011"])
    assert job.state == JobState.FINISHED_WITH_ERRORS
    assert (job.units_done, job.units_failed, job.weight_done) == (18, 2, 40)
    failed = list(job.units.filter(state=UnitState.FAILED).order_by("key"))
    assert [(unit.key, unit.error_code, unit.error) for unit in failed] == [
        ("0003", "corrupt", "0003 is corrupt."),
        ("0011", "corrupt", "0011 is corrupt."),
    ]
    assert all(unit.attempts == 1 for unit in failed), "a permanent error is not tried again"
    Job.objects.filter(pk=job.pk).update(params={"count": 20})
    job = services.retry_failed(job_id=job.pk)
    assert (job.state, job.units_failed, job.weight_done) == (JobState.RUNNING, 0, 36)
    job = services.run_to_end(job_id=job.pk)
    assert (job.state, job.units_done, job.units_failed) == (JobState.FINISHED, 20, 0)
    assert effects() == [f"{job.pk}/{number:04d}" for number in range(20)]


def test_errors_that_may_pass_are_tried_again_but_not_for_ever() -> None:
    job = run("effect", count=3, shaky={"0001": 2, "0002": 3})
    assert job.state == JobState.FINISHED_WITH_ERRORS
    assert states(job) == {"0000": "done", "0001": "done", "0002": "failed"}
    assert dict(job.units.values_list("key", "attempts")) == {"0000": 0, "0001": 2, "0002": 3}
    assert job.units.get(key="0001").error == "", "a unit that is done shows no old error"


def test_all_units_failing_fails_the_job() -> None:
    job = run("effect", count=2, bad=["0000", "0001"])
    assert (job.state, job.error_code) == (JobState.FAILED, "corrupt")


def test_a_sequential_job_stops_at_the_first_failure_and_goes_on_from_there() -> None:
    job = run("ordered", count=4, bad=["0001"])
    assert job.state == JobState.FAILED
    assert states(job) == {"0000": "done", "0001": "failed", "0002": "pending", "0003": "pending"}
    Job.objects.filter(pk=job.pk).update(params={"count": 4})
    services.retry_failed(job_id=job.pk)
    assert services.run_to_end(job_id=job.pk).state == JobState.FINISHED
    order = list(job.units.order_by("ended_at").values_list("key", flat=True))
    assert order == ["0000", "0001", "0002", "0003"]


def test_a_unit_sleeps_until_its_child_job_has_ended() -> None:
    job = run("parent", children=2, count=3)
    assert job.state == JobState.FINISHED
    children = list(job.children.order_by("pk"))
    assert [child.state for child in children] == [JobState.FINISHED] * 2
    assert len(effects()) == 6
    assert all(unit.attempts == 0 and unit.lost == 0 for unit in job.units.all())


def test_unfinished_jobs_of_one_key_are_one_job() -> None:
    first = services.enqueue(kind="effect", params={"count": 1}, key="album:7")
    assert services.enqueue(kind="effect", params={"count": 1}, key="album:7").pk == first.pk
    assert services.enqueue(kind="effect", params={"count": 1}).pk != first.pk
    services.run_to_end(job_id=first.pk)
    assert services.enqueue(kind="effect", params={"count": 1}, key="album:7").pk != first.pk


def test_retry_is_refused_where_it_would_do_nothing_or_the_work_twice() -> None:
    job = run("effect", count=1)
    with pytest.raises(Conflict) as caught:
        services.retry_failed(job_id=job.pk)
    assert caught.value.code == "nothing_to_retry"
    failed = services.run_to_end(
        job_id=services.enqueue(kind="effect", params={"count": 1, "bad": ["0000"]}, key="k").pk
    )
    services.enqueue(kind="effect", params={"count": 1}, key="k")
    with pytest.raises(Conflict) as caught:
        services.retry_failed(job_id=failed.pk)
    assert caught.value.code == "already_running"


def test_unknown_jobs_and_kinds() -> None:
    with pytest.raises(InvalidInput):
        services.enqueue(kind="nonsense", params={})
    with pytest.raises(NotFound):
        services.cancel(job_id=10**9)


def test_cancelling_what_has_not_begun_is_at_once_and_can_be_taken_up_again() -> None:
    job = services.enqueue(kind="effect", params={"count": 5})
    assert services.cancel(job_id=job.pk).state == JobState.CANCELLED
    assert services.cancel(job_id=job.pk).state == JobState.CANCELLED
    assert services.retry_failed(job_id=job.pk).state == JobState.QUEUED
    assert services.run_to_end(job_id=job.pk).state == JobState.FINISHED
    assert len(effects()) == 5


def test_cancelling_a_parent_cancels_its_children() -> None:
    from jobs import execution

    job = services.enqueue(kind="parent", params={"children": 1, "count": 3})
    while not job.children.exists():
        execution.step(job.pk, patient=False)
    assert job.units.get().state == UnitState.WAITING
    services.cancel(job_id=job.pk)
    assert set(Job.objects.values_list("state", flat=True)) == {JobState.CANCELLED}
    assert set(Unit.objects.values_list("state", flat=True)) <= {UnitState.CANCELLED}
