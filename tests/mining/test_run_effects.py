"""What a run's answers changed, against a slow count of who was whom before and after."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.models import ClusterMember, ClusterRun, DatasetVersion, Decision, Label
from annotation.services.decisions import decide, undo
from annotation.services.labels import refresh_labels
from jobs import services as jobs
from jobs.models import Job
from mining.models import ReviewBatch
from mining.run_effects import effects_of
from mining.services.answers import answer_item
from mining.services.runs import start_mining
from models_zoo.models import Evaluation
from tests.annotation.decisions.world import World, make_world, release, user, who

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    """Three pairs of people who may be one; the second pair is."""
    made = make_world()
    rng = np.random.default_rng(3)
    for n, size in enumerate((6, 4, 7, 3, 5, 2)):
        centre = made.direction((n // 2, 1.0), (6 + n, 1.0 if n % 2 else 0.2))
        made.people.append(made.add_faces(centre + rng.normal(0, 0.015, (size, 32))))
    made.cluster(core_distance=0.1, merge_similarity=0.72)
    return made


def mined(world: World) -> Job:
    """A run with three questions: are the two of each pair one?"""
    job = jobs.run_to_end(job_id=start_mining(user=None, strategies=["merges"], gold=0).pk)
    ReviewBatch.objects.filter(job=job).delete()
    run = ClusterRun.objects.get(current=True)
    batch = ReviewBatch.objects.create(strategy="pairs_near_threshold", job=job, run=run)
    for n in range(3):
        few, many = sorted(world.people[2 * n : 2 * n + 2], key=len)
        batch.items.create(ordinal=n, faces=[few[0], many[0]], value=3 - n, settles=len(few), why="w")
    return job


def purity_of(run: ClusterRun) -> float:
    """Share of confirmed faces that belong to the majority of their cluster, one by one."""
    person = dict(Label.objects.filter(source="human").exclude(identity=None).values_list("face_id", "identity_id"))
    clusters: dict[Any, list[int]] = {}
    for member in ClusterMember.objects.filter(run=run, face__in=person):
        clusters.setdefault(member.cluster_id or -member.face_id, []).append(person[member.face_id])
    right = sum(max(map(people.count, people)) for people in clusters.values())
    return right / sum(map(len, clusters.values()))


def test_labels_that_moved_are_counted_face_by_face(world: World) -> None:
    job, anna = mined(world), user()
    assert effects_of(job.pk).labels.decisions == 0 and effects_of(job.pk).labels.since is None
    before = who()
    first, second, third = ReviewBatch.objects.get(job=job).items.order_by("ordinal")
    answer_item(user=anna, item_id=first.pk, answer="different")
    answer_item(user=anna, item_id=second.pk, answer="same")
    refresh_labels()
    after = who()
    moved = sum(after[face] != before[face] for face in before)
    labels = effects_of(job.pk).labels
    assert (labels.moved, labels.joined, labels.apart, labels.split) == (moved, 1, 1, 0)
    assert moved == second.settles == 3
    assert labels.decisions == Decision.objects.count() and labels.since == Decision.objects.earliest("pk").created_at
    resting = Label.objects.filter(decision__in=Decision.objects.all()).count()
    assert labels.resting == resting > 0
    undo(user=anna)
    labels = effects_of(job.pk).labels
    assert (labels.moved, labels.joined, labels.apart) == (0, 0, 1)
    answer_item(user=anna, item_id=third.pk, answer="same")
    assert effects_of(job.pk).labels.moved == third.settles


def test_purity_is_of_the_clusters_before_and_after(world: World) -> None:
    job, anna = mined(world), user()
    mixed = ClusterRun.objects.get(current=True)
    item = ReviewBatch.objects.get(job=job).items.get(ordinal=0)
    answer_item(user=anna, item_id=item.pk, answer="different")
    sides = [world.people[0], world.people[1][:2]]
    cluster = ClusterMember.objects.get(run=mixed, face=sides[0][0]).cluster
    ClusterMember.objects.filter(run=mixed, face__in=sides[0] + sides[1]).update(cluster=cluster)
    for faces in sides:
        decide(user=anna, kind="assign", faces=faces, identity=who()[faces[0]])
    found = effects_of(job.pk).purity
    assert (found.after, found.runs) == (None, (mixed.pk, None))
    assert found.before == pytest.approx(purity_of(mixed)) and found.before == 6 / 8 and found.faces == (8, 0)
    world.cluster(core_distance=0.1, merge_similarity=0.9)
    later = ClusterRun.objects.get(current=True)
    found = effects_of(job.pk).purity
    assert found.runs == (mixed.pk, later.pk) and found.after is not None
    assert found.before == pytest.approx(purity_of(mixed)) and found.after == pytest.approx(purity_of(later))


def test_the_model_is_the_first_that_learned_from_the_answers(world: World) -> None:
    job, anna = mined(world), user()
    old = version(1, last=0)
    items = list(ReviewBatch.objects.filter(job=job).get().items.order_by("ordinal"))
    answer_item(user=anna, item_id=items[0].pk, answer="different")
    assert effects_of(job.pk).model.version is None
    first = version(2, last=Decision.objects.latest("pk").pk)
    assert (effects_of(job.pk).model.version, effects_of(job.pk).model.whole) == (first, True)
    answer_item(user=anna, item_id=items[1].pk, answer="different")
    version(3, last=Decision.objects.latest("pk").pk)
    start, made = release("embedder"), release("embedder")
    made.parent, made.dataset_digest = start, first.digest
    made.save()
    for one, value in ((start, 0.8), (made, 0.9)):
        for data, split in ((first.digest, "val_blackbox"), (first.digest, "test"), (old.digest, "val_blackbox")):
            metrics = {"slices": {"clean": {"tar@1e-3": value if data == first.digest and split != "test" else 0.1}}}
            Evaluation.objects.create(release=one, dataset="people", dataset_digest=data, split=split, metrics=metrics)
    with CaptureQueriesContext(connection) as caught:
        model = effects_of(job.pk).model
    assert len(caught) <= 9
    assert (model.version, model.whole, model.release) == (first, False, made)
    assert model.before == {"slices": {"clean": {"tar@1e-3": 0.8}}}
    assert model.after == {"slices": {"clean": {"tar@1e-3": 0.9}}}


def version(number: int, *, last: int) -> DatasetVersion:
    return DatasetVersion.objects.create(
        name="people", version=number, state="published", digest=str(number) * 64, last_decision_id=last
    )
