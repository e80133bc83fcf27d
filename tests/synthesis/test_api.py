"""Over REST and with the SDK: recipes, previews, a run pulled to a directory, refusals."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pyarrow.parquet as pq
import pytest
from loupe.client import Client
from loupe.credentials import Credentials
from loupe.errors import Damaged, UsageError
from loupe.pull import pull
from loupe.references import Reference
from loupe.unpack import unpack
from PIL import Image
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import create_token, create_user
from annotation.models import DatasetVersion
from jobs import services as jobs
from synthesis.recipes import registry
from synthesis.services import estimates
from tests.synthesis.made_runs import TEXT, Grey, files_of, run_of, version_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_place(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"location": str(tmp_path / "blobs")}
    default = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    monkeypatch.setitem(registry.PARTS, "grey", "tests.synthesis.made_runs.Grey")
    monkeypatch.setattr(Grey, "repaired", False)


@pytest.fixture
def client_of(db: Any) -> Callable[[str], APIClient]:
    def make(role: str) -> APIClient:
        user = User.objects.filter(username=role).first() or create_user(username=role, role=role)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {create_token(user=user, name='test')[1]}")
        return client

    return make


@pytest.fixture
def engineer(client_of: Callable[[str], APIClient]) -> APIClient:
    return client_of("data_engineer")


def test_recipes_and_their_settings(engineer: APIClient) -> None:
    listed = engineer.get("/api/v1/synthesis/recipes").json()["recipes"]
    fonts = {one["name"]: one["fonts"] for one in listed}
    assert "famil" in fonts["text_price"] or "No fonts" in fonts["text_price"]
    assert not fonts["faces_light"]
    assert {"text", "text_price"} <= {recipe["name"] for recipe in listed}
    one = engineer.get("/api/v1/synthesis/recipes/text_price").json()
    assert one["about"].startswith("Price tags")
    assert one["formats"][0] == "text_recognition"
    settings = {setting["path"]: setting for setting in one["settings"]}
    height = settings["text_lines.height"]
    assert (height["kind"], height["least"], height["greatest"]) == ("whole_range", 16, 512)
    assert settings["text_lines.paint.palette"]["words"] == ["", "price_tag", "paper"]
    assert engineer.get("/api/v1/synthesis/recipes/nothing").status_code == 404


def test_a_preview_without_a_font_for_it_is_one_sentence(engineer: APIClient, only_pillow_fonts: None) -> None:
    body = {"recipe": {"text_lines": {"corpus": {"words": {"list": "cyrillic"}}}}, "count": 3}
    answer = engineer.post("/api/v1/synthesis/preview", body)
    assert (answer.status_code, answer.json()["code"]) == (404, "glyph_missing")
    assert "`make fonts`" in answer.json()["detail"]


def test_a_preview_shows_samples_and_their_parameters(engineer: APIClient, only_pillow_fonts: None) -> None:
    body = {"recipe": TEXT, "seed": 3, "changes": {"height": "40..40"}, "count": 3}
    answer = engineer.post("/api/v1/synthesis/preview", body).json()
    assert [item["index"] for item in answer["items"]] == [0, 1, 2]
    for item in answer["items"]:
        assert item["code"] == ""
        assert item["height"] == 40
        assert item["params"]["text"] == item["labels"]["text"]
        with Image.open(io.BytesIO(base64.b64decode(item["image"]))) as image:
            assert image.format == "PNG"
            assert image.height == 40 * 3  # small ones are enlarged, so that quads are seen
    again = engineer.post("/api/v1/synthesis/preview", body).json()
    assert again == answer
    bare = engineer.post("/api/v1/synthesis/preview", {**body, "draw": False, "first": 2, "count": 1}).json()["items"][
        0
    ]
    assert bare["labels"] == answer["items"][2]["labels"]
    with Image.open(io.BytesIO(base64.b64decode(bare["image"]))) as image:
        assert image.height == 40


def test_a_preview_says_what_is_wrong(engineer: APIClient, only_pillow_fonts: None) -> None:
    round_about = engineer.post("/api/v1/synthesis/preview", {"recipe": TEXT, "changes": {"height": [60, 40]}})
    assert (round_about.status_code, round_about.json()["code"]) == (400, "range_reversed")
    assert engineer.post("/api/v1/synthesis/preview", {"recipe": {"grey": {}}, "count": 13}).status_code == 400
    items = engineer.post("/api/v1/synthesis/preview", {"recipe": {"grey": {"broken": [0, 255]}}}).json()["items"]
    assert {item["code"] for item in items} == {"no_paint"}


def test_a_large_run_is_refused_with_its_estimate(engineer: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "free_bytes", lambda: None)
    body = {"recipe": {"grey": {}}, "count": 10**9, "seed": 7}
    answer = engineer.post("/api/v1/synthesis/runs", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "confirmation_needed")
    assert answer.json()["estimate"]["images"] == 10**9
    assert engineer.post("/api/v1/synthesis/runs", {**body, "confirm": True}).status_code == 202


def test_who_may_do_what(client_of: Callable[[str], APIClient]) -> None:
    run = run_of({"grey": {}}, name="greys")
    for role, sees, starts in (("annotator", 403, 403), ("data_engineer", 200, 202), ("manager", 200, 202)):
        client = client_of(role)
        assert client.get(f"/api/v1/synthesis/runs/{run.pk}").status_code == sees
        assert client.post("/api/v1/synthesis/runs", {"recipe": {"grey": {}}, "count": 5}).status_code == starts


def test_who_makes_them_may_pull_them_but_no_real_faces(client_of: Callable[[str], APIClient]) -> None:
    version = version_of(run_of({"grey": {}}, name="greys"))
    DatasetVersion.objects.create(name="people", version=1, state="published", counts={"train": {"faces": 3}})
    for role, synthetic, real in (
        ("annotator", 403, 403),
        ("data_engineer", 200, 403),
        ("algorithm_engineer", 200, 200),
    ):
        client = client_of(role)
        assert client.get("/api/v1/datasets/greys/versions/v1").status_code == synthetic
        assert client.get("/api/v1/datasets/people/versions/v1").status_code == real
        file = version.shards[0]["digest"]
        assert client.get(f"/api/v1/datasets/greys/versions/latest/files/{file}").status_code == synthetic


def test_a_failed_item_is_listed_and_made_again_alone(engineer: APIClient) -> None:
    run = run_of({"grey": {"broken": [0, 40]}}, name="some")
    listed = engineer.get(f"/api/v1/synthesis/runs/{run.pk}/failed").json()["results"]
    assert listed
    body = {"recipe": run.recipe, "seed": run.seed, "first": listed[0]["index"], "count": 1, "draw": False}
    assert engineer.post("/api/v1/synthesis/preview", body).json()["items"][0]["code"] == "no_paint"
    Grey.repaired = True
    (item,) = engineer.post("/api/v1/synthesis/preview", body).json()["items"]
    assert item["image"]
    assert engineer.get(f"/api/v1/synthesis/runs/{run.pk}").json()["job"]["state"] == "finished_with_errors"
    job = engineer.post(f"/api/v1/synthesis/runs/{run.pk}/retry").json()["job"]
    jobs.run_to_end(job_id=job)
    found = engineer.get(f"/api/v1/synthesis/runs/{run.pk}").json()
    assert (found["made"], found["failed"], found["version"]) == (25, 0, "some@v2")
    assert found["job"]["progress"]["fraction"] == 1.0


@pytest.fixture
def sdk(client_of: Callable[[str], APIClient]) -> Iterator[Client]:
    """The SDK's client, its calls answered by this process."""
    inner = client_of("manager")

    def answer(request: httpx.Request) -> httpx.Response:
        parts = urlsplit(str(request.url))
        found: Any = inner.generic(request.method, f"{parts.path}?{parts.query}", request.content, "application/json")
        content = b"".join(found.streaming_content) if found.streaming else found.content
        return httpx.Response(found.status_code, headers=dict(found.items()), content=content)

    with Client(Credentials("http://testserver", "x"), transport=httpx.MockTransport(answer)) as client:
        yield client


def test_a_run_is_pulled_and_unpacked(sdk: Client, only_pillow_fonts: None, tmp_path: Path) -> None:
    run = run_of(TEXT, name="words")
    done = pull(sdk, Reference("words", "latest"), tmp_path / "pulled")
    assert done.version.digest == version_of(run).digest
    count = unpack(tmp_path / "pulled", tmp_path / "words")
    found = {
        path.relative_to(tmp_path / "words").as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (tmp_path / "words").rglob("*")
        if path.is_file() and path.name != "version.json"
    }
    assert found == files_of(version_of(run))
    assert count == len(found)
    assert pq.read_table(tmp_path / "words" / "labels.parquet").num_rows == 25
    with pytest.raises(UsageError, match="holds other files"):
        unpack(tmp_path / "pulled", tmp_path / "words")
    shard = max((tmp_path / "pulled" / "shards").iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(shard.read_bytes())
    data[600] ^= 1
    shard.write_bytes(data)
    with pytest.raises(Damaged):
        unpack(tmp_path / "pulled", tmp_path / "again")
    assert not (tmp_path / "again").exists()
