"""The pages about cluster runs: charts, what a preview changes, applying and dropping."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import User
from annotation.models import ClusterRun
from frontend.run_charts import calibration_chart, chosen_of, strangers_of, thresholds_of
from jobs import services as jobs
from jobs.models import Job
from mining.models import ReviewBatch, ReviewItem
from tests.factories import World, make_world
from tests.frontend.made_runs import MODEL, PARAMETERS, make_preview, make_runs


@pytest.fixture
def preview(users: dict[str, User]) -> Iterator[ClusterRun]:
    yield make_preview(make_world([6, 4, 3], names=["Anna", "Bertil"]))


def test_a_preview_shows_its_charts_and_what_it_changes(as_role: Callable[[str], Client], preview: ClusterRun) -> None:
    client = as_role("data_engineer")
    page = client.get(reverse("ui:cluster_run", args=[preview.pk])).content.decode()
    assert page.count('<svg class="chart"') == 6
    later = re.search(r'hx-get="([^"]+)" hx-trigger="load"', page)
    assert later is not None and "Faces moved" not in page
    page += client.get(later[1], headers={"HX-Request": "true"}).content.decode()
    for words in (
        "Clusters by number of faces. alone 0; 2–3 faces 2; 4–7 faces 2",
        "False match rate by similarity. random pairs; pairs of one photo; threshold of cores: 0.48 (0.44 to 0.53)",
        "Distributions of similarity",
        "Clusters by the similarity of their widest pair",
        "merges without answers: 0.471",
        "two faces of one person, expected",
        "Merges within cores by cosine distance. 40 in 40 bins from 0 to 0.52",
        "Merges by evidence, by mean cosine similarity. 80 in 40 bins from 0.46 to 1",
        "the current one",
        "12 answers, 7 of them “same” where the model expected 4.2, moved the threshold of merges from 0.471 to 0.460.",
    ):
        assert words in page
    moved, split = page.index("Faces moved"), page.index("Clusters split")
    assert '<div class="value">2</div>' in page[moved : moved + 90]
    assert '<div class="value">1</div>' in page[split : split + 90]
    assert "Anna" in page[page.index("<h2>Split</h2>") :]


def test_only_those_who_may_start_rounds_apply_and_drop(as_role: Callable[[str], Client], preview: ClusterRun) -> None:
    annotator = as_role("annotator")
    page = annotator.get(reverse("ui:cluster_run", args=[preview.pk])).content.decode()
    assert "Apply</button>" not in page and '<dialog id="drop"' not in page
    for name in ("apply_cluster_run", "drop_cluster_run"):
        assert annotator.post(reverse(f"ui:{name}", args=[preview.pk])).status_code == 403
        assert as_role("data_engineer").get(reverse(f"ui:{name}", args=[preview.pk])).status_code == 405
    assert annotator.post(reverse("ui:preview_clustering")).status_code == 403


def test_applying_is_a_job_that_the_page_waits_for(as_role: Callable[[str], Client], preview: ClusterRun) -> None:
    client, address = as_role("data_engineer"), reverse("ui:cluster_run", args=[preview.pk])
    for _ in range(2):
        client.post(reverse("ui:apply_cluster_run", args=[preview.pk]))
    job = Job.objects.get(kind="apply_clustering")
    assert "every 2s" in client.get(address).content.decode()
    assert "HX-Refresh" not in client.get(address, headers={"HX-Request": "true"}).headers
    assert jobs.run_to_end(job_id=job.pk).state == "finished"
    assert client.get(address, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    page = client.get(address).content.decode()
    assert "every 2s" not in page and "Make current again" not in page and ">current</span>" in page
    earlier = ClusterRun.objects.exclude(pk=preview.pk).get()
    assert "Make current again" in client.get(reverse("ui:cluster_run", args=[earlier.pk])).content.decode()


def test_dropping_asks_first(as_role: Callable[[str], Client], preview: ClusterRun) -> None:
    client, address = as_role("data_engineer"), reverse("ui:cluster_run", args=[preview.pk])
    assert b'<dialog id="drop"' in client.get(address).content
    assert b"waits to be applied or dropped" in client.get(reverse("ui:cluster_runs")).content
    for _ in range(2):
        answer = client.post(reverse("ui:drop_cluster_run", args=[preview.pk]))
        assert "was dropped" in " ".join(str(one) for one in get_messages(answer.wsgi_request))
    assert b"This preview was dropped" in client.get(address).content
    current = ClusterRun.objects.get(current=True)
    client.post(reverse("ui:drop_cluster_run", args=[current.pk]))
    assert ClusterRun.objects.get(pk=current.pk).current


def test_a_preview_can_be_asked_for(as_role: Callable[[str], Client], users: dict[str, User]) -> None:
    client = as_role("data_engineer")
    answer = client.post(reverse("ui:preview_clustering"))
    assert "import photos first" in " ".join(str(one) for one in get_messages(answer.wsgi_request))
    assert b"Nothing has been clustered yet" in client.get(reverse("ui:cluster_runs")).content
    world = make_world([3, 2])
    client.post(reverse("ui:preview_clustering"))
    assert Job.objects.get(kind="cluster").params == {"space": world.run.space_id, "preview": True}


def calibrate(run: ClusterRun) -> None:
    """The run's space is in use and calibrated as `PARAMETERS` are."""
    run.space.calibration = {"core_distance": 0.52, "merge_similarity": 0.46}
    run.space.save(update_fields=["calibration"])


