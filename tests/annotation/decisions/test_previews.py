"""A clustering offered as a difference: previewed, applied, taken back, dropped."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from annotation.models import Cluster, ClusterMember, ClusterRun, EmbeddingSpace, Face, Identity, Label
from annotation.queries.cluster_run_pages import (
    BINS,
    LOWEST,
    comparable_runs,
    distributions,
    open_preview,
    require_run,
    usual_comparison,
)
from annotation.queries.run_differences import LISTED, RunDifference, difference_of, kept_difference, list_changes
from annotation.services.clustering_choices import apply_run, drop_run
from annotation.services.clustering_jobs import applying, start_applying, start_clustering
from annotation.services.clustering_runs import KEPT_RUNS, run_clustering
from annotation.services.decisions import decide
from annotation.services.labels import refresh_labels
from foundation.errors import Conflict, NotFound
from jobs import services as jobs
from jobs.models import JobState
from tests.annotation.decisions.world import THRESHOLDS, World, make_world, user, who

pytestmark = pytest.mark.django_db
TIGHT = {"core_distance": 0.08, "merge_similarity": None}


def preview(world: World, **settings: Any) -> ClusterRun:
    return run_clustering(space=world.space, settings={**THRESHOLDS, **settings}, preview=True)


def current() -> ClusterRun:
    return ClusterRun.objects.get(current=True)


def halves(world: World) -> World:
    """Adds a person whose faces come in two tight groups of 4 and 3, one person at the usual thresholds."""
    rng = np.random.default_rng(5)
    near, far = world.direction((20, 1.0)), world.direction((20, 1.0), (21, 0.75))
    vectors = np.concatenate([np.repeat(near[None], 4, 0), np.repeat(far[None], 3, 0)])
    world.people.append(world.add_faces(vectors + rng.normal(0, 0.002, vectors.shape)))
    return world


def names() -> dict[int, tuple[str, int | None]]:
    """Everybody who has a face."""
    rows = Identity.objects.filter(faces_count__gt=0).values_list("pk", "name", "merged_into_id")
    return {pk: (name, merged) for pk, name, merged in rows}


def test_a_preview_changes_nothing() -> None:
    world = make_world(5, 3)
    before, first = world.cluster(), current()
    world.add_person(3)
    run = preview(world)
    assert (run.state, run.current, current()) == ("preview", False, first)
    assert who() == before
    assert run.members.count() == 11 and run.clusters.filter(identity=None).count() == 3
    assert "labels" not in run.metrics
    refresh_labels()
    assert who() == before and current() == first


def test_an_applied_preview_is_the_run_that_would_have_been() -> None:
    world = make_world(5, 3)
    before = world.cluster()
    new = world.add_person(3)
    run = preview(world)
    applied = apply_run(run_id=run.pk)
    assert (applied.state, current(), applied.metrics["labels"]["people_made"]) == ("done", run, 1)
    after = who()
    assert {face: after[face] for face in before} == before
    assert len({after[face] for face in new}) == 1
    assert world.cluster() == after  # a full run has nothing to add


def test_applying_and_dropping_twice_is_once() -> None:
    world = halves(make_world(4))
    world.cluster()
    run = preview(world, **TIGHT)
    apply_run(run_id=run.pk)
    once, metrics = who(), ClusterRun.objects.get(pk=run.pk).metrics
    apply_run(run_id=run.pk)
    assert who() == once and ClusterRun.objects.get(pk=run.pk).metrics == metrics
    other = preview(world)
    assert [drop_run(run_id=other.pk).state for _ in range(2)] == ["dropped", "dropped"]
    assert not Cluster.objects.filter(run=other).exists() and not ClusterMember.objects.filter(run=other).exists()
    assert current() == run and who() == once


def test_applying_the_earlier_run_takes_it_back_with_ids_and_names() -> None:
    world = halves(make_world(5, 3))
    before, first = world.cluster(), current()
    for number, face in enumerate(world.people[k][0] for k in range(3)):
        decide(user=user(f"anna {number}"), kind="rename", identity=before[face], text=f"Person {number}")
    refresh_labels()
    named = names()
    late = world.add_person(4)
    run = preview(world, **TIGHT)
    found = difference_of(first, run)
    assert (found.split, found.moved, found.appeared, found.new) == (1, 3, 4, 1)
    apply_run(run_id=run.pk)
    split = who()
    assert len({split[face] for face in world.people[2]}) == 2 and split[late[0]] is not None
    apply_run(run_id=first.pk)
    assert who() == before  # faces that this run does not know have no label, as before
    assert names() == named
    apply_run(run_id=run.pk)
    assert who() == split


def test_two_persons_who_were_merged_by_a_run_come_back_with_their_names() -> None:
    world = halves(make_world(5))
    before = world.cluster(**TIGHT)
    first, faces = current(), world.people[1]
    small, large = before[faces[-1]], before[faces[0]]
    assert small != large
    decide(user=user(), kind="rename", identity=small, text="The smaller one")
    refresh_labels()
    run = preview(world)
    found = difference_of(first, run)
    assert (found.merged, found.split, found.moved) == (1, 0, 3)
    apply_run(run_id=run.pk)
    assert {who()[face] for face in faces} == {large}
    apply_run(run_id=first.pk)
    assert who() == before
    assert Identity.objects.get(pk=small).name == "The smaller one"


def test_decisions_after_the_preview_win_and_are_told() -> None:
    world = halves(make_world(4))
    world.cluster()
    run = preview(world)
    a, b = world.people[0][:2]
    decide(user=user(), kind="different", faces=[a], others=[b])
    refresh_labels()
    found = difference_of(current(), run)
    assert found.together == [(a, b)] and found.together_count == 1 and not found.parted
    apply_run(run_id=run.pk)
    assert who()[a] != who()[b]


def test_people_who_are_affected_and_agreement_with_what_people_said() -> None:
    world = halves(make_world(4))
    before, first = world.cluster(), current()
    faces = world.people[1]
    run = preview(world, **TIGHT)
    found = difference_of(first, run)
    assert (found.people, found.confirmed, found.faces) == (1, None, 11) and not found.is_none
    assert found.agreement.bcubed.precision == 1 and found.agreement.bcubed.recall < 1
    decide(user=user(), kind="assign", faces=[faces[0], faces[-1]], identity=before[faces[0]])
    refresh_labels()
    judged = difference_of(first, run)
    assert judged.parted == [(faces[0], faces[-1])]
    assert judged.confirmed is not None
    assert [one.bcubed.f for one in judged.confirmed] == [1, pytest.approx(2 / 3)]
    assert difference_of(first, first).is_none


def test_one_query_per_question_however_many_clusters(django_assert_max_num_queries: Any) -> None:
    world = halves(make_world(4, 4, 3, 3, 2))
    world.cluster()
    first, run = current(), preview(world, **TIGHT)
    with django_assert_max_num_queries(2):
        found = difference_of(first, run)
    with django_assert_max_num_queries(2):
        list_changes(found, "split")
    assert check(found) == {"split"}
    with django_assert_max_num_queries(3):
        counted = distributions(run)
    assert sum(clusters for _, _, clusters in counted.sizes) == run.metrics["clusters"] + run.metrics["alone"]
    assert sum(counted.widest) == run.metrics["clusters"]
    assert sum(counted.to_medoid) == run.metrics["faces"] - run.metrics["alone"] - run.metrics["clusters"]
    widest = [1 - diameter for diameter in run.clusters.values_list("diameter", flat=True)]
    assert counted.widest == np.histogram(widest, np.linspace(LOWEST, 1, BINS + 1))[0].tolist()


def check(found: RunDifference) -> set[str]:
    """What there is of it; each split is listed with its parts."""
    for change in list_changes(found, "split")[0]:
        assert sum(faces for _, faces in change.parts) == change.cluster.size and change.parts_count == 2
        assert change.cluster.run_id == found.before.pk and change.parts[0][0].run_id == found.after.pk
    return {name for name in ("split", "merged", "new", "gone") if getattr(found, name)}


def test_long_lists_of_changes_come_page_by_page() -> None:
    world = make_world(4)
    world.cluster()
    before, after = current(), ClusterRun.objects.create(space=world.space, state="preview")
    faces = [face for _ in range(LISTED + 2) for face in world.add_person(3)]
    for number, group in enumerate(np.array_split(faces, LISTED + 2)):
        for run, parts in ((before, [group]), (after, [group[:2], group[2:]])):
            for part in (part for part in parts if len(part) > 1):
                made = Cluster.objects.create(
                    run=run, ordinal=100 + number, size=len(part), diameter=0.1,
                    widest_a_id=part[0], widest_b_id=part[1], medoid_id=part[0],
                )  # fmt: skip
                rows = [ClusterMember(run=run, cluster=made, face_id=face, similarity=0.9) for face in part]
                ClusterMember.objects.bulk_create(rows)
    # What is left of a group's third face is alone: nothing was split, all lost one face.
    assert difference_of(before, after).split == 0
    back = difference_of(after, before)
    assert (back.merged, back.joined, back.appeared) == (0, 0, 4 + LISTED + 2)
    for number, cluster in enumerate(Cluster.objects.filter(run=after).order_by("pk")):
        other = Cluster.objects.create(
            run=after, ordinal=200 + number, size=2, diameter=0.1,
            widest_a_id=cluster.widest_a_id, widest_b_id=cluster.widest_b_id, medoid_id=cluster.medoid_id,
        )  # fmt: skip
        cluster.members.filter(face_id=cluster.widest_b_id).update(cluster=other)
        last = int(faces[3 * number + 2])
        ClusterMember.objects.create(run=after, cluster=other, face_id=last, similarity=0.9)
        ClusterMember.objects.create(run=after, cluster=cluster, face_id=world.add_person(1)[0], similarity=0.9)
    found = difference_of(before, after)
    assert found.split == LISTED + 2
    pages = [list_changes(found, "split", number) for number in range(3)]
    assert [(len(changes), more) for changes, more in pages] == [(LISTED, True), (2, False), (0, False)]
    listed = [change.cluster.pk for changes, _ in pages for change in changes]
    assert tuple(listed) == found.split_clusters and len(set(listed)) == LISTED + 2
    assert all([faces for _, faces in change.parts] == [2, 1] for changes, _ in pages for change in changes)


def test_a_difference_is_kept_until_something_moves(django_assert_num_queries: Any) -> None:
    world = halves(make_world(4))
    before, first = world.cluster(), current()
    run = preview(world, **TIGHT)
    found = kept_difference(first, run)
    with django_assert_num_queries(2):
        assert kept_difference(first, run) == found
    faces = world.people[1]
    decide(user=user(), kind="assign", faces=[faces[0], faces[-1]], identity=before[faces[0]])
    assert found.confirmed is None and kept_difference(first, run).confirmed is not None
    apply_run(run_id=run.pk)
    changed = ClusterRun.objects.get(pk=run.pk)
    assert kept_difference(ClusterRun.objects.get(pk=first.pk), changed).after.current


def test_what_cannot_be_applied_is_refused_in_words() -> None:
    world = make_world(4)
    with pytest.raises(NotFound):
        apply_run(run_id=999)
    for _ in range(KEPT_RUNS + 2):
        world.cluster()
    oldest = ClusterRun.objects.order_by("pk")[0]
    dropped = drop_run(run_id=preview(world).pk)
    failed = ClusterRun.objects.create(space=world.space, state="failed")
    for run, code in ((oldest, "run_forgotten"), (dropped, "run_dropped"), (failed, "run_not_done")):
        with pytest.raises(Conflict) as caught:
            start_applying(run_id=run.pk)
        assert caught.value.code == code
    with pytest.raises(Conflict) as caught:
        drop_run(run_id=current().pk)
    assert caught.value.code == "not_a_preview"
    other = preview(world)
    EmbeddingSpace.objects.update(state="retired")
    with pytest.raises(Conflict) as caught:
        apply_run(run_id=other.pk)
    assert caught.value.code == "space_not_live"


def test_a_preview_takes_the_place_of_the_last_one_and_outlives_other_runs() -> None:
    world = make_world(4)
    world.cluster()
    first, second = preview(world), preview(world)
    assert [ClusterRun.objects.get(pk=run.pk).state for run in (first, second)] == ["dropped", "preview"]
    for _ in range(KEPT_RUNS + 1):
        world.cluster()
    waiting = open_preview()
    assert waiting == second and waiting is not None and waiting.members.exists()
    apply_run(run_id=second.pk)
    assert current() == second


def test_dropped_previews_push_no_earlier_run_out() -> None:
    world = make_world(4)
    world.cluster()
    first = current()
    for _ in range(KEPT_RUNS + 1):
        drop_run(run_id=preview(world).pk)
    world.cluster()
    assert first.members.exists()


def test_what_a_run_is_compared_with() -> None:
    world = make_world(4)
    runs = []
    for _ in range(3):
        world.cluster()
        runs.append(current())
    waiting = preview(world)
    for run, other in ((runs[2], runs[1]), (runs[1], runs[2]), (runs[0], runs[2]), (waiting, runs[2])):
        found = require_run(run.pk)
        assert usual_comparison(found, comparable_runs(found)) == other


def test_the_jobs_preview_and_apply() -> None:
    world = make_world(40, 3)
    world.cluster()
    before = current()
    asked = start_clustering(preview=True)
    assert start_clustering(preview=True) == asked and start_clustering() != asked
    job = jobs.run_to_end(job_id=asked.pk)
    run = ClusterRun.objects.get(job=job)
    assert (job.state, run.state, current()) == (JobState.FINISHED, "preview", before)
    assert run.parameters["calibration"]["core"]["low"] <= run.parameters["calibration"]["core"]["high"]
    wanted = start_applying(run_id=run.pk)
    assert wanted is not None and start_applying(run_id=run.pk) == wanted == applying(run)
    done = jobs.run_to_end(job_id=wanted.pk)
    assert (done.state, current(), done.result["faces"]) == (JobState.FINISHED, run, 43), done.error
    assert start_applying(run_id=run.pk) is None and applying(run) is None


def test_imported_labels_and_decided_faces_outside_the_run_stay() -> None:
    world = make_world(4)
    world.cluster()
    first = current()
    late = world.add_person(3)
    imported = Identity.objects.create(origin=Identity.Origin.IMPORT, name="Ina")
    Label.objects.create(face_id=late[0], identity=imported, source=Label.Source.IMPORT, confidence=1)
    decided = Identity.objects.create(name="Dora")
    decide(user=user(), kind="assign", faces=[late[1]], identity=decided.pk)
    world.cluster()
    apply_run(run_id=first.pk)
    found = who()
    assert (found[late[0]], found[late[1]]) == (imported.pk, decided.pk)
    assert late[2] not in found and Face.objects.filter(pk=late[2]).exists()
