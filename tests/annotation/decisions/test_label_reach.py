"""Labels made anew only where news can change them are those of a recomputation of everything."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from annotation.models import Cluster, Collection, CollectionPhoto, Constraint, Decision, Face, Identity, Label
from annotation.queries import label_reach
from annotation.queries.cluster_pages import current_run
from annotation.queries.decisions import ledger_end, ledger_entries, ledger_state
from annotation.queries.label_reach import find_reach
from annotation.services import direct_labels
from annotation.services.clusters import confirm_cluster
from annotation.services.decisions import By, redo, revert, undo
from annotation.services.identities import answer_pair, assign_faces, merge_people, name_person, reject_faces, set_aside
from annotation.services.labels import refresh_labels
from foundation.errors import LoupeError
from jobs import services as jobs
from jobs.models import Job
from tests.annotation.decisions.world import World, make_world, user, who

pytestmark = pytest.mark.django_db


def derived() -> dict[str, list[Any]]:
    """Everything that follows from the ledger and a run."""
    return {
        "labels": list(
            Label.objects.order_by("face").values_list(
                "face", "identity", "source", "confidence", "reason", "decision", "run"
            )
        ),
        "clusters": list(Cluster.objects.order_by("pk").values_list("pk", "identity")),
        "people": list(
            Identity.objects.order_by("pk").values_list("pk", "name", "merged_into", "faces_count", "cover")
        ),
        "pairs": list(
            Constraint.objects.order_by("face_a", "face_b", "decision").values_list(
                "kind", "face_a", "face_b", "decision"
            )
        ),
    }


def attempt(since: int | None) -> dict[str, list[Any]]:
    """What refreshing leads to, taken back; new people are numbered from the last one there is."""
    last = Identity.objects.order_by("-pk").values_list("pk", flat=True)[0]
    with transaction.atomic():
        refresh_labels(since=since)
        found = derived()
        transaction.set_rollback(True)
    numbers = {row[0]: at for at, row in enumerate((row for row in found["people"] if row[0] > last), start=last + 1)}
    named = {"labels": (1,), "clusters": (1,), "people": (0, 2), "pairs": ()}
    return {
        name: [
            tuple(numbers.get(value, value) if at in named[name] else value for at, value in enumerate(row))
            for row in rows
        ]
        for name, rows in found.items()
    }


def a_world(seed: int) -> World:
    """People of several clusters each, some faces in a profile, some in one photo with another."""
    rng = random.Random(seed)
    world = make_world(*(rng.randint(1, 6) for _ in range(9)), seed=seed)
    profile = Collection.objects.create(name="profile", slug="profile", prior=Collection.Prior.PROFILE)
    for face in rng.sample([face for faces in world.people[:4] for face in faces], 5):
        photo = Face.objects.get(pk=face).photo
        CollectionPhoto.objects.create(collection=profile, photo=photo, path=f"{face}.jpg")
    world.cluster()
    return world


def say_something(rng: random.Random, world: World, by: By) -> None:
    faces = [face for theirs in world.people for face in theirs]
    people = list(Identity.objects.values_list("pk", flat=True))
    one, other = rng.sample(people, 2)
    decisions = list(Decision.objects.values_list("pk", flat=True)) or [0]
    sayings: list[Callable[[], Any]] = [
        lambda: confirm_cluster(cluster_id=rng.choice(list(current_run().clusters.all())).pk, by=by),  # type: ignore[union-attr]
        lambda: answer_pair(
            face_a=rng.choice(faces[:20]), face_b=rng.choice(faces[20:]), same=rng.random() < 0.5, by=by
        ),
        lambda: set_aside(faces=rng.sample(faces, 2), kind=rng.choice(["ignore", "not_a_face"]), by=by),
        lambda: assign_faces(faces=rng.sample(faces, 2), identity_id=rng.choice([one, None]), by=by),
        lambda: merge_people(identity_id=one, into_id=other, by=by),
        lambda: name_person(identity_id=one, name=rng.choice(["Anna", "Bea", ""]), by=by),
        lambda: reject_faces(identity_id=one, faces=[rng.choice(faces)], by=by),
        lambda: undo(user=by.user),  # type: ignore[arg-type]
        lambda: redo(user=by.user),  # type: ignore[arg-type]
        lambda: revert(user=by.user, decision_id=rng.choice(decisions)),
    ]
    try:
        with transaction.atomic():
            rng.choice(sayings)()
    except LoupeError:
        return  # merged meanwhile, or nothing to undo


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_the_labels_within_reach_are_those_of_a_full_recomputation(
    seed: int, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not at_once:  # as where decisions are too large to be shown at once: all is left to the job
        monkeypatch.setattr(direct_labels, "MAX_FACES", 0)
    rng, world, by = random.Random(seed), a_world(seed), By(user())
    settled = refresh_labels().settled
    for _ in range(12):
        for _ in range(rng.randint(1, 4)):
            say_something(rng, world, by)
        [everything, some] = [attempt(since) for since in (None, settled)]
        assert some == everything
        done = refresh_labels(since=settled)
        settled = done.settled
        assert settled == done.upto == ledger_end()
        # A cluster all of whose faces are not its person finds no rest: one more look gives it another.
        if refresh_labels().changed and refresh_labels().changed:
            return
        if rng.random() < 0.15:
            world.cluster()


def test_reach_ends_where_nothing_hangs_together() -> None:
    world, by = make_world(5, 4, 3, 6), By(user())
    labels = world.cluster()
    settled = refresh_labels().settled
    merge_people(identity_id=labels[world.people[0][0]] or 0, into_id=labels[world.people[1][0]] or 0, by=by)
    found = find_reach(ledger_entries(), ledger_state(), since=settled, run=current_run())
    assert found is not None
    assert found.faces == {*world.people[0], *world.people[1]}
    assert found.persons == {labels[faces[0]] for faces in world.people[:2]}
    some = refresh_labels(since=settled)
    assert some.faces == 9


def test_beyond_the_limit_everything_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    world, by = make_world(5, 4), By(user())
    labels = world.cluster()
    settled = refresh_labels().settled
    monkeypatch.setattr(label_reach, "MOST", 3)
    name_person(identity_id=labels[world.people[0][0]] or 0, name="Anna", by=by)
    assert refresh_labels(since=settled).faces == 9


def test_the_job_goes_on_from_the_clustering_or_the_last_one_and_waits_a_little() -> None:
    world, by = make_world(5, 4), By(user())
    world.cluster()
    faces = []
    for person in world.people:
        set_aside(faces=person[:1], kind="ignore", by=by)
        set_aside(faces=person[1:2], kind="ignore", by=by)
        [job] = Job.objects.filter(kind="labels", started_at=None)
        assert job.not_before is not None and job.not_before - job.created_at > timedelta(seconds=0.9)
        done = jobs.run_to_end(job_id=job.pk)
        assert done.result is not None and done.result["settled"] == ledger_end()
        faces.append(done.result["faces"])
    assert faces == [5, 4]  # of the person whom it is about; the clustering had made the others
    assert who()[world.people[1][0]] is None