def test_a_looser_preview_can_be_asked_for(as_role: Callable[[str], Client], preview: ClusterRun) -> None:
    calibrate(preview)
    client, address = as_role("data_engineer"), reverse("ui:cluster_run", args=[preview.pk])
    assert "data-sliders" not in as_role("annotator").get(address).content.decode()
    page = client.get(address).content.decode()
    assert 'min="0.230" max="0.730" step="0.001" value="0.480"' in page and 'value="0.460"' in page
    start, form = reverse("ui:preview_clustering"), {"run": preview.pk, "core": "0.480", "merge": "0.460"}
    for changed, told in (({"core": "2"}, "core_distance must be"), ({"merge": "x"}, "is no number")):
        answer = client.post(start, {**form, **changed})
        assert answer.headers["Location"] == address
        assert told in " ".join(str(one) for one in get_messages(answer.wsgi_request))
    assert not Job.objects.exists()
    client.post(start, {**form, "core": "0.400", "no_joins": "on"})
    job = Job.objects.get(kind="cluster")
    assert job.params["settings"] == {"core_distance": 0.6, "joins": False}
    answer = client.post(start, form)
    assert "other settings" in " ".join(str(one) for one in get_messages(answer.wsgi_request))
    jobs.cancel(job_id=job.pk)
    client.post(start, {"run": preview.pk, "core": "0.48", "merge": "0.46"})
    assert "settings" not in Job.objects.latest("pk").params


def test_a_run_says_what_was_chosen_for_it(as_role: Callable[[str], Client], preview: ClusterRun) -> None:
    assert chosen_of(preview) == []
    preview.parameters = {**PARAMETERS, "core_distance": 0.6, "merge_similarity": None, "joins": None}
    preview.save()
    page = as_role("data_engineer").get(reverse("ui:cluster_run", args=[preview.pk])).content.decode()
    assert "least similarity in a core 0.400 instead of 0.480; no merges by evidence; single faces join nobody." in page
    assert "chosen for cores: 0.4" in page


