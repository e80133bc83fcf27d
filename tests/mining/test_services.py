"""Mining runs over a labelled pool, and answers that end in the ledger."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from annotation.models import (
    ClusterRun,
    Collection,
    Decision,
    EmbeddingSpace,
    Identity,
    Label,
    PackVectors,
    Photo,
)
from annotation.services.decisions import decide, redo, undo
from annotation.services.labels import refresh_labels
from foundation import blobs
from foundation.errors import Conflict, InvalidInput, LoupeError, NotFound
from jobs import services as jobs
from jobs.models import Job, JobState
from mining.models import ReviewBatch, ReviewItem, ReviewVote
from mining.queries import batch_by_id, items_of, load_pool
from mining.review_pages import list_questions
from mining.services.answers import answer_item, cast_vote, skip_item, withdraw_vote
from mining.services.leases import lease_items, release_items
from mining.services.runs import start_mining, store_batch
from mining.strategies import USUAL, find_strategy
from mining.vote_queries import expected_seconds
from tests.annotation.decisions.world import World, make_world, release, user, who

State = ReviewItem.State
pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    """Two people who may be one, a third, and a face that sits with the third but is like the first."""
    made = make_world()
    rng = np.random.default_rng(1)

    def around(centre: np.ndarray[Any, Any], n: int) -> np.ndarray[Any, Any]:
        return centre + rng.normal(0, 0.015, (n, 32))

    made.people.append(made.add_faces(around(made.direction((0, 1.0)), 6)))
    made.people.append(made.add_faces(around(made.direction((0, 1.0), (1, 1.5)), 4)))
    made.people.append(made.add_faces(around(made.direction((2, 1.0)), 5)))
    made.people.append(made.add_faces(around(made.direction((0, 1.0), (3, 0.8)), 1)))
    made.cluster(core_distance=0.1, merge_similarity=0.62)
    return made


def mine(**params: Any) -> Job:
    job = start_mining(user=user("digger", role="data_engineer"), **params)
    return jobs.run_to_end(job_id=job.pk)


def questions(strategy: str) -> list[ReviewItem]:
    return list(items_of(ReviewBatch.objects.filter(strategy=strategy).latest("id")))


def test_a_run_stores_ranked_questions_per_strategy(world: World) -> None:
    job = mine(budget=5)
    assert job.state == JobState.FINISHED, job.error
    assert set(job.result["questions"]) == set(USUAL)
    pairs = questions("pairs_near_threshold")
    assert [item.ordinal for item in pairs] == list(range(len(pairs))) and pairs
    values = [item.value for item in pairs]
    assert values == sorted(values, reverse=True)
    batch = batch_by_id(pairs[0].batch_id)
    assert (batch.job_id, batch.created_by.username, batch.run.current) == (job.pk, "digger", True)
    assert (batch.total, batch.open_items) == (len(pairs), len(pairs))
    assert batch.report["picked"] == len(pairs)
    labels = who()
    first = pairs[0]
    assert set(first.identities) == {labels[world.people[0][0]], labels[world.people[1][0]]}
    assert first.settles == 4 and "would join them" in first.evidence["why"]
    assert first.why == "These two faces look almost alike enough to be one person."


def test_a_run_may_ask_for_questions_that_differ(world: World) -> None:
    job = mine(budget=1, diversity=1.0, gold=0.0)
    assert job.state == JobState.FINISHED, job.error
    batch = ReviewBatch.objects.get(job=job, strategy="pairs_near_threshold")
    assert (batch.parameters["diversity"], batch.report["picked"], batch.items.count()) == (1.0, 1, 1)
    assert batch.report["finalists"] >= 1 and batch.report["radius"] >= 0


def test_what_is_open_or_answered_is_not_mined_again(world: World) -> None:
    mine()
    before = {tuple(item.faces) for item in ReviewItem.objects.all()}
    job = jobs.run_to_end(job_id=jobs.enqueue(kind="mine", params={"strategies": None, "budget": 9}).pk)
    again = {tuple(item.faces) for item in ReviewItem.objects.filter(batch__job=job)}
    assert before and not before & again


def test_same_merges_two_people_and_closes_the_question(world: World) -> None:
    mine()
    item = questions("pairs_near_threshold")[0]
    made = answer_item(user=user(), item_id=item.pk, answer="same", seconds=2)
    assert [decision.kind for decision in made] == ["same", "merge"]
    assert made[0].evidence["item"] == item.pk and made[0].seconds == 2
    item.refresh_from_db()
    assert (item.state, item.decision_id) == ("answered", made[0].pk)
    refresh_labels()
    labels = who()
    assert {labels[face] for face in world.people[0] + world.people[1]} == {labels[world.people[0][0]]}
    with pytest.raises(Conflict) as closed:
        answer_item(user=user("bea"), item_id=item.pk, answer="same")
    assert closed.value.code == "item_closed"


def test_different_keeps_them_apart(world: World) -> None:
    mine()
    item = questions("pairs_near_threshold")[0]
    [decision] = answer_item(user=user(), item_id=item.pk, answer="different")
    assert (decision.kind, decision.faces, decision.others) == ("different", item.faces[:1], item.faces[1:])
    labels = world.cluster(core_distance=1.0, merge_similarity=0.0)
    assert labels[item.faces[0]] != labels[item.faces[1]]


def test_answers_about_pairs_refine_the_next_calibration(world: World) -> None:
    mine()
    asked = [item for item in questions("pairs_near_threshold") if "centroids" in item.evidence]  # between two people
    anna = user("anna")
    world.cluster()
    assert ClusterRun.objects.latest("id").parameters["calibration"]["answers"] is None
    for item in asked:
        answer_item(user=anna, item_id=item.pk, answer="different")
    world.cluster()
    found = ClusterRun.objects.latest("id").parameters["calibration"]
    assert (found["answers"]["answers"], found["answers"]["same"]) == (len(asked), 0)
    assert found["merge"]["similarity"] == found["answers"]["similarity"] >= found["answers"]["without"]
    run = ClusterRun.objects.select_related("space").latest("id")
    assert run.space.calibration["answers"] == found["answers"]
    assert found["answers"]["shift"] < 0
    undo(user=anna)
    world.cluster()
    after = ClusterRun.objects.latest("id").parameters["calibration"]["answers"]
    assert (after or {"answers": 0})["answers"] == len(asked) - 1


@pytest.mark.parametrize(
    ("answer", "kinds"), [("left", ["assign"]), ("right", ["split", "assign"]), ("neither", ["reject"] * 2)]
)
def test_answers_about_a_suspect(world: World, answer: str, kinds: list[str]) -> None:
    [stray] = world.people[3]
    own, other = who()[world.people[2][0]], who()[world.people[0][0]]
    Label.objects.filter(face=stray).update(identity=own, reason="")
    mine()
    item = questions("label_suspects")[0]
    assert item.faces[0] == stray and item.identities == [own, other]
    assert item.evidence["why"].endswith(f"to its own, person {own}.")
    assert item.why == "This face looks more like the second person than like the first person."
    made = answer_item(user=user(), item_id=item.pk, answer=answer)
    assert [decision.kind for decision in made] == kinds
    labels = world.cluster()
    assert labels[stray] == own if answer == "left" else labels[stray] == other if answer == "right" else True
    if answer == "neither":
        assert labels[stray] not in (own, other)


def test_leases_keep_people_out_of_each_others_way(world: World) -> None:
    mine()
    batch = questions("pairs_near_threshold")[0].batch_id
    anna, bea = user("anna"), user("bea")
    mine_now = lease_items(user=anna, batch_id=batch, count=1)
    assert len(mine_now) == 1
    hers = lease_items(user=bea, batch_id=batch, count=100)
    assert not {item.pk for item in mine_now} & {item.pk for item in hers}
    assert lease_items(user=anna, batch_id=batch, count=1) == mine_now
    with pytest.raises(Conflict) as leased:
        skip_item(user=bea, item_id=mine_now[0].pk)
    assert leased.value.code == "item_leased"
    assert skip_item(user=anna, item_id=mine_now[0].pk).item.state == "open"


@pytest.mark.parametrize(
    ("params", "code"), [({"strategies": ["x"]}, "unknown_strategy"), ({"budget": -1}, "bad_budget")]
)
def test_bad_runs_are_refused(world: World, params: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        start_mining(user=None, **params)
    assert refused.value.code == code


def test_bad_answers_are_refused_and_write_nothing(world: World) -> None:
    mine()
    item = questions("pairs_near_threshold")[0]
    for item_id, answer, error in ((item.pk, "left", InvalidInput), (10**9, "same", NotFound)):
        with pytest.raises(error):
            answer_item(user=user(f"u{item_id}"), item_id=item_id, answer=answer)
    assert not Decision.objects.exists()


def test_nothing_can_be_mined_before_a_clustering() -> None:
    make_world(2)
    with pytest.raises(LoupeError) as refused:
        start_mining(user=None)
    assert refused.value.code == "nothing_clustered"
    assert not Identity.objects.exists()


LOOSE = {"core_distance": 1.3, "merge_similarity": 0.62}


def mix() -> tuple[World, list[int], int]:
    """A person of whom some faces are somebody else's; these, the person."""
    world, rng = make_world(), np.random.default_rng(2)
    faces = [
        world.add_faces(world.direction((at, 1.0)) + rng.normal(0, 0.015, (size, 32))) for at, size in ((5, 5), (6, 3))
    ]
    labels = world.cluster(**LOOSE)
    person = labels[faces[0][0]]
    assert person is not None and {labels[face] for face in faces[0] + faces[1]} == {person}
    return world, faces[1], person


