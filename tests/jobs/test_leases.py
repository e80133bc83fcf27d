"""Claims, leases and fencing: two workers never do the same unit's work so that both count."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now

from foundation.errors import Cancelled
from jobs import execution, heart, leases, planning, reports, services
from jobs.heart import Grip
from jobs.leases import LeaseLost
from jobs.models import Job, JobState, Unit, UnitState
from jobs.unit_run import UnitRun, stopping
from tests.jobs.kinds import Effect, effects

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases of two seconds, renewed ten times as often."""
    monkeypatch.setattr(leases, "LEASE", timedelta(seconds=2))
    monkeypatch.setattr(heart, "BEAT_SECONDS", 0.2)
    monkeypatch.setattr(heart, "SAMPLE_SECONDS", 0.1)


@pytest.fixture
def no_stop() -> Iterator[None]:
    yield
    stopping.clear()


def planned(kind: str = "effect", **params: object) -> Job:
    job = services.enqueue(kind=kind, params={"count": 10, **params})
    assert execution.step(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.RUNNING
    return job


def expire(job: Job) -> None:
    Unit.objects.filter(job=job, state=UnitState.RUNNING).update(lease_expires_at=Now() - timedelta(seconds=1))


def run_of(job: Job, units: list[Unit]) -> UnitRun:
    assert units[0].claim is not None
    return UnitRun(job, units, Grip(job.pk, units[0].claim), max_attempts=3)


def in_threads(count: int, work: object) -> None:
    def body() -> None:
        try:
            work()  # type: ignore[operator]
        finally:
            connection.close()

    threads = [threading.Thread(target=body) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_workers_that_claim_at_once_get_different_units() -> None:
    job = planned(count=40)
    claimed: list[int] = []
    barrier = threading.Barrier(4)

    def claim() -> None:
        barrier.wait()
        for _ in range(5):
            claimed.extend(unit.pk for unit in leases.claim_units(job, batch=2))

    in_threads(4, claim)
    assert len(claimed) == 40 == len(set(claimed))
    assert leases.claim_units(job, batch=2) == []


def test_only_one_unit_of_a_sequential_job_is_out_at_a_time() -> None:
    job = planned("ordered")
    first = leases.claim_units(job, batch=5)
    assert [unit.key for unit in first] == ["0000"]
    assert leases.claim_units(job, batch=5) == []
    run_of(job, first).finish_rest()
    assert [unit.key for unit in leases.claim_units(job, batch=5)] == ["0001"]


def test_four_workers_end_a_job_with_every_effect_once() -> None:
    job = planned("batched", count=60, seconds=0.01)
    ends: Counter[str] = Counter()

    def work() -> None:
        while execution.step(job.pk):
            pass
        ends[Job.objects.get(pk=job.pk).state] += 1

    in_threads(4, work)
    job.refresh_from_db()
    assert (job.state, job.units_done) == (JobState.FINISHED, 60)
    assert effects() == [f"{job.pk}/{number:04d}" for number in range(60)]


def test_who_lost_the_lease_can_not_report_over_another(fast: None) -> None:
    job = planned(count=1)
    slow = leases.claim_units(job, batch=1)
    expire(job)
    assert reports.take_back_expired(job.pk, max_lost=10) == 1
    quick = leases.claim_units(job, batch=1)
    assert [unit.pk for unit in quick] == [unit.pk for unit in slow]
    for report in (
        lambda run: run.done(slow[0], {"by": "slow"}),
        lambda run: run.fail(slow[0], Cancelled("no")),
        lambda run: run.finish_rest(),
    ):
        with pytest.raises(LeaseLost):
            report(run_of(job, slow))
    run_of(job, slow).give_back_rest()
    run_of(job, quick).done(quick[0], {"by": "quick"})
    unit = job.units.get()
    assert (unit.state, unit.result, unit.lost, unit.attempts) == (UnitState.DONE, {"by": "quick"}, 1, 0)
    with pytest.raises(LeaseLost):
        run_of(job, slow).done(slow[0], {"by": "slow"})
    job.refresh_from_db()
    assert (job.units_done, job.units_failed) == (1, 0)


def test_what_was_written_beside_a_lost_report_is_rolled_back() -> None:
    job = planned(count=1)
    slow = leases.claim_units(job, batch=1)
    expire(job)
    reports.take_back_expired(job.pk, max_lost=10)
    quick = leases.claim_units(job, batch=1)
    with pytest.raises(LeaseLost):
        Effect().one(job, slow[0], run_of(job, slow))
    Effect().one(job, quick[0], run_of(job, quick))
    assert effects() == [f"{job.pk}/0000"]


def test_units_of_a_batch_whose_worker_vanished_run_alone_and_last() -> None:
    job = planned("batched", count=12)
    assert len(leases.claim_units(job, batch=8)) == 8
    expire(job)
    assert reports.take_back_expired(job.pk, max_lost=10) == 8
    assert [unit.key for unit in leases.claim_units(job, batch=8)] == ["0008", "0009", "0010", "0011"]
    assert [unit.key for unit in leases.claim_units(job, batch=8)] == ["0000"]


def test_vanished_workers_do_not_use_up_the_attempts_but_there_is_an_end() -> None:
    job = planned(count=1)
    for _ in range(5):
        Unit.objects.update(not_before=None)
        assert leases.claim_units(job, batch=1)
        expire(job)
        reports.take_back_expired(job.pk, max_lost=5)
    unit = job.units.get()
    assert (unit.state, unit.lost, unit.attempts) == (UnitState.PENDING, 5, 0)
    assert leases.claim_units(job, batch=1, patient=False)
    expire(job)
    reports.take_back_expired(job.pk, max_lost=5)
    unit.refresh_from_db()
    assert (unit.state, unit.error_code) == (UnitState.FAILED, "worker_lost")
    job.refresh_from_db()
    assert (job.units_failed, job.weight_done) == (1, 2)


def test_the_heart_keeps_a_long_unit_leased(fast: None) -> None:
    job = planned(count=1, seconds=4.5)
    worker = threading.Thread(target=in_threads, args=(1, lambda: execution.step(job.pk)))
    worker.start()
    stolen = 0
    while worker.is_alive():
        stolen += reports.take_back_expired(job.pk, max_lost=10)
        time.sleep(0.1)
    worker.join()
    assert stolen == 0
    assert job.units.get().state == UnitState.DONE


def test_a_running_unit_stops_when_its_job_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    running, cancelled, one = threading.Event(), threading.Event(), Effect.one

    def second_held(self: Effect, job: Job, unit: Unit, run: UnitRun) -> None:
        if effects():
            running.set()
            assert cancelled.wait(60)
        one(self, job, unit, run)

    monkeypatch.setattr(Effect, "one", second_held)
    job = planned(count=50, seconds=0.2)
    worker = threading.Thread(target=in_threads, args=(1, lambda: [execution.step(job.pk) for _ in range(50)]))
    worker.start()
    assert running.wait(60)
    assert services.cancel(job_id=job.pk).cancelling
    cancelled.set()
    worker.join()
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED
    states = Counter(job.units.values_list("state", flat=True))
    assert states["done"] + states["cancelled"] == 50 and states["cancelled"] > 40
    assert len(effects()) == states["done"] == job.units_done
    services.retry_failed(job_id=job.pk)
    Job.objects.filter(pk=job.pk).update(params={"count": 50})
    assert services.run_to_end(job_id=job.pk).state == JobState.FINISHED
    assert len(effects()) == 50


def test_cancel_waits_for_no_dead_worker() -> None:
    job = planned(count=3)
    leases.claim_units(job, batch=1)
    assert services.cancel(job_id=job.pk).state == JobState.RUNNING
    expire(job)
    assert not execution.step(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED


def test_a_stopping_worker_gives_its_unit_back(no_stop: None) -> None:
    job = planned(count=2)
    stopping.set()
    assert execution.step(job.pk)
    assert set(job.units.values_list("state", "attempts", "lost")) == {("pending", 0, 0)}
    stopping.clear()
    assert services.run_to_end(job_id=job.pk).state == JobState.FINISHED


class Killed(BaseException):
    """Stands for SIGKILL: nothing gets to clean up behind it."""


def test_a_planning_that_is_killed_midway_goes_on_without_doubling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "CHUNK", 7)
    job = services.enqueue(kind="effect", params={"count": 40})
    whole = planning._write
    chunks = 0

    def die_at_the_third(*args: object) -> int:
        nonlocal chunks
        chunks += 1
        if chunks == 3:
            raise Killed
        return whole(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(planning, "_write", die_at_the_third)
    with pytest.raises(Killed):
        execution.step(job.pk)
    job.refresh_from_db()
    assert (job.state, job.units.count()) == (JobState.PLANNING, 14)
    assert not execution.step(job.pk), "its lease has not run out"
    Job.objects.update(lease_expires_at=Now() - timedelta(seconds=1))
    done = services.run_to_end(job_id=job.pk)
    assert (done.state, done.units_total, done.units_done) == (JobState.FINISHED, 40, 40)
    assert effects() == [f"{job.pk}/{number:04d}" for number in range(40)]
    assert list(job.units.order_by("ordinal").values_list("ordinal", flat=True)) == list(range(40))


def test_a_planner_whose_lease_was_taken_over_writes_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    job = services.enqueue(kind="effect", params={"count": 10})
    token = leases.claim_planning(job.pk)
    assert token is not None
    assert leases.claim_planning(job.pk) is None
    Job.objects.update(lease_expires_at=Now() - timedelta(seconds=1))
    assert leases.claim_planning(job.pk) is not None
    with pytest.raises(LeaseLost):
        planning.plan(Effect(), job, Grip(job.pk, token))
    assert job.units.count() == 0


def test_finish_is_called_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    job = planned(count=1)
    run_of(job, units := leases.claim_units(job, batch=1)).done(units[0])
    calls: list[int] = []

    def finish(self: Effect, job: Job) -> dict[str, int]:
        calls.append(job.pk)
        time.sleep(0.3)
        return {"calls": len(calls)}

    monkeypatch.setattr(Effect, "finish", finish)
    in_threads(4, lambda: execution.step(job.pk))
    job.refresh_from_db()
    assert (calls, job.state, job.result) == ([job.pk], JobState.FINISHED, {"calls": 1})


def test_a_finish_that_fails_is_tried_again_then_fails_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def finish(self: Effect, job: Job) -> dict[str, int]:
        calls.append(job.pk)
        if len(calls) < 5:
            raise OSError("gone")
        return {}

    monkeypatch.setattr(Effect, "finish", finish)
    job = services.run_to_end(job_id=services.enqueue(kind="effect", params={"count": 1}).pk)
    assert (job.state, job.error_code, len(calls)) == (JobState.FAILED, "unexpected_error", 3)
    services.retry_failed(job_id=job.pk)
    assert services.run_to_end(job_id=job.pk).state == JobState.FINISHED
