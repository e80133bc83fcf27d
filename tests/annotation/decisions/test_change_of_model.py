"""Another model sees the same faces: people keep their ids, names and what was said about them."""

from __future__ import annotations

import io

import numpy as np
import pytest

from annotation.models import CropPack, Decision, EmbeddingSpace, Face, Identity, Label, PackVectors
from annotation.queries.vectors import load_vectors
from annotation.services import spaces
from annotation.services.arrivals import join_new_faces
from annotation.services.clustering_runs import run_clustering
from annotation.services.decisions import By
from annotation.services.identities import assign_faces, merge_people, name_person, reject_faces, set_aside
from foundation import blobs
from tests.annotation.decisions.world import THRESHOLDS, World, make_world, release, user, who

pytestmark = pytest.mark.django_db
DIMENSION = 48


def another_model(world: World, *, seed: int) -> EmbeddingSpace:
    """A release with more dimensions, other axes and another opinion of every face, which goes live."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(DIMENSION, world.space.dimension)))[0]
    made = release("embedder")
    made.preprocessing = {"output_dimension": DIMENSION}
    made.save()
    space = spaces.create_space(release=made)
    loaded = load_vectors(world.space)
    turned = dict(zip(loaded.face_ids.tolist(), loaded.vectors @ axes.T, strict=True))
    for pack in CropPack.objects.all():
        faces = list(Face.objects.filter(pack=pack).order_by("row").values_list("pk", flat=True))
        rows = np.stack([turned[face] for face in faces]) + rng.normal(0, 0.02, (len(faces), DIMENSION))
        buffer = io.BytesIO()
        np.save(buffer, (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32))
        PackVectors.objects.create(space=space, pack=pack, blob=blobs.put("vectors", buffer.getvalue()))
    assert spaces.complete(space=space)
    return spaces.go_live(space=space)


def test_ids_names_and_human_labels_survive_re_embedding_and_re_clustering() -> None:
    world = make_world(6, 5, 4, 3, 2)
    before, by = world.cluster(), By(user())
    anna, ben, cleo, dora, emil = (before[faces[0]] for faces in world.people)
    assert None not in (anna, ben, cleo, dora, emil)
    name_person(identity_id=anna, name="Anna", by=by)
    name_person(identity_id=ben, name="Ben", by=by)
    assign_faces(faces=world.people[0][:2], identity_id=anna, by=by)
    assign_faces(faces=world.people[1][:1], identity_id=anna, by=by)  # whatever any model thinks
    reject_faces(identity_id=cleo, faces=world.people[2][:1], by=by)
    set_aside(faces=world.people[1][1:2], kind="ignore", by=by)
    merge_people(identity_id=emil, into_id=dora, by=by)
    world.cluster()
    labels = who()
    decisions = Decision.objects.count()
    people = dict(Identity.objects.values_list("pk", "name"))
    human = list(Label.objects.filter(source="human").order_by("face").values_list("face", "identity", "decision"))
    assert labels[world.people[4][0]] == dora and len(human) >= 4
    for seed in (1, 2):
        space = another_model(world, seed=seed)
        run_clustering(space=space, settings=THRESHOLDS)
        assert who() == labels
        assert dict(Identity.objects.values_list("pk", "name")) == people
        said = Label.objects.filter(source="human").order_by("face").values_list("face", "identity", "decision")
        assert list(said) == human
    assert Decision.objects.count() == decisions


def test_faces_that_come_after_the_change_join_the_people_of_before() -> None:
    world = make_world(5, 4)
    before, by = world.cluster(), By(user())
    anna = before[world.people[0][0]]
    assert anna is not None
    name_person(identity_id=anna, name="Anna", by=by)
    late = world.add_faces(np.repeat(world.direction((0, 1.0))[None], 2, 0))
    aside = CropPack.objects.filter(faces__in=late)
    packs = list(aside.values_list("pk", flat=True).distinct())
    space = another_model(world, seed=3)
    vectors = PackVectors.objects.filter(space=space, pack__in=packs)
    rows = list(vectors)
    vectors.delete()
    run_clustering(space=space, settings=THRESHOLDS)
    assert not set(late) & who().keys()
    PackVectors.objects.bulk_create(rows)
    assert join_new_faces()["joined"] == 2
    assert {who()[face] for face in late} == {anna}
    assert {face: who()[face] for face in before} == before
    assert Identity.objects.get(pk=anna).name == "Anna"