def test_different_splits_two_people_under_one_name() -> None:
    world, half, person = mix()
    mine(strategies=["mixed_people"])
    [item] = questions("mixed_people")
    assert item.identities == [person] and item.settles == 3 and item.faces[0] in half
    assert set(item.evidence["sides"][0]) == set(half) - {item.faces[0]}
    [asked] = list_questions(item.batch, user_id=0)
    assert asked.kind == "pair" and set(asked.left.strip) < set(half) and not set(asked.right.strip) & set(half)
    [decision] = answer_item(user=user(), item_id=item.pk, answer="different")
    assert decision.kind == "different"
    labels = world.cluster(**LOOSE)
    assert {labels[face] for face in half} == {labels[half[0]]} != {person}
    assert labels[item.faces[1]] == person


def test_different_takes_an_imported_name_from_the_subject() -> None:
    _, _, person = mix()
    Label.objects.filter(identity=person).update(source=Label.Source.IMPORT)
    mine(strategies=["mixed_people"])
    [item] = questions("mixed_people")
    made = answer_item(user=user(), item_id=item.pk, answer="different")
    assert [decision.kind for decision in made] == ["different", "reject"]
    refresh_labels()
    assert who()[item.faces[0]] != person and who()[item.faces[1]] == person


def test_same_keeps_one_name_and_is_not_asked_again() -> None:
    mix()
    mine(strategies=["mixed_people"])
    [item] = questions("mixed_people")
    [decision] = answer_item(user=user(), item_id=item.pk, answer="same")
    assert decision.kind == "same"
    refresh_labels()
    ReviewVote.objects.all().delete()
    ReviewItem.objects.all().delete()
    jobs.run_to_end(job_id=start_mining(user=None, strategies=["mixed_people"]).pk)
    assert questions("mixed_people") == []