def test_runs_without_clusters_or_figures_open_too(as_role: Callable[[str], Client], preview: ClusterRun) -> None:
    client = as_role("data_engineer")
    space = preview.space
    bare = [ClusterRun.objects.create(space=space, state=state) for state in ("running", "failed", "dropped", "done")]
    for run in bare:
        page = client.get(reverse("ui:cluster_run", args=[run.pk]))
        assert page.status_code == 200 and b'<svg class="chart"' not in page.content
    assert client.get(reverse("ui:cluster_runs")).status_code == 200
    assert client.get(reverse("ui:cluster_run", args=[999_999])).status_code == 404
    other = client.get(reverse("ui:cluster_run_difference", args=[preview.pk]) + "?against=999999")
    assert b"the current one" in other.content and b"<h1>" in other.content
    for run in bare:
        nothing = client.get(reverse("ui:cluster_run_difference", args=[run.pk]), headers={"HX-Request": "true"})
        assert b"no other run to compare with" in nothing.content and b"<h1>" not in nothing.content
    assert client.get(reverse("ui:cluster_run_difference", args=[999_999])).status_code == 404


def test_a_run_of_every_state_opens_and_says_so(as_role: Callable[[str], Client], users: dict[str, User]) -> None:
    client = as_role("manager")
    runs = make_runs(make_world([6, 4, 3], names=["Anna"]))
    for state, words in (
        ("running", "Faces are being clustered"),
        ("failed", "did not come to its end"),
        ("dropped", "This preview was dropped"),
        ("preview", "Nothing has changed yet"),
        ("earlier", "Make current again"),
        ("forgotten", "not kept any more"),
        ("current", ">current</span>"),
    ):
        assert words in client.get(reverse("ui:cluster_run", args=[runs[state].pk])).content.decode(), state


def test_clusters_of_a_preview_name_nobody(as_role: Callable[[str], Client], preview: ClusterRun) -> None:
    cluster = preview.clusters.all()[0]
    client = as_role("data_engineer")
    page = client.get(reverse("ui:cluster", args=[cluster.pk])).content.decode()
    assert "This cluster is of a preview" in page and 'id="workspace"' not in page
    assert "data-preview-grid" in page and 'role="toolbar"' not in page
    faces = client.get(reverse("ui:cluster_faces", args=[cluster.pk])).json()["faces"]
    assert [face["note"] for face in faces] == ["Anna"] * cluster.size
    assert {face["state"] for face in faces} == {"open"}


def test_the_pages_cost_the_same_for_twice_as_much(as_role: Callable[[str], Client], users: dict[str, User]) -> None:
    client, costs = as_role("manager"), []
    for sizes, seed in (([5, 3, 2], 7), ([7, 6, 5, 4, 3, 2], 8)):
        run = make_preview(make_world(sizes, names=["Anna"], seed=seed))
        for name, arguments in (
            ("cluster_run", [run.pk]), ("cluster_runs", []), ("cluster_run_difference", [run.pk])
        ):  # fmt: skip
            with CaptureQueriesContext(connection) as caught:
                assert client.get(reverse(f"ui:{name}", args=arguments)).status_code == 200
            costs.append(len(caught))
    assert costs[:3] == costs[3:]
    assert costs[0] <= 10 and costs[1] <= 6 and costs[2] <= 14


def test_the_list_says_whether_labels_have_settled(as_role: Callable[[str], Client], preview: ClusterRun) -> None:
    client, address = as_role("data_engineer"), reverse("ui:cluster_runs")
    assert "settled" not in client.get(address).content.decode()
    current = ClusterRun.objects.get(current=True)
    for moved, words in (
        (26, "Labels have not settled yet: the last clustering changed the person of 26 of 1,300 faces (2.0%)"),
        (2, "Labels have settled: the last clustering changed the person of 2 of 1,300 faces (0.15%), less than 0.5%."),
    ):
        current.metrics = {**current.metrics, "labels": {"moved": moved, "known": 1300}}
        current.save()
        assert words in client.get(address).content.decode()
    batch = ReviewBatch.objects.create(strategy="label_suspects", asks="suspect", run=current)
    for ordinal, state in enumerate(("open", "open", "answered")):
        ReviewItem.objects.create(
            batch=batch, ordinal=ordinal, faces=[1], value=1, settles=1, why="x", state=state
        )  # fmt: skip
    with CaptureQueriesContext(connection) as caught:
        charts = client.get(reverse("ui:cluster_runs_convergence")).content.decode()
    assert len(caught) <= 5  # session, user, runs, purity, suspects
    for title in ("Share of labels changed, by run. labels changed: 0.001538", "asked about: 3", "still open: 2"):
        assert title in charts
    assert "Clusters and faces alone" in charts and "Purity" not in charts  # nobody has confirmed a face


