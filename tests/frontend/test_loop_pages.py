"""Jobs, rounds, datasets, models, imports and reviews, full, and what their forms do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from annotation.models import ClusterMember, ClusterRun, Collection, DatasetVersion
from frontend.measurements import slices_of
from frontend.round_story import compare, measured, steps_of
from jobs.models import Job, JobState, Unit
from loop.models import Round
from loop.stages import STAGES
from mining.models import ReviewBatch, ReviewItem
from mining.review_pages import list_questions
from tests.factories import World, make_world, painted
from tests.frontend.showcase import make_showcase


@pytest.fixture
def showcase(users: dict[str, User]) -> World:
    pictures = [replace(picture, person=f"Person {number // 4}") for number, picture in enumerate(painted(24))]
    return make_showcase(users, pictures)


def messages_of(answer: Any) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def test_every_page_of_a_full_installation_opens(as_role: Callable[[str], Client], showcase: World) -> None:
    addresses = [
        *[reverse("ui:job", args=[job]) for job in Job.objects.values_list("pk", flat=True)],
        *[reverse("ui:round", args=[number]) for number in (1, 2, 3)],
        *[reverse("ui:batch", args=[batch]) for batch in ReviewBatch.objects.values_list("pk", flat=True)],
        reverse("ui:dataset", args=["people", 1]),
        reverse("ui:model", args=["sface-ft", 2]),
        reverse("ui:dashboard"),
        reverse("ui:ledger") + "?kind=reject&by=1",
        reverse("ui:people") + "?q=Person&named=yes&sort=name",
        reverse("ui:clusters") + "?named=no&sort=doubt",
    ]
    for role in ("data_engineer", "manager"):
        client = as_role(role)
        for address in addresses:
            assert client.get(address).status_code == 200, address


def test_pages_ask_again_only_while_something_runs(as_role: Callable[[str], Client], showcase: World) -> None:
    client = as_role("data_engineer")
    running = Job.objects.get(state=JobState.RUNNING, kind="ingest")
    done = Job.objects.filter(state=JobState.FINISHED).first()
    assert done is not None
    assert b"every 2s" in client.get(reverse("ui:job", args=[running.pk])).content
    assert b"every 2s" not in client.get(reverse("ui:job", args=[done.pk])).content
    part = client.get(reverse("ui:job", args=[running.pk]), headers={"HX-Request": "true"}).content
    assert part.lstrip().startswith(b'<div id="job-progress"')
    assert b"<html" not in part
    Job.objects.filter(pk=running.pk).update(state=JobState.FINISHED)
    last = client.get(reverse("ui:job", args=[running.pk]), headers={"HX-Request": "true"})
    assert last.headers["HX-Refresh"] == "true"


def test_a_failed_unit_tells_its_reason_and_can_be_tried_again(
    as_role: Callable[[str], Client], showcase: World
) -> None:
    job = Job.objects.get(state=JobState.FINISHED_WITH_ERRORS)
    page = as_role("data_engineer").get(reverse("ui:job", args=[job.pk])).content.decode()
    assert "The image ends before it is complete." in page
    assert as_role("annotator").post(reverse("ui:retry_job", args=[job.pk])).status_code == 403
    as_role("data_engineer").post(reverse("ui:retry_job", args=[job.pk]))
    job.refresh_from_db()
    assert job.unfinished
    assert not Unit.objects.filter(job=job, state="failed").exists()


def test_cancelling_asks_first_and_needs_a_post(as_role: Callable[[str], Client], showcase: World) -> None:
    job = Job.objects.get(state=JobState.RUNNING, kind="ingest")
    client = as_role("data_engineer")
    assert b'<dialog id="cancel"' in client.get(reverse("ui:job", args=[job.pk])).content
    assert client.get(reverse("ui:cancel_job", args=[job.pk])).status_code == 405
    assert as_role("annotator").post(reverse("ui:cancel_job", args=[job.pk])).status_code == 403
    answer = client.post(reverse("ui:cancel_job", args=[job.pk]))
    assert "is being cancelled" in messages_of(answer)
    job.refresh_from_db()
    assert job.cancel_requested_at is not None


def test_a_round_shows_all_its_stages_also_those_to_come(showcase: World) -> None:
    running = Round.objects.get(number=3)
    job = Job.objects.get(pk=running.stages[list(STAGES)[4]]["job"])
    steps = steps_of(running, {job.pk: job})
    assert [step.name for step in steps] == list(STAGES)
    assert [step.state for step in steps] == ["done"] * 4 + ["running"] + ["waiting"] * 5
    job.state = JobState.FAILED
    assert steps_of(running, {job.pk: job})[4].state == "failed"


def test_a_round_compares_before_and_after(showcase: World) -> None:
    gains = {one.name: one.gain for one in compare(Round.objects.get(number=1))}
    assert gains["degraded clean"] == pytest.approx(0.05)
    assert gains["clean clean"] == pytest.approx(0.0)
    assert measured(Round.objects.get(number=3)) == []


def test_metrics_of_other_shapes_do_no_harm() -> None:
    assert slices_of({"note": "x", "empty": {}, "slices": {"all": {"tar@1e-3": None, "ci": None}}})[0].value is None
    assert slices_of({"all": {"tar@1e-4": 0.5, "pairs": 12}})[0].more == {"pairs": 12.0}


def test_starting_a_round_twice_is_refused_in_words(as_role: Callable[[str], Client], showcase: World) -> None:
    client = as_role("data_engineer")
    answer = client.post(reverse("ui:start_round"), {"mining_budget": "50"})
    assert "Round 3 has not ended" in messages_of(answer)
    assert as_role("annotator").post(reverse("ui:start_round")).status_code == 403
    client.post(reverse("ui:abandon_round", args=[3]))
    client.post(reverse("ui:start_round"), {"mining_budget": "50"})
    assert Round.objects.get(number=4).parameters == {"mining_budget": 50}


def test_rounds_can_go_on_until_labels_settle(as_role: Callable[[str], Client], showcase: World) -> None:
    client = as_role("data_engineer")
    client.post(reverse("ui:abandon_round", args=[3]))
    form = {"mining_budget": "50", "until_settled": "on"}
    assert "from 1 to 50" in messages_of(client.post(reverse("ui:start_round"), {**form, "most_rounds": "99"}))
    answer = client.post(reverse("ui:start_round"), {**form, "most_rounds": "4"})
    assert "Others follow" in messages_of(answer)
    made = Round.objects.get(number=4)
    assert made.parameters == {"mining_budget": 50, "until_settled": {"rounds": 4, "share": None}}
    page = client.get(reverse("ui:round", args=[4])).content.decode()
    assert "Until less than 0.5% of labels change; 3 more rounds at most." in page
    made.stages = {"cluster": {"result": {"run": showcase.run.pk, "labels": {"moved": 1, "known": 400}, "clusters": 9}}}
    made.finished_at = timezone.now()
    made.save()
    page = client.get(reverse("ui:round", args=[4])).content.decode()
    assert "Labels have settled" in page and ">settled</span>" in page
    listed = client.get(reverse("ui:rounds")).content.decode()
    assert "Labels have settled" in listed and "Share of labels changed, by round" in listed and "0.2%" in listed


def test_freezing_starts_a_job_and_a_bad_name_is_told(as_role: Callable[[str], Client], showcase: World) -> None:
    client = as_role("algorithm_engineer")
    assert "small letters" in messages_of(client.post(reverse("ui:freeze"), {"name": "No Such!"}))
    client.post(reverse("ui:freeze"), {"name": "people"})
    assert Job.objects.get(kind="freeze").params["name"] == "people"
    assert as_role("data_engineer").post(reverse("ui:freeze"), {"name": "people"}).status_code == 403


def test_a_dataset_tells_who_used_the_locked_test(as_role: Callable[[str], Client], showcase: World) -> None:
    page = as_role("data_engineer").get(reverse("ui:dataset", args=["people", 1])).content.decode()
    assert "measure round 1" in page
    assert "loupe datasets pull people@v1" in page
    DatasetVersion.objects.filter(version=2).update(state="refused", error="Person 7 is in two splits.")
    refused = as_role("data_engineer").get(reverse("ui:dataset", args=["people", 2])).content.decode()
    assert "Person 7 is in two splits." in refused
    assert "loupe datasets pull" not in refused


def test_collections_are_made_on_the_import_page(as_role: Callable[[str], Client], users: dict[str, User]) -> None:
    client = as_role("data_engineer")
    answer = client.post(reverse("ui:create_collection"), {"name": "Holidays", "prior": "profile", "held_out": ""})
    made = Collection.objects.get()
    assert (made.name, made.prior, made.created_by) == ("Holidays", "profile", users["data_engineer"])
    assert answer.headers["Location"] == f"/import/?collection={made.pk}"
    assert "needs a name" in messages_of(client.post(reverse("ui:create_collection"), {"name": "", "prior": "mixed"}))


def test_only_owners_of_a_split_make_collections_for_it(as_role: Callable[[str], Client]) -> None:
    form = {"name": "Locked", "prior": "mixed", "held_out": "test"}
    assert "does not include" in messages_of(as_role("data_engineer").post(reverse("ui:create_collection"), form))
    assert not Collection.objects.exists()
    as_role("manager").post(reverse("ui:create_collection"), form)
    assert Collection.objects.get().held_out == "test"


def test_folders_outside_the_roots_are_refused(
    as_role: Callable[[str], Client], settings: Any, tmp_path: Path, db: Any
) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    settings.LOUPE_INGEST_ROOTS = (inside,)
    client = as_role("data_engineer")
    for path in (str(outside), f"{inside}/../out", "relative", "/etc/passwd"):
        client.post(reverse("ui:import_folder"), {"path": path})
    assert not Job.objects.exists()
    client.post(reverse("ui:import_folder"), {"path": str(inside)})
    assert Job.objects.get(kind="ingest").params == {"folder": str(inside)}


def test_questions_come_with_faces_of_both_people(users: dict[str, User], showcase: World) -> None:
    suspects = ReviewBatch.objects.get(strategy="label_suspects")
    questions = list_questions(suspects, user_id=users["annotator"].pk)
    assert [question.kind for question in questions] == ["suspect"] * len(questions)
    first = questions[0]
    assert first.left.face == first.item.faces[0]
    assert first.left.person is not None
    assert first.left.strip
    assert first.left.face not in first.left.strip


def test_questions_that_somebody_else_is_answering_are_left_out(users: dict[str, User], showcase: World) -> None:
    from mining.services.leases import lease_items

    batch = ReviewBatch.objects.get(strategy="threshold_pairs")
    mine = {item.pk for item in lease_items(user=users["annotator"], batch_id=batch.pk, count=2)}
    theirs = {question.item.pk for question in list_questions(batch, user_id=users["manager"].pk)}
    assert mine
    assert not mine & theirs
    assert {question.item.pk for question in list_questions(batch, user_id=users["annotator"].pk)} >= mine


def test_questions_about_held_out_faces_are_not_asked(users: dict[str, User], showcase: World) -> None:
    from annotation.models import CollectionPhoto, Face

    batch = ReviewBatch.objects.get(strategy="threshold_pairs")
    item = ReviewItem.objects.filter(batch=batch).order_by("ordinal")[0]
    locked = Collection.objects.create(name="Locked", slug="locked", held_out="test")
    photo = Face.objects.get(pk=item.faces[0]).photo
    CollectionPhoto.objects.create(collection=locked, photo=photo, path="x.jpg")
    assert item.pk not in {question.item.pk for question in list_questions(batch, user_id=users["annotator"].pk)}


def test_mining_is_started_by_those_who_may(as_role: Callable[[str], Client], showcase: World) -> None:
    assert as_role("annotator").post(reverse("ui:start_mining"), {"budget": "20"}).status_code == 403
    as_role("data_engineer").post(reverse("ui:start_mining"), {"budget": "20"})
    assert Job.objects.filter(kind="mine").latest("pk").params["budget"] == 20


def test_promoting_needs_the_right_and_waits_for_running_rounds(
    as_role: Callable[[str], Client], showcase: World
) -> None:
    address = reverse("ui:promote", args=["sface-ft", 1])
    assert as_role("data_engineer").post(address).status_code == 403
    client = as_role("algorithm_engineer")
    assert b'<dialog id="promote"' in client.get(reverse("ui:model", args=["sface-ft", 1])).content
    assert b'<dialog id="promote"' not in client.get(reverse("ui:model", args=["sface-ft", 2])).content
    assert "Round 3 has not ended" in messages_of(client.post(address))
    Round.objects.update(finished_at=timezone.now())
    champion = client.post(reverse("ui:promote", args=["sface-ft", 2]))
    assert "is the champion already" in messages_of(champion)
    client.post(address)
    assert Job.objects.get(kind="promote").params["release"] == "sface-ft@v1"


def test_new_faces_are_offered_to_be_clustered_once(as_role: Callable[[str], Client], users: dict[str, User]) -> None:
    client = as_role("data_engineer")
    assert "import photos first" in messages_of(client.post(reverse("ui:start_clustering")))
    world = make_world([3, 2])
    assert b"came after this clustering" not in client.get(reverse("ui:clusters")).content
    ClusterRun.objects.update(current=False)
    waiting = client.get(reverse("ui:clusters")).content.decode()
    assert "5 faces wait to be clustered" in waiting
    assert "Cluster them" not in as_role("annotator").get(reverse("ui:clusters")).content.decode()
    ClusterRun.objects.filter(pk=world.run.pk).update(current=True)
    ClusterMember.objects.filter(face=world.faces[-1]).delete()
    assert b"1 face came after this clustering and is not in it yet" in client.get(reverse("ui:clusters")).content
    client.post(reverse("ui:start_clustering"))
    client.post(reverse("ui:start_clustering"))
    assert Job.objects.get(kind="cluster").params == {"space": world.run.space_id}
    assert as_role("annotator").post(reverse("ui:start_clustering")).status_code == 403


def test_faces_that_joined_since_are_told_of_and_a_full_run_is_offered(as_role: Callable[[str], Client]) -> None:
    world = make_world([3, 2])
    page = reverse("ui:clusters")
    assert b"came since" not in as_role("data_engineer").get(page).content
    world.run.metrics["arrivals"] = {"faces": 7, "joined": 4, "new_clusters": 1, "alone": 1, "bridges": 2}
    world.run.save()
    told = as_role("data_engineer").get(page).content.decode()
    assert "7 new faces came since: 4 joined faces that were there, 1 cluster is new, 1 stands alone." in told
    assert "2 pairs of clusters might then become one" in told
    assert "Preview a full run" in as_role("data_engineer").get(page).content.decode()
