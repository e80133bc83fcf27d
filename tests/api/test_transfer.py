"""Files in and out over REST, by the `loupe` client against the running server."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from loupe.cli.main import main
from loupe.client import Client
from loupe.credentials import Credentials
from loupe.datasets import FaceDataset
from loupe.errors import LoupeClientError, NotFound
from loupe.photos import find as find_photos
from loupe.pull import pull
from loupe.references import parse
from loupe.upload import upload
from rest_framework.test import APIClient

from accounts.services import create_token, create_user
from annotation.models import Collection, DatasetAlias, DatasetVersion, Upload
from foundation import blobs
from jobs.models import Job

ClientOf = Callable[..., APIClient]


@pytest.fixture
def engineer(client_of: ClientOf) -> APIClient:
    return client_of("algorithm_engineer")


def files_address(version: DatasetVersion, digest: str) -> str:
    return f"/api/v1/datasets/{version.name}/versions/v{version.version}/files/{digest}"


def body_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_a_version_names_only_what_may_be_pulled(engineer: APIClient, version: DatasetVersion) -> None:
    described = engineer.get("/api/v1/datasets/people/versions/latest").json()
    assert described["manifest"]["digest"] == version.public_manifest_digest
    assert [shard["digest"] for shard in described["shards"]] == [shard["digest"] for shard in version.shards[:2]]
    assert engineer.get(files_address(version, version.shards[0]["digest"])).status_code == 200
    for locked, status in ((version.shards[2]["digest"], 403), (version.manifest_digest, 404), ("0" * 64, 404)):
        assert engineer.get(files_address(version, locked)).status_code == status


def test_references(engineer: APIClient, version: DatasetVersion) -> None:
    DatasetVersion.objects.create(name="people", version=2)
    DatasetAlias.objects.create(name="people", alias="best", version=version)
    for reference in ("v1", "latest", "best"):
        assert engineer.get(f"/api/v1/datasets/people/versions/{reference}").json()["version"] == 1
    for reference in ("v0", "v2", "v3", "worst"):  # v2 is not published
        assert engineer.get(f"/api/v1/datasets/people/versions/{reference}").status_code == 404
    for reference in ("1", "V1"):
        assert engineer.get(f"/api/v1/datasets/people/versions/{reference}").status_code == 400
    listed = engineer.get("/api/v1/datasets").json()["results"]
    assert [(row["version"], row["aliases"]) for row in listed] == [(2, []), (1, ["latest", "best"])]


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-", 0, None),
        ("bytes=100-", 100, None),
        ("bytes=5-9", 5, 10),
        ("bytes=-7", -7, None),
        ("bytes=3-999999", 3, None),
    ],
)
def test_ranges(engineer: APIClient, version: DatasetVersion, header: str, start: int, end: int | None) -> None:
    shard = version.shards[0]
    whole = blobs.read(shard["blob"])
    answer = engineer.get(files_address(version, shard["digest"]), HTTP_RANGE=header)
    assert (answer.status_code, body_of(answer)) == (206, whole[start:end])
    first = start % len(whole)
    assert answer["Content-Range"] == f"bytes {first}-{(end or len(whole)) - 1}/{len(whole)}"
    assert int(answer["Content-Length"]) == len(whole[start:end])


def test_ranges_that_are_none(engineer: APIClient, version: DatasetVersion) -> None:
    shard = version.shards[0]
    address = files_address(version, shard["digest"])
    for header in ("bytes=9-5", "bytes=-", "bytes=0-1,3-4", "rows=1-2", "bytes=x-"):
        assert engineer.get(address, HTTP_RANGE=header).status_code == 200
    beyond = engineer.get(address, HTTP_RANGE=f"bytes={shard['bytes']}-")
    assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{shard['bytes']}")
    stale = engineer.get(address, HTTP_RANGE="bytes=5-9", HTTP_IF_RANGE='"other"')
    assert (stale.status_code, len(body_of(stale))) == (200, shard["bytes"])
    tag = f'"{shard["digest"]}"'
    assert engineer.get(address, HTTP_IF_NONE_MATCH=tag).status_code == 304


def send(client: APIClient, files: dict[str, bytes], batch: Any, digests: dict[str, str] | None = None) -> Any:
    listing = [
        {"path": path, "digest": (digests or {}).get(path, hashlib.sha256(data).hexdigest())}
        for path, data in files.items()
    ]
    sent = [SimpleUploadedFile(str(number), data) for number, data in enumerate(files.values())]
    form = {"batch": str(batch), "listing": json.dumps(listing), "files": sent}
    return client.post("/api/v1/uploads", form, format="multipart")


def test_uploads_keep_paths_and_check_digests(engineer: APIClient) -> None:
    batch = uuid4()
    answer = send(engineer, {"a/b.jpg": b"one", "../../c d/ü.jpg": b""}, batch)
    assert answer.status_code == 201
    assert [file["path"] for file in answer.json()["files"]] == ["a/b.jpg", "c d/ü.jpg"]
    assert {blobs.read(row.blob) for row in Upload.objects.filter(batch=batch)} == {b"one", b""}
    assert send(engineer, {"a/b.jpg": b"one"}, batch).status_code == 201
    differs = send(engineer, {"a/b.jpg": b"two"}, batch)
    assert (differs.status_code, differs.json()["code"]) == (409, "upload_differs")
    wrong = send(engineer, {"x.jpg": b"x"}, batch, {"x.jpg": "0" * 64})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "digest_mismatch")
    assert Upload.objects.count() == 2


def test_another_ones_batch_is_taken(engineer: APIClient, client_of: ClientOf) -> None:
    batch = uuid4()
    send(engineer, {"a.jpg": b"one"}, batch)
    other = client_of("manager")
    assert send(other, {"b.jpg": b"two"}, batch).json()["code"] == "batch_taken"
    listing = [{"path": "b.jpg", "digest": hashlib.sha256(b"one").hexdigest()}]
    answer = other.post("/api/v1/uploads/by-digest", {"batch": str(batch), "listing": listing})
    assert answer.json()["code"] == "batch_taken"
    answer = other.post("/api/v1/ingests", {"upload": str(batch)})
    assert answer.json()["code"] == "empty_batch"


def test_bad_forms(engineer: APIClient) -> None:
    good = {"listing": json.dumps([{"path": "a"}]), "files": [SimpleUploadedFile("0", b"x")]}
    cases: list[dict[str, Any]] = [
        {},
        {**good, "listing": "{"},
        {**good, "listing": "[]"},
        {**good, "listing": "[5]"},
        {**good, "listing": "[" * 100_000},
        {**good, "listing": json.dumps([{"path": "a", "digest": "x"}])},
        {**good, "listing": json.dumps([{"path": "/"}])},
        {**good, "batch": "x"},
        {"listing": good["listing"], "files": "text"},
    ]
    for form in cases:
        for file in form.get("files", []):
            if not isinstance(file, str):
                file.seek(0)
        answer = engineer.post("/api/v1/uploads", form, format="multipart")
        assert answer.status_code == 400, form
        assert answer["Content-Type"] == "application/problem+json"
    assert engineer.post("/api/v1/uploads", {"a": 1}).status_code == 415
    assert not Upload.objects.exists()


def test_known_files_need_no_sending(engineer: APIClient) -> None:
    send(engineer, {"a.jpg": b"one"}, uuid4())
    here, away = hashlib.sha256(b"one").hexdigest(), hashlib.sha256(b"two").hexdigest()
    answer = engineer.post("/api/v1/uploads/known", {"digests": [here, away]})
    assert answer.json() == {"known": [here]}
    batch = str(uuid4())
    missing = {"batch": batch, "listing": [{"path": "x", "digest": here}, {"path": "y", "digest": away}]}
    assert engineer.post("/api/v1/uploads/by-digest", missing).json()["code"] == "unknown_file"
    assert not Upload.objects.filter(batch=batch).exists()
    named = {"batch": batch, "listing": [{"path": "x", "digest": here}, {"path": "z", "digest": here}]}
    for _ in range(2):
        assert engineer.post("/api/v1/uploads/by-digest", named).status_code == 201
    assert Upload.objects.filter(batch=batch).count() == 2


def test_ingests_start_a_job(engineer: APIClient, client_of: ClientOf) -> None:
    batch = uuid4()
    send(engineer, {"a.jpg": b"one"}, batch)
    answer = engineer.post("/api/v1/ingests", {"upload": str(batch), "collection": "Holidays"})
    assert answer.status_code == 202
    job = Job.objects.get(pk=answer.json()["job"])
    assert (job.kind, job.params["batch"]) == ("ingest", str(batch))
    assert job.params["collection"] == Collection.objects.get(name="Holidays").pk
    for body, code in (
        ({}, "no_source"),
        ({"folder": "/etc"}, "path_not_allowed"),
        ({"zip": "relative.zip"}, "file_not_absolute"),
        ({"upload": str(uuid4())}, "empty_batch"),
        ({"upload": str(batch), "folder": "/x"}, "no_source"),
    ):
        answer = engineer.post("/api/v1/ingests", body)
        assert answer.status_code in {400, 403}
        assert answer.json()["code"] == code


def test_freezing_starts_a_job(engineer: APIClient) -> None:
    answer = engineer.post("/api/v1/datasets", {"name": "people", "min_faces": 3})
    assert answer.status_code == 202
    assert Job.objects.get(pk=answer.json()["job"]).params == {"name": "people", "min_faces": 3, "proportions": None}
    for body in (
        {},
        {"name": "../x"},
        {"name": "People"},
        {"name": "x", "min_faces": 0},
        {"name": "x", "proportions": 1},
    ):
        assert engineer.post("/api/v1/datasets", body).status_code == 400


def test_held_out_collections_belong_to_their_owners(client_of: ClientOf) -> None:
    test, validation = {"name": "t", "held_out": "test"}, {"name": "v", "held_out": "val_blackbox"}
    for role, codes in (("data_engineer", (403, 403)), ("algorithm_engineer", (403, 201)), ("manager", (201, 201))):
        client = client_of(role)
        assert tuple(client.post("/api/v1/collections", body).status_code for body in (test, validation)) == codes
    batch = uuid4()
    client = client_of("data_engineer")
    send(client, {"a.jpg": b"one"}, batch)
    answer = client.post("/api/v1/ingests", {"upload": str(batch), "collection": "t"})
    assert (answer.status_code, answer.json()["code"]) == (403, "held_out_collection")
    number = Collection.objects.get(name="t").pk
    assert client.patch(f"/api/v1/collections/{number}", {"held_out": ""}).status_code == 403
    assert client_of("manager").patch(f"/api/v1/collections/{number}", {"name": "T"}).json()["name"] == "T"


# --- the client against a running server ---


@pytest.fixture
def connect(live_server: Any, transactional_db: Any) -> Iterator[Client]:
    user = create_user(username="eng", role="algorithm_engineer")
    _, secret = create_token(user=user, name="sdk")
    with Client(Credentials(live_server.url, secret), pause=0.01) as client:
        yield client


def test_pull_and_train(connect: Client, version: DatasetVersion, tmp_path: Path) -> None:
    done = pull(connect, parse("people@latest"), tmp_path / "people")
    assert done.bytes_received == version.public_manifest_bytes + sum(shard["bytes"] for shard in version.shards[:2])
    assert pull(connect, parse("people@v1"), tmp_path / "people").bytes_received == 0
    faces = FaceDataset(tmp_path / "people")
    assert (len(faces), faces.class_names) == (1, ["P0"])
    assert faces[0][0].shape == (112, 112, 3)
    assert faces[0][0].dtype == np.uint8
    with pytest.raises(LoupeClientError, match="locked"):
        FaceDataset(tmp_path / "people", "test")
    with pytest.raises(NotFound):
        pull(connect, parse("people@v2"), tmp_path / "other")


def test_a_cut_download_resumes_by_range(connect: Client, version: DatasetVersion, tmp_path: Path) -> None:
    shard = version.shards[0]
    part = tmp_path / "people" / "shards" / f"{shard['digest']}.tar.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(blobs.read(shard["blob"])[:1000])
    done = pull(connect, parse("people@v1"), tmp_path / "people")
    total = version.public_manifest_bytes + sum(each["bytes"] for each in version.shards[:2])
    assert done.bytes_received == total - 1000


def test_ingest_sends_each_content_once(connect: Client, tmp_path: Path) -> None:
    content = {"a/1.jpg": b"one" * 1000, "a/2.jpg": b"two", "b/copy.jpg": b"one" * 1000}
    for name, data in content.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(data)
    with find_photos([tmp_path / "in"]) as found:
        first, again = upload(connect, found), upload(connect, found)
    assert (first.bytes_sent, first.files_known) == (3003, 1)
    assert (again.bytes_sent, again.files_known) == (0, 3)
    for batch in (first.batch, again.batch):
        rows = Upload.objects.filter(batch=batch)
        assert {row.path: blobs.read(row.blob) for row in rows} == content


def test_the_command_from_login_to_ingest(
    live_server: Any, transactional_db: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    _, secret = create_token(user=create_user(username="dana", role="data_engineer"), name="cli")
    monkeypatch.setenv("LOUPE_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.delenv("LOUPE_TOKEN", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{secret}\n"))
    assert main(["login", live_server.url]) == 0
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"not really")
    capsys.readouterr()
    assert main(["ingest", str(photo), "--collection", "C", "--no-watch", "--json"]) == 0
    job = Job.objects.get(pk=json.loads(capsys.readouterr().out)["job"])
    assert main(["jobs", "cancel", str(job.pk), "--json"]) == 0
    capsys.readouterr()
    assert main(["jobs", "list", "--json"]) == 0
    assert [row["id"] for row in json.loads(capsys.readouterr().out)] == [job.pk]
    assert main(["jobs", "watch", str(job.pk)]) == 7
    assert main(["datasets", "pull", "people@v1"]) == 1  # not in the role
    assert main(["rounds", "list", "--json"]) == 0


def test_two_clients_at_once_store_one(connect: Client, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"same bytes")
    failures: list[Exception] = []

    def run() -> None:
        try:
            with Client(connect.credentials, pause=0.01) as client, find_photos([tmp_path / "a.jpg"]) as found:
                upload(client, found)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(set(Upload.objects.values_list("blob", flat=True))) == 1
