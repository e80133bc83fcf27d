"""The pages of synthesis: forms made of recipes, a run's page, who may start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from annotation.models import DatasetVersion
from frontend.synthesis_form import groups_of
from jobs.models import Job
from synthesis.recipes import PRESETS, preset_node
from synthesis.recipes.settings import settings_of
from tests.frontend.made_synthesis import make_synthesis_run

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", PRESETS)
def test_every_setting_of_a_recipe_has_its_field(as_role: Callable[[str], Client], name: str) -> None:
    answer = as_role("data_engineer").get(reverse("ui:synthesis"), {"recipe": name})
    assert answer.status_code == 200
    page = answer.content.decode()
    for setting in settings_of(preset_node(name)):
        assert page.count(f'data-setting="{setting.path}"') == 1
    assert as_role("data_engineer").get(reverse("ui:synthesis"), {"recipe": "nothing"}).status_code == 404


def test_fields_offer_no_more_than_a_setting_may_be(as_role: Callable[[str], Client]) -> None:
    page = as_role("data_engineer").get(reverse("ui:synthesis"), {"recipe": "text_price"}).content.decode()
    for name, limits in (("layout.margin", 'min="0" max="0.35"'), ("text_lines.height", 'min="16" max="512"')):
        field = page[page.index(f'{name}" data-kind') :].partition("</fieldset>")[0]
        assert field.count(limits) == 2
    palette = page[page.index('paint.palette" data-kind') :].partition("</select>")[0]
    assert '<option value="">any</option><option value="price_tag" selected>price tag</option>' in palette


def test_groups_are_named_for_parts_and_chances_stand_with_what_they_are_of() -> None:
    groups = {group.title: group for group in groups_of(settings_of(preset_node("text_price")))}
    glare = groups["Glare"]
    assert [field.label for field in glare.fields] == ["How often", "Strength", "Radius"]
    assert glare.fields[0].setting.path.endswith("probably.probability")
    assert {"Paint", "Layout", "Text lines", "Corpus, codes"} <= groups.keys()
    mixed = groups_of(settings_of(preset_node("text")))
    assert any(group.title.startswith("2: text lines") for group in mixed)
    fields = [field.id for group in mixed for field in group.fields]
    assert len(set(fields)) == len(fields)


def test_a_runs_page(as_role: Callable[[str], Client], users: dict[str, User]) -> None:
    run = make_synthesis_run(users["data_engineer"])
    client = as_role("algorithm_engineer")
    page = client.get(reverse("ui:synthesis_run", args=[run.pk])).content.decode()
    for words in ("1,498", "of 4,000", "Time left", "grey levels only", 'data-again="612"', "Seed 7", "synthetic-text"):
        assert words in page
    assert reverse("synthesis-sheet", args=[run.pk]) in page
    sheet = client.get(reverse("synthesis-sheet", args=[run.pk]))
    assert (sheet.status_code, sheet["Content-Type"], sheet["Cache-Control"]) == (200, "image/png", "private, no-cache")
    there, known = reverse("synthesis-sheet", args=[run.pk]), {"If-None-Match": sheet["ETag"]}
    assert client.get(there, headers=known).status_code == 304
    run.shards.filter(ordinal=2).delete()
    assert client.get(there, headers=known).status_code == 200
    part: Any = client.get(reverse("ui:synthesis_run", args=[run.pk]), headers={"HX-Request": "true"})
    assert b"<html" not in part.content
    assert client.get(reverse("ui:synthesis_run", args=[10**9])).status_code == 404
    assert run.title in client.get(reverse("ui:synthesis_runs")).content.decode()


def test_a_run_with_failed_items_has_finished_with_errors_and_offers_another_try(
    as_role: Callable[[str], Client], users: dict[str, User]
) -> None:
    run = make_synthesis_run(users["data_engineer"])
    assert run.job is not None
    client = as_role("data_engineer")
    there = reverse("ui:synthesis_run", args=[run.pk])
    assert "Try again what failed" not in client.get(there).content.decode()  # it is at work
    Job.objects.filter(pk=run.job.pk).update(state="finished_with_errors", finished_at=timezone.now())
    unit = run.job.units.get()
    unit.state, unit.params, unit.error = "failed", {"ordinal": 3}, "No paint at all."
    unit.save()
    page = client.get(there).content.decode()
    for words in (
        "Finished with errors",
        "Try again what failed",
        "1500 to 1999",
        "No paint at all.",
        'data-again="788"',
    ):
        assert words in page
    assert "Finished with errors" in client.get(reverse("ui:synthesis_runs")).content.decode()
    client.post(reverse("ui:retry_synthesis", args=[run.pk]))
    run.refresh_from_db()
    assert run.job.pk != Job.objects.get(state="finished_with_errors").pk


def test_retrying_while_it_works_is_told(as_role: Callable[[str], Client], users: dict[str, User]) -> None:
    run = make_synthesis_run(users["data_engineer"])
    answer = as_role("data_engineer").post(reverse("ui:retry_synthesis", args=[run.pk]), follow=True)
    assert "This run is still at work." in answer.content.decode()
    assert as_role("annotator").post(reverse("ui:retry_synthesis", args=[run.pk])).status_code == 403


def test_a_recipe_that_was_aimed_is_shown_with_its_words(
    as_role: Callable[[str], Client], users: dict[str, User]
) -> None:
    node = {"all_of": {"effects": [{"noise": {"read": [2.0, 9.0], "shot": [0.0, 4.0]}}]}}
    slice_ = {"name": "noisy", "measure": "noise", "low": False, "limit": 4.0}
    result = {
        "recipe": node,
        "slice": slice_,
        "title": "noisy (noise at least 4)",
        "words": ["Aimed at 40 faces.", "ok"],
    }
    result |= {"dataset": "people@v1", "split": "val_blackbox", "model": "sface@v1"}
    DatasetVersion.objects.create(name="people", version=1, state="published", counts={"train": {"faces": 3}})
    job = Job.objects.create(kind="aim", state="finished", result=result, created_by=users["data_engineer"])
    client = as_role("data_engineer")
    page = client.get(reverse("ui:synthesis"), {"recipe": "faces_far", "aim": job.pk}).content.decode()
    assert "Aimed at 40 faces." in page
    assert 'data-setting="all_of.effects[0].noise.read"' in page
    assert '"read": [2.0, 9.0]' in page
    assert 'value="synthetic-aimed-at-noisy"' in page
    Job.objects.filter(pk=job.pk).update(state="failed", result=None, error="Too few faces.")
    assert (
        "Too few faces." in client.get(reverse("ui:synthesis"), {"recipe": "faces_far", "aim": job.pk}).content.decode()
    )
    assert client.get(reverse("ui:synthesis"), {"aim": 10**9}).status_code == 404
    refused = client.post(reverse("ui:aim_recipe"), {"dataset": "people@v1", "slice": "noisy"}, follow=True)
    assert "people@v1 has no faces in val_blackbox." in refused.content.decode()
