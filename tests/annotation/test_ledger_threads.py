"""Four people say whatever they like about the same few faces at the same moment, over connections of their own: every
one of their decisions is in the ledger once, in the order in which they made them, and what is derived follows."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import numpy as np
import pytest
from django.db import connection

from accounts.models import User
from annotation.ledger.entries import Kind
from annotation.models import Decision, Face, Identity, Label
from annotation.services.decisions import By
from annotation.services.identities import name_person
from annotation.services.labels import refresh_labels
from foundation.errors import LoupeError
from jobs import services as jobs
from jobs.models import UNFINISHED, Job
from mining.models import ReviewBatch, ReviewItem
from mining.services.answers import answer_item
from tests.annotation.decisions.world import THRESHOLDS, make_world, user
from tests.annotation.machine import checks, sayings

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE, SAID = 4, 30


@pytest.fixture
def batch() -> ReviewBatch:
    """Questions about eight faces of three people."""
    world = make_world()
    rng = np.random.default_rng(3)
    for _ in range(3):
        world.add_person(3)
    world.cluster(**THRESHOLDS)
    made = ReviewBatch.objects.create(strategy="any", asks="pair", overlap=2)
    faces = list(Face.objects.values_list("pk", flat=True))
    for ordinal in range(8):
        pair = rng.choice(faces, 2, replace=False).tolist()
        made.items.create(ordinal=ordinal, faces=pair, value=1, settles=2, why="w")
    return made


def keep_talking(who: User, begin: Barrier) -> list[str]:
    """Marks of what was done, in order; each is in the evidence of the entries that it made."""
    rng, done = random.Random(who.pk), []
    begin.wait(60)
    try:
        for number in range(SAID):
            mark = f"{who.username} {number}"
            try:
                say_something(rng, who, mark)
                done.append(mark)
            except LoupeError:
                continue  # merged or answered meanwhile, or changed since this one looked
    finally:
        connection.close()
    return done


def say_something(rng: random.Random, who: User, mark: str) -> None:
    by = By(who, evidence={"mark": mark})
    match rng.randrange(6):
        case 0:
            person = Identity.objects.get(pk=sayings.some_person(rng))
            evidence = {"mark": mark, "person": person.pk, "seen": person.revision}
            name_person(identity_id=person.pk, name=mark, by=By(who, None, evidence, person.revision))
        case 1:
            item = rng.choice(list(ReviewItem.objects.order_by("pk")))
            answer_item(user=who, item_id=item.pk, answer=rng.choice(("same", "different")))
        case 2:
            rng.choice(sayings.TAKING_BACK)(rng, by)
        case _:
            rng.choice(sayings.STATEMENTS)(rng, by)


def keep_refreshing(begin: Barrier, talking: Callable[[], bool]) -> int:
    begin.wait(60)
    rounds = 0
    try:
        while talking():
            refresh_labels()
            rounds += 1
    finally:
        connection.close()
    return rounds


def test_whatever_four_people_say_at_once_is_kept_in_order(batch: ReviewBatch) -> None:
    users = [user(f"person{n}", role) for n, role in enumerate(("annotator", "annotator", "data_engineer", "manager"))]
    begin = Barrier(PEOPLE + 1)
    with ThreadPoolExecutor(PEOPLE + 1) as pool:
        talking = [pool.submit(keep_talking, who, begin) for who in users]
        refreshing = pool.submit(keep_refreshing, begin, lambda: not all(one.done() for one in talking))
        done = {who.pk: one.result(120) for who, one in zip(users, talking, strict=True)}
        assert refreshing.result(60) > 0
    finish_jobs()
    entries = list(Decision.objects.order_by("pk"))
    check_order(entries, done)
    check_revisions(entries)
    oracle = checks.read_ledger()
    previous = checks.last_persons()
    before = {label.face_id: label for label in Label.objects.all()}
    refresh_labels()
    checks.check_labels(oracle, previous, before)
    checks.check_people(oracle)
    checks.check_clusters()
    checks.check_questions(oracle)


def finish_jobs() -> None:
    while (job := Job.objects.filter(state__in=UNFINISHED).order_by("id").first()) is not None:
        jobs.run_to_end(job_id=job.pk)


def check_order(entries: list[Decision], done: dict[int, list[str]]) -> None:
    """What somebody did is there, once, in their order; nothing is there that was refused; takings back come later."""
    for who, marks in done.items():
        found = [one.evidence.get("mark", "") for one in entries if one.actor_id == who]
        in_ledger = [mark for mark in dict.fromkeys(found) if mark]
        assert in_ledger == [mark for mark in marks if mark in in_ledger]
        assert set(in_ledger) <= set(marks)
    by_mark: dict[str, set[Any]] = defaultdict(set)
    for one in entries:
        if one.evidence.get("mark"):
            by_mark[one.evidence["mark"]].add(one.action)
        assert one.reverts_id is None or one.reverts_id < one.pk
    assert all(len(actions) == 1 for actions in by_mark.values())


def check_revisions(entries: list[Decision]) -> None:
    """No change of a person was lost: as many as there were actions; and of those who saw one state, one was let in."""
    seen = Counter((one.evidence["person"], one.evidence["seen"]) for one in entries if one.evidence.get("seen"))
    seen_once = {one.action for one in entries if "seen" in one.evidence}
    assert len(seen_once) >= len(seen) > 0
    winners: dict[tuple[int, int], set[Any]] = defaultdict(set)
    for one in entries:
        if "seen" in one.evidence:
            winners[one.evidence["person"], one.evidence["seen"]].add(one.action)
    assert all(len(actions) == 1 for actions in winners.values())
    by_id = {one.pk: one for one in entries}
    touched: dict[int, set[Any]] = defaultdict(set)
    for one in entries:
        meant = one
        while meant.kind == Kind.REVERT:
            meant = by_id[meant.reverts_id or 0]
        for person in {meant.identity_id, meant.into_id} - {None}:
            touched[person].add(one.action)
    for person, revision in Identity.objects.values_list("pk", "revision"):
        assert revision == len(touched[person]), person