@pytest.mark.parametrize(("answer", "person"), [("left", 0), ("right", 1), ("neither", None), ("both", 1)])
def test_a_copy_goes_where_the_suspect_goes(world: World, answer: str, person: int | None) -> None:
    anna, bob = (who()[world.people[at][0]] for at in (0, 2))
    subject, copy = world.people[0][0], world.add_faces(world.direction((0, 1.0))[None])[0]
    world.cluster()
    Label.objects.filter(face=copy).update(identity=bob, reason="")
    photos = list(Photo.objects.filter(faces__in=[subject, copy]).values_list("pk", flat=True))
    Photo.objects.filter(pk__in=photos).update(duplicate_group=min(photos), dhash=5)
    mine(strategies=["copies_under_two_names"])
    [item] = questions("copies_under_two_names")
    assert item.faces == [copy, subject] and item.identities == [bob, anna]
    assert item.evidence["hash_bits"] == 0 and item.batch.asks == "suspect"
    answer_item(user=user(), item_id=item.pk, answer=answer)
    refresh_labels()
    labels = who()
    assert labels[subject] == labels[copy] == ((bob, anna)[person] if person is not None else None)
    assert (labels[world.people[2][0]] == anna) == (answer == "both")


def test_a_face_set_aside_from_a_profile_is_put_back(world: World) -> None:
    album = Collection.objects.create(name="Ada", slug="ada", prior=Collection.Prior.PROFILE)
    rng = np.random.default_rng(4)
    ada = world.add_faces(world.direction((8, 1.0)) + rng.normal(0, 0.015, (6, 32)), album=album)
    like, unlike = world.add_faces(
        np.stack([world.direction((8, 1.0), (9, 1.3)), world.direction((11, 1.0))]), album=album
    )
    labels = world.cluster(core_distance=0.1, merge_similarity=0.9)
    assert labels[like] is None and Label.objects.get(face=like).reason == "profile_prior"
    run = ClusterRun.objects.get(current=True)
    run.parameters["merge_similarity"] = 0.62
    run.save()
    mine(strategies=["profile_leftovers"])
    [item] = questions("profile_leftovers")
    assert item.faces[0] == like and item.identities == [labels[ada[0]]] and item.batch.asks == "suspect"
    [asked] = list_questions(item.batch, user_id=0)
    assert asked.kind == "suspect" and asked.right.person is None and set(asked.left.strip) <= set(ada)
    answer_item(user=user(), item_id=item.pk, answer="left")
    refresh_labels()
    assert who()[like] == who()[ada[0]] == labels[ada[0]] and who()[unlike] is None


