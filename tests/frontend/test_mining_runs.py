"""The pages of mining runs: started with options, looking, failed, nothing found, and what answers changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from annotation.services.decisions import undo
from jobs.models import Job
from mining.models import ReviewBatch, ReviewItem
from mining.services.answers import answer_item
from mining.strategies import STRATEGIES, USUAL
from tests.factories import World, painted
from tests.frontend.showcase import make_showcase
from tests.frontend.test_loop_pages import messages_of

AsRole = Callable[[str], Client]


@pytest.fixture
def showcase(users: dict[str, User]) -> World:
    """A full installation."""
    pictures = [replace(picture, person=f"Person {number // 4}") for number, picture in enumerate(painted(60))]
    return make_showcase(users, pictures)


def run_of(state: str) -> Job:
    return Job.objects.get(kind="mine", state=state)


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_form_starts_a_run_with_options(as_role: AsRole, world: World) -> None:
    client = as_role("data_engineer")
    shown = text(client, reverse("ui:start_mining"))
    assert all(f'value="{name}"' in shown for name in STRATEGIES)
    assert shown.count(" checked>") == len(USUAL) and 'name="rare_identities.faces"' in shown
    body = {
        "choosing": "1",
        "strategies": ["rare_identities", "blocked_merges"],
        "budget": "7",
        "overlap": "2",
        "gold": "0.05",
        "diversity": "0.5",
        "rare_identities.faces": "1..2",
        "rare_identities.candidates": "",
        "blocked_merges.by": "photo",
        "widest_pairs.faces": "9..1",
    }
    answer = client.post(reverse("ui:start_mining"), body)
    job = Job.objects.get(kind="mine")
    assert (answer.status_code, answer.headers["Location"]) == (302, reverse("ui:mining_run", args=[job.pk]))
    assert job.params["strategies"] == ["blocked_merges", "rare_identities"]
    assert job.params["options"] == {
        "rare_identities": {"faces": [1, 2], "candidates": 1},
        "blocked_merges": {"by": "photo", "above": 0.0},
    }
    assert [job.params[name] for name in ("budget", "overlap", "gold", "diversity")] == [7, 2, 0.05, 0.5]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"rare_identities.faces": "3..1"}, "The option faces of rare_identities: the range 3..1 is reversed."),
        ({"strategies": []}, "Tick at least one strategy."),
        ({"budget": "many"}, "The number of questions must be a whole number."),
        ({"budget": "nan"}, "The number of questions must be a whole number."),
        ({"diversity": "2"}, "The diversity must lie between 0 and 1."),
        ({"strategies": ["model_disagreement"]}, "Only one embedding model has seen the photos"),
    ],
)
def test_a_refused_form_comes_back_as_it_was_filled_in(
    as_role: AsRole, world: World, changed: dict[str, object], told: str
) -> None:
    client = as_role("data_engineer")
    body = {"choosing": "1", "strategies": ["rare_identities"], "budget": "41", "overlap": "1", "gold": "0"} | changed
    answer = client.post(reverse("ui:start_mining"), body)
    shown = answer.content.decode()
    assert answer.status_code == 400 and not Job.objects.filter(kind="mine").exists()
    assert told in messages_of(answer)
    for value in (value for value in changed.values() if isinstance(value, str)):
        assert f'value="{value}"' in shown
    if "strategies" not in changed:
        assert 'value="rare_identities"' in shown and shown.count(" checked>") == 1


def test_what_a_run_picked_and_what_its_answers_changed(
    as_role: AsRole, showcase: World, users: dict[str, User]
) -> None:
    client, job = as_role("data_engineer"), run_of("finished")
    listed = text(client, reverse("ui:mining_runs"))
    assert reverse("ui:mining_run", args=[job.pk]) in listed
    shown = text(client, reverse("ui:mining_run", args=[job.pk]))
    assert "Merges that something blocks" in shown and "Told apart once" in shown
    assert "faces 1..3, candidates 1" in shown
    assert "400 considered, 60 candidates," in shown and shown.count('<svg class="chart"') == 5
    assert reverse("ui:mining_changes", args=[job.pk]) in shown
    batch = ReviewBatch.objects.filter(job=job).earliest("pk")
    sheet = text(client, reverse("ui:contact_sheet", args=[batch.pk]))
    faces = batch.items.earliest("ordinal").faces
    assert all(reverse("ui:crop", args=[face]) in sheet for face in faces)
    changed = text(client, reverse("ui:mining_changes", args=[job.pk]))
    merged = batch.items.get(state="answered", decision__kind="same")
    assert f"<dt>Faces that moved</dt><dd>{merged.settles}</dd><dt>People joined</dt><dd>1</dd>" in changed
    assert "people@v2" in changed and "sface-ft@v2" in changed and "+0.050" in changed and "promoted" in changed
    while undo(user=users["annotator"]):
        if not batch.items.filter(state="answered").exists():
            break
    assert "Nothing yet" in text(client, reverse("ui:mining_changes", args=[job.pk]))


def test_a_run_that_looks_and_one_that_failed_say_so(as_role: AsRole, showcase: World) -> None:
    client = as_role("data_engineer")
    looking = reverse("ui:mining_run", args=[run_of("running").pk])
    assert "1 of 3 strategies have looked" in text(client, looking) and "Now: clusters" in text(client, looking)
    part = client.get(looking, headers={"HX-Request": "true"})
    assert "HX-Refresh" not in part.headers and b"<html" not in part.content
    Job.objects.filter(pk=run_of("running").pk).update(state="cancelled")
    ended = client.get(looking, headers={"HX-Request": "true"})
    assert ended.headers["HX-Refresh"] == "true" and "was cancelled" in text(client, looking)
    failed = run_of("failed")
    shown = text(client, reverse("ui:mining_run", args=[failed.pk]))
    assert "Only one embedding model" in shown and reverse("ui:retry_job", args=[failed.pk]) in shown


def test_nothing_found_and_nothing_there(as_role: AsRole, world: World) -> None:
    client = as_role("data_engineer")
    assert "Nothing was mined yet" in text(client, reverse("ui:mining_runs"))
    job = Job.objects.create(kind="mine", state="finished", params={"strategies": ["merges"]})
    ReviewBatch.objects.create(strategy="merges", asks="merge", job=job, run=world.run, report={"considered": 3})
    assert "Nothing to ask" in text(client, reverse("ui:mining_run", args=[job.pk]))
    other = Job.objects.create(kind="embed", state="finished")
    for missing in (other.pk, 10**9):
        for page in ("ui:mining_run", "ui:mining_changes", "ui:contact_sheet"):
            assert client.get(reverse(page, args=[missing])).status_code == 404
    for page in ("ui:mining_run", "ui:mining_changes"):
        assert as_role("annotator").get(reverse(page, args=[job.pk])).status_code == 403


def test_pages_of_runs_cost_the_same_for_more(as_role: AsRole, users: dict[str, User], showcase: World) -> None:
    client, job = as_role("manager"), run_of("finished")
    pages = [
        reverse("ui:mining_runs"),
        *(reverse(page, args=[job.pk]) for page in ("ui:mining_run", "ui:mining_changes")),
    ]
    pages.append(reverse("ui:contact_sheet", args=[ReviewBatch.objects.filter(job=job).earliest("pk").pk]))
    before = [queries(client, page) for page in pages]
    for item in ReviewItem.objects.filter(batch__job=job, state="open").exclude(votes__user=users["annotator"])[:4]:
        answer_item(user=users["annotator"], item_id=item.pk, answer="different")
    for n in range(3):
        again = Job.objects.create(kind="mine", state="finished", params={})
        ReviewBatch.objects.create(strategy="merges", job=again, run=showcase.run)
        ReviewBatch.objects.create(strategy="clusters", job=job if n == 0 else again, run=showcase.run)
    assert [queries(client, page) for page in pages] == before and max(before) <= 20


def queries(client: Client, page: str) -> int:
    client.get(page)
    with CaptureQueriesContext(connection) as caught:
        assert client.get(page).status_code == 200
    return len(caught)
