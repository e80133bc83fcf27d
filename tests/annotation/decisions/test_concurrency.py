"""People decide while labels are being made anew: nobody waits long, nothing is lost."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from annotation.models import Decision, Identity, Label
from annotation.queries.decisions import ledger_end
from annotation.services import labels
from annotation.services.decisions import By, undo
from annotation.services.identities import assign_faces, merge_people, name_person, set_aside
from foundation.errors import LoupeError
from jobs import services as jobs
from jobs.models import UNFINISHED, Job
from tests.annotation.decisions.world import World, label_of, make_world, user, who

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    made = make_world(6, 5, 4)
    made.cluster()
    return made


@pytest.fixture
def elsewhere() -> Iterator[Callable[..., Future[Any]]]:
    """Run a function in a thread with a connection of its own."""

    def within(function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        yield lambda function, *arguments: pool.submit(within, function, *arguments)


def finish_jobs() -> None:
    while (job := Job.objects.filter(state__in=UNFINISHED).order_by("id").first()) is not None:
        jobs.run_to_end(job_id=job.pk)


def test_a_person_does_not_wait_for_a_recomputation_and_is_not_overwritten_by_it(
    world: World, elsewhere: Callable[..., Future[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    written, go_on = threading.Event(), threading.Event()
    refresh_people = labels.refresh_people

    def slowly(*arguments: Any, **options: Any) -> None:
        written.set()
        assert go_on.wait(60)
        refresh_people(*arguments, **options)

    by = By(user())
    people = [who()[faces[0]] for faces in world.people]
    Label.objects.update(confidence=0.5)  # so that the recomputation rewrites every label
    monkeypatch.setattr(labels, "refresh_people", slowly)
    running = elsewhere(labels.refresh_labels)
    assert written.wait(60)
    set_aside(faces=world.people[0][:1], kind="ignore", by=by)
    assign_faces(faces=world.people[0][1:2], identity_id=people[1], by=by)
    name_person(identity_id=people[2], name="Anna", by=by)
    assert not running.done()
    go_on.set()
    running.result(60)
    assert Identity.objects.get(pk=people[2]).name == "Anna"
    monkeypatch.undo()
    finish_jobs()
    assert label_of(world.people[0][0]).reason == "ignored"
    assert label_of(world.people[0][1]).identity_id == people[1]
    assert labels.refresh_labels().changed == 0


def test_a_recomputation_waits_for_the_decision_that_is_being_written(
    world: World, elsewhere: Callable[..., Future[Any]]
) -> None:
    decided, commit = threading.Event(), threading.Event()
    by = By(user())

    def decide_slowly() -> None:
        with transaction.atomic():
            set_aside(faces=world.people[0][:1], kind="ignore", by=by)
            decided.set()
            assert commit.wait(60)

    writing = elsewhere(decide_slowly)
    assert decided.wait(60)
    running = elsewhere(labels.refresh_labels)
    time.sleep(0.3)
    assert not running.done()
    commit.set()
    writing.result(60)
    assert running.result(60).upto == ledger_end() > 0


def test_many_people_at_once_end_in_one_consistent_state(world: World, elsewhere: Callable[..., Future[Any]]) -> None:
    everybody = [By(user(f"person{n}")) for n in range(3)]
    people = [who()[faces[0]] for faces in world.people]
    faces = [face for theirs in world.people for face in theirs]
    stop = threading.Event()

    def keep_deciding(by: By, seed: int) -> int:
        rng = random.Random(seed)
        done = 0
        for _ in range(25):
            try:
                match rng.randrange(5):
                    case 0:
                        set_aside(faces=rng.sample(faces, 2), kind="ignore", by=by)
                    case 1:
                        name_person(identity_id=rng.choice(people), name=f"Name {seed}", by=by)
                    case 2:
                        merge_people(identity_id=people[0], into_id=people[1], by=by)
                    case 3:
                        undo(user=by.user)
                    case _:
                        assign_faces(faces=rng.sample(faces, 2), identity_id=rng.choice(people), by=by)
                done += 1
            except LoupeError:
                continue  # merged meanwhile, or nothing to undo
        return done

    def keep_refreshing() -> int:
        rounds = 0
        while not stop.is_set():
            labels.refresh_labels()
            rounds += 1
        return rounds

    refreshing = elsewhere(keep_refreshing)
    deciding = [elsewhere(keep_deciding, by, seed) for seed, by in enumerate(everybody)]
    done = sum(future.result(60) for future in deciding)
    stop.set()
    assert refreshing.result(60) > 0
    assert done > 30
    assert Decision.objects.values("action").distinct().count() == done
    finish_jobs()
    assert labels.refresh_labels().changed == 0


def test_nobody_waits_for_whoever_makes_the_job_and_it_is_made_even_if_they_give_up(
    world: World, elsewhere: Callable[..., Future[Any]]
) -> None:
    by, other = By(user()), By(user("other"))
    asked, give_up = threading.Event(), threading.Event()

    def decide_and_give_up() -> None:
        with transaction.atomic():
            set_aside(faces=world.people[0][:1], kind="ignore", by=by)
            asked.set()
            assert give_up.wait(60)
            transaction.set_rollback(True)

    first = elsewhere(decide_and_give_up)
    assert asked.wait(60)
    with transaction.atomic():
        set_aside(faces=world.people[1][:1], kind="ignore", by=other)
        assert not first.done()
        assert not Job.objects.filter(kind="labels").exists()
        give_up.set()
        first.result(60)
    assert Job.objects.filter(kind="labels", created_by=other.user).count() == 1
    finish_jobs()
    assert label_of(world.people[1][0]).reason == "ignored"
    assert label_of(world.people[0][0]).reason == ""