def test_both_names_of_one_person_become_one(world: World) -> None:
    [stray] = world.people[3]
    own = who()[world.people[2][0]]
    Label.objects.filter(face=stray).update(identity=own, reason="")
    mine(strategies=["label_suspects"])
    item = questions("label_suspects")[0]
    made = answer_item(user=user(), item_id=item.pk, answer="both")
    assert [decision.kind for decision in made] == ["assign", "merge"]
    refresh_labels()
    assert {who()[face] for face in (stray, *world.people[0], *world.people[2])} == {who()[stray]}


def test_a_suspect_that_was_answered_is_closed_in_every_batch(world: World) -> None:
    [stray] = world.people[3]
    own = who()[world.people[2][0]]
    Label.objects.filter(face=stray).update(identity=own, reason="")
    mine(strategies=["label_suspects"])
    item = questions("label_suspects")[0]
    again = ReviewBatch.objects.create(strategy="copies_under_two_names", asks="suspect")
    twin = again.items.create(ordinal=0, faces=[stray, 1], identities=item.identities, value=1, settles=1, why="w")
    pair = ReviewBatch.objects.create(strategy="pairs_near_threshold")
    kept = pair.items.create(ordinal=0, faces=[stray, 1], identities=[], value=1, settles=1, why="w")
    answer_item(user=user(), item_id=item.pk, answer="left")
    twin.refresh_from_db()
    kept.refresh_from_db()
    assert (twin.state, kept.state) == ("obsolete", "open")


def states(batch: int) -> list[str]:
    return list(ReviewItem.objects.filter(batch=batch).order_by("ordinal").values_list("state", flat=True))


def test_a_question_is_open_again_when_its_answer_is_taken_back_and_closed_when_that_is(world: World) -> None:
    mine()
    first = questions("pairs_near_threshold")[0]
    again = ReviewItem.objects.create(
        batch=ReviewBatch.objects.create(strategy="pairs_near_threshold", asks="pair"),
        ordinal=0,
        faces=first.faces,
        value=1.0,
        settles=1,
        why="asked twice",
    )
    anna = user("anna")
    before = states(first.batch_id)
    answer_item(user=anna, item_id=first.pk, answer="same")
    closed = states(first.batch_id)
    assert (closed[0], states(again.batch_id)) == ("answered", ["obsolete"])
    undo(user=anna)
    assert (states(first.batch_id), states(again.batch_id)) == (before, ["open"])
    redo(user=anna)
    assert (states(first.batch_id), states(again.batch_id)) == (closed, ["obsolete"])
    undo(user=anna)
    answer_item(user=user("bea"), item_id=again.pk, answer="different")
    assert states(again.batch_id) == ["answered"]


def test_what_is_given_back_is_free_at_once_and_only_ones_own(world: World) -> None:
    mine()
    batch = questions("pairs_near_threshold")[0].batch_id
    anna, bea = user("anna"), user("bea")
    taken = lease_items(user=anna, batch_id=batch, count=1)
    assert release_items(user=bea, batch_id=batch) == 0
    assert taken[0] not in lease_items(user=bea, batch_id=batch, count=1)
    assert release_items(user=anna, batch_id=batch) == 1
    assert taken[0] in lease_items(user=bea, batch_id=batch, count=100)