def test_charts_do_with_what_a_run_knows() -> None:
    run = ClusterRun(parameters={"core_distance": 0.5, "merge_similarity": None, "joins": MODEL})
    assert thresholds_of(run) == {"core": 0.5}
    model = strangers_of(run)
    assert model is not None and model.shares.tolist() == [0.7, 0.3]
    assert "what is known of the network" in calibration_chart(run)
    assert calibration_chart(ClusterRun()) == ""
    both = strangers_of(ClusterRun(parameters=PARAMETERS))
    assert both is not None and both.means.tolist() == [0.05]  # the stricter basis


@pytest.mark.browser
def test_the_difference_comes_after_the_page_and_with_another_run(
    page: Page, live_server: Any, people: dict[str, User], made: World, signed_in: Callable[[User], None]
) -> None:
    run = make_preview(made)
    signed_in(people["data_engineer"])
    page.goto(live_server.url + reverse("ui:cluster_run", args=[run.pk]))
    expect(page.get_by_role("heading", name="the current one")).to_be_visible()
    make_preview(made)
    page.reload()
    expect(page.get_by_role("heading", name="the current one")).to_be_visible()
    page.get_by_label("Compare with").select_option(label=f"Run {run.pk + 1}, preview")
    expect(page.get_by_role("heading", name=f"Against run {run.pk + 1}")).to_be_visible()
    expect(page.get_by_text("Both put every face in the same place.")).to_be_visible()
    assert page.locator("[aria-busy=true]").count() == 0


@pytest.mark.browser
def test_a_preview_is_dropped_after_a_question(
    page: Page, live_server: Any, people: dict[str, User], made: World, signed_in: Callable[[User], None]
) -> None:
    run = make_preview(made)
    signed_in(people["data_engineer"])
    page.goto(live_server.url + reverse("ui:cluster_run", args=[run.pk]))
    page.get_by_role("button", name="Drop").click()
    page.get_by_role("button", name="Keep it").click()
    assert ClusterRun.objects.get(pk=run.pk).state == "preview"
    page.get_by_role("button", name="Drop").click()
    page.get_by_role("button", name="Drop it").click()
    expect(page.locator("h1")).to_have_text("Cluster runs")
    assert ClusterRun.objects.get(pk=run.pk).state == "dropped"


@pytest.mark.browser
def test_sliders_say_what_they_stand_for(
    page: Page, live_server: Any, people: dict[str, User], made: World, signed_in: Callable[[User], None]
) -> None:
    run = make_preview(made)
    calibrate(run)
    signed_in(people["data_engineer"])
    page.goto(live_server.url + reverse("ui:cluster_run", args=[run.pk]))
    slider = page.get_by_label("Least similarity within a core")
    said = page.locator("output").first
    expect(said).to_have_text("0.480, as calibrated")
    slider.press("ArrowLeft")
    expect(said).to_have_text("0.479 instead of 0.480")
    page.get_by_role("button", name="As calibrated").click()
    expect(said).to_have_text("0.480, as calibrated")
    slider.press("ArrowRight")
    page.get_by_role("button", name="Preview", exact=True).click()
    page.wait_for_url("**/jobs/*/")
    assert Job.objects.get(kind="cluster").params["settings"] == {"core_distance": 0.519}
