"""The workbench in a real browser: samples follow the settings and tell their parameters; a run is started."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import User
from foundation.errors import NotFound
from jobs import services as jobs
from synthesis.models import SynthesisRun
from synthesis.services import estimates
from synthesis.text.fonts import open_shelf

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def workbench(
    page: Page,
    live_server: Any,
    people: dict[str, User],
    signed_in: Callable[[User], None],
    settings: Any,
    tmp_path: Path,
) -> Iterator[Page]:
    """The page of price tags, its samples drawn."""
    try:
        open_shelf()
    except NotFound:
        pytest.skip("no fonts on this system: apt-get install fonts-dejavu-core")
    options = {"location": str(tmp_path / "blobs")}
    default = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    signed_in(people["data_engineer"])
    page.goto(f"{live_server.url}{reverse('ui:synthesis')}?recipe=text_price")
    expect(page.get_by_text("12 samples.")).to_be_visible()
    yield page


def pictures(page: Page) -> list[str | None]:
    expect(page.locator("[data-samples]")).to_have_attribute("aria-busy", "false")
    return [image.get_attribute("src") for image in page.locator("[data-samples] img").all()]


def test_samples_follow_seed_settings_and_labels(workbench: Page) -> None:
    first = pictures(workbench)
    assert len(set(first)) == 12
    workbench.keyboard.press("r")
    expect(workbench.get_by_label("Seed")).to_have_value("1")
    second = pictures(workbench)
    assert not set(first) & set(second)
    workbench.get_by_label("Labels").uncheck()
    assert not set(pictures(workbench)) & set(second)
    workbench.get_by_label("Labels").check()
    workbench.get_by_label("Seed").fill("0")
    workbench.get_by_label("Seed").press("Enter")
    expect(workbench.locator("[data-samples] img").first).to_have_attribute("src", str(first[0]))
    workbench.locator("summary", has_text="Text lines").click()
    workbench.get_by_label("Height, from").fill("60")
    expect(workbench.locator("[data-samples] img").first).not_to_have_attribute("src", str(first[0]))
    tall = pictures(workbench)
    assert not set(first) & set(tall)
    workbench.locator("summary", has_text="Paint").click()
    with workbench.expect_response("**/preview*"):
        workbench.get_by_label("Contrast").fill("15")
    strong = pictures(workbench)
    assert 0 < len(set(strong) & set(tall)) < 12  # black on white had as much already


def test_a_range_turned_round_is_refused_beside_it(workbench: Page) -> None:
    before = pictures(workbench)
    workbench.locator("summary", has_text="Text lines").click()
    workbench.get_by_label("Height, from").fill("80")
    told = workbench.get_by_text("The range is turned round: 80 is more than 64.")
    expect(told).to_be_visible()
    expect(workbench.get_by_label("Height, from")).to_have_attribute("aria-invalid", "true")
    workbench.get_by_role("button", name="Start").click()
    answer = workbench.locator("[data-start] [role=alert]")
    expect(answer).to_have_text("Something in the settings can't be; it is marked there.")
    expect(answer).to_be_focused()
    assert pictures(workbench) == before
    workbench.get_by_role("button", name="As they were").click()
    expect(told).to_be_hidden()


def test_a_value_out_of_bounds_is_refused_beside_it_and_a_word_is_chosen(workbench: Page) -> None:
    before = pictures(workbench)
    workbench.locator("summary", has_text="Paint").click()
    workbench.get_by_label("Opacity, to").fill("9")
    told = workbench.get_by_text("9 is out of bounds; it may be 0 to 1.")
    expect(told).to_be_visible()
    assert pictures(workbench) == before
    workbench.get_by_label("Opacity, to").fill("1")
    expect(told).to_be_hidden()
    with workbench.expect_request("**/preview") as asked:
        workbench.get_by_label("Palette").select_option("paper")
    assert asked.value.post_data_json["changes"] == {"text_lines.paint.palette": "paper"}


def test_a_sample_tells_its_parameters(workbench: Page) -> None:
    workbench.get_by_role("button", name="Sample 3").focus()
    workbench.keyboard.press("Enter")
    dialog = workbench.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Sample 3 of seed 0")).to_be_visible()
    expect(dialog.locator("[data-params]")).to_contain_text('"font"')
    expect(dialog.locator("[data-command]")).to_contain_text("loupe synth sample text_price --seed 0 --index 3")
    workbench.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("heading", name="Sample 4 of seed 0")).to_be_visible()
    workbench.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_a_large_run_is_confirmed_and_then_made(workbench: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "MANY_IMAGES", 5)
    workbench.locator("summary", has_text="Text lines").click()
    workbench.get_by_label("Height, from").fill("40")
    workbench.get_by_label("Images", exact=True).fill("12")
    workbench.get_by_label("Dataset").fill("tags")
    workbench.get_by_role("button", name="Start", exact=True).click()
    expect(workbench.get_by_text("12 images would take about")).to_be_visible()
    assert not SynthesisRun.objects.exists()
    workbench.get_by_role("button", name="Start all the same").click()
    expect(workbench.get_by_role("heading", name="Text price, run")).to_be_visible()
    run = SynthesisRun.objects.get()
    assert (run.count, run.name, run.recipe["text_lines"]["height"]) == (12, "tags", [40, 64])
    assert run.job is not None
    jobs.run_to_end(job_id=run.job.pk)
    expect(workbench.get_by_role("link", name="tags@v1").first).to_be_visible()
    expect(workbench.get_by_alt_text("Samples from all over this run")).to_be_visible()


def test_limits_go_along_and_a_refusal_stands_below_the_button(workbench: Page) -> None:
    workbench.locator("summary", has_text="Limits").click()
    workbench.get_by_label("Stop after, in minutes").fill("1.5")
    workbench.get_by_label("At most, in megabytes").fill("2.5")
    workbench.get_by_label("Images", exact=True).fill("12")
    workbench.get_by_label("Dataset").fill("people")  # what rounds call theirs
    start = workbench.get_by_role("button", name="Start", exact=True)
    start.click()
    answer = workbench.locator("[data-start] [role=alert]")
    expect(answer).to_contain_text("people")
    expect(answer).to_be_focused()
    below, button = answer.bounding_box(), start.bounding_box()
    assert below is not None and button is not None
    assert 0 <= below["y"] - button["y"] - button["height"] < 40
    workbench.get_by_label("Dataset").fill("tags")
    start.click()
    expect(workbench.get_by_role("heading", name="Text price, run")).to_be_visible()
    run = SynthesisRun.objects.get()
    assert (run.most_seconds, run.most_bytes) == (90, 2_500_000)


@pytest.fixture
def excused() -> list[str]:
    """A run that is refused is an answer of 409, which the browser notes."""
    return ["409 (Conflict)"]