def test_known_answers_are_hidden_in_a_batch_and_write_no_decision(world: World) -> None:
    rng = np.random.default_rng(3)
    for at in range(5, 11):  # people so varied that their faces are as unlike as those of the pairs asked about
        world.people.append(world.add_faces(world.direction((at, 1.0)) + rng.normal(0, 0.16, (8, 32))))
    world.cluster(core_distance=0.1, merge_similarity=0.62)
    oracle = user("oracle", role="manager")
    for faces in world.people:
        person = Identity.objects.create()
        decide(user=oracle, kind="assign", faces=faces, identity=person.pk)
    loose = world.add_faces(np.stack([world.direction((12, 1.0), (at, 1.1)) for at in range(13, 30)]))
    world.cluster(core_distance=0.1, merge_similarity=0.62)
    assert all(who()[face] is None for face in loose)
    mine(strategies=["pairs_near_threshold"], gold=0.15, seed=4, overlap=2)
    items = questions("pairs_near_threshold")
    before = Decision.objects.count()
    known = [item for item in items if item.gold]
    assert 1 <= len(known) < len(items) / 5 and items[0].batch.overlap == 2
    assert {item.gold for item in known} <= {"same", "different"}
    for name in ("anna", "bea"):
        answer_item(user=user(name), item_id=known[0].pk, answer="different")
    known[0].refresh_from_db()
    assert (known[0].state, Decision.objects.count()) == ("answered", before)
    assert "seed" not in items[0].batch.parameters


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"overlap": 0}, "bad_overlap"),
        ({"overlap": 10}, "bad_overlap"),
        ({"gold": 0.3}, "bad_gold"),
        ({"diversity": 1.5}, "bad_diversity"),
    ],
)
def test_odd_ways_of_asking_are_refused(world: World, params: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        start_mining(user=None, **params)
    assert refused.value.code == code


def test_values_are_by_the_second_and_learn_how_long_answers_take(world: World) -> None:
    mine(strategies=["pairs_near_threshold"], gold=0)
    first = questions("pairs_near_threshold")
    batch = batch_by_id(first[0].batch_id)
    assert batch.expected_seconds == 3.0
    assert batch.minutes_left == round(len(first) * 3 / 60, 1)
    anna = user("anna")
    for item in first:
        answer_item(user=anna, item_id=item.pk, answer="different", seconds=9.0)
    assert batch_by_id(batch.pk).answers_left == 0
    few = expected_seconds(strategy="pairs_near_threshold", asks="pair")
    item = first[0]
    ReviewVote.objects.bulk_create(
        ReviewVote(item=item, user=anna, answer="same", seconds=7.0, withdrawn_at=item.batch.created_at)
        for _ in range(20)
    )
    ReviewVote.objects.create(item=item, user=user("lunch"), answer="same", seconds=3000.0)
    assert few <= expected_seconds(strategy="pairs_near_threshold", asks="pair") == 7.0
    assert expected_seconds(strategy="mixed_people", asks="cluster") == 9.0


def test_answers_of_an_earlier_attempt_keep_its_batch(world: World) -> None:
    job = mine(strategies=["pairs_near_threshold"])
    item = questions("pairs_near_threshold")[0]
    answer_item(user=user(), item_id=item.pk, answer="different")
    run = ClusterRun.objects.get(current=True)
    pool = load_pool(run)
    mined = find_strategy("pairs_near_threshold").mine(pool, budget=5)
    kept = store_batch(name="pairs_near_threshold", mined=mined, pool=pool, run=run, job=job)
    assert kept.pk == item.batch_id and ReviewVote.objects.filter(item__batch=kept).count() == 1


def test_two_models_that_disagree_and_one_that_has_nobody_to_disagree_with(world: World) -> None:
    with pytest.raises(Conflict) as refused:
        start_mining(user=None, strategies=["model_disagreement"])
    assert refused.value.code == "one_model" and "leave out" in refused.value.message
    other = EmbeddingSpace.objects.create(release=release("embedder"), dimension=8)
    pool = load_pool(world.space.runs.latest("id"))
    for known in PackVectors.objects.filter(space=world.space):
        faces = list(known.pack.faces.order_by("row").values_list("pk", flat=True))
        stranger = np.eye(8, dtype=np.float32)
        row = {face: np.flatnonzero([face in people for people in world.people])[0] for face in faces}
        buffer = io.BytesIO()
        np.save(buffer, stranger[[row[face] for face in faces]])
        PackVectors.objects.create(space=other, pack=known.pack, blob=blobs.put("vectors", buffer.getvalue()))
    both = load_pool(world.space.runs.latest("id"), other_model=True)
    assert both.other is not None and both.other.model == str(other.release) != both.model
    assert both.other.face_ids.tolist() == pool.face_ids.tolist() and both.other.vectors.shape[1] == 8
    job = mine(strategies=["model_disagreement"], options={"model_disagreement": {"least": 0}})
    assert job.state == JobState.FINISHED, job.error
    assert ReviewBatch.objects.get(job=job).strategy == "model_disagreement"


def test_options_are_checked_at_the_start_and_kept_with_the_batch(world: World) -> None:
    job = mine(strategies=["rare_identities"], options={"rare_identities": {"faces": "1..4"}})
    batch = ReviewBatch.objects.get(job=job)
    assert job.params["options"] == {"rare_identities": {"faces": [1, 4], "candidates": 1}}
    assert batch.parameters["options"] == {"faces": [1, 4], "candidates": 1}
    assert sum(batch.report["reasons"].values()) == batch.report["picked"] > 0
    assert sum(batch.report["values"]["counts"]) == batch.report["candidates"]
    for options, code in (
        ({"rare_identities": {"faces": "4..1"}}, "bad_option"),
        ({"rare_identities": {"size": 1}}, "unknown_option"),
        ({"merges": {}}, "unknown_option"),
        ({"odd": {}}, "unknown_strategy"),
    ):
        with pytest.raises(InvalidInput) as refused:
            start_mining(user=None, strategies=["rare_identities"], options=options)
        assert refused.value.code == code


def test_a_newer_clustering_overtakes_what_nobody_has_begun_to_answer(world: World) -> None:
    mine(strategies=["clusters", "pairs_near_threshold"], overlap=2, gold=0)
    clusters, pairs = questions("clusters"), questions("pairs_near_threshold")
    anna, begun = user("anna"), pairs[0]
    cast_vote(user=anna, item_id=begun.pk, answer="different")
    world.cluster()
    assert states_of(clusters) == {State.OBSOLETE}, "their clusters are not there any more"
    assert states_of(pairs) == {State.OPEN}, "two faces still are"
    jobs.run_to_end(job_id=start_mining(user=None, strategies=["pairs_near_threshold"], gold=0).pk)
    assert states_of([begun]) == {State.OPEN} and states_of(pairs[1:]) == {State.OBSOLETE}
    anew = questions("pairs_near_threshold")
    assert {tuple(item.faces) for item in pairs[1:]} & {tuple(item.faces) for item in anew}
    assert tuple(begun.faces) not in {tuple(item.faces) for item in anew}


def test_an_answer_about_a_cluster_of_an_earlier_run_that_is_taken_back_is_not_asked_again(world: World) -> None:
    mine(strategies=["clusters"], gold=0)
    anna, [first, *_] = user("anna"), questions("clusters")
    answer_item(user=anna, item_id=first.pk, answer="same")
    undo(user=anna)
    assert states_of([first]) == {State.OPEN}
    redo(user=anna)
    world.cluster()
    undo(user=anna)
    assert states_of([first]) == {State.OBSOLETE}


def test_a_vote_taken_back_from_a_cluster_of_an_earlier_run_does_not_ask_about_it_again(world: World) -> None:
    mine(strategies=["clusters"], overlap=2, gold=0)
    anna, [first, *_] = user("anna"), questions("clusters")
    vote = cast_vote(user=anna, item_id=first.pk, answer="same")
    world.cluster()
    withdraw_vote(user=anna, vote_id=vote.pk)
    assert states_of([first]) == {State.OBSOLETE} and not first.leases.exists()


def states_of(items: list[ReviewItem]) -> set[str]:
    return set(ReviewItem.objects.filter(pk__in=[item.pk for item in items]).values_list("state", flat=True))
