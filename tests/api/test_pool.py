"""Photos, faces, clusters, people and decisions over REST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from annotation.models import Cluster, Decision, Face, Identity, Label

ClientOf = Callable[..., APIClient]


@pytest.fixture
def client(client_of: ClientOf) -> APIClient:
    return client_of("data_engineer")


def all_pages(client: APIClient, path: str, **query: Any) -> list[Any]:
    rows: list[Any] = []
    answer = client.get(path, query).json()
    while True:
        rows += answer["results"]
        if answer["next"] is None:
            return rows
        answer = client.get(answer["next"]).json()


def test_a_crop_is_exactly_its_bytes_for_ever(client: APIClient, pool: Any) -> None:
    answer = client.get(f"/api/v1/faces/{pool.face}/crop", HTTP_ACCEPT="image/png")
    assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, pool.crop, "image/png")
    assert "immutable" in answer["Cache-Control"]
    assert "private" in answer["Cache-Control"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    for header in (answer["ETag"], f'W/{answer["ETag"]}, "x"', "*"):
        again = client.get(f"/api/v1/faces/{pool.face}/crop", HTTP_IF_NONE_MATCH=header)
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("role", ["data_engineer", "algorithm_engineer", "manager"])
def test_held_out_faces_exist_for_nobody(client_of: ClientOf, pool: Any, role: str) -> None:
    client = client_of(role)
    etag = client.get(f"/api/v1/faces/{pool.face}/crop")["ETag"]
    for path in (f"/api/v1/faces/{pool.held_out}", f"/api/v1/faces/{pool.held_out}/crop"):
        answer = client.get(path, HTTP_IF_NONE_MATCH=etag)
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    photo = Face.objects.get(pk=pool.held_out).photo_id
    page = client.get(f"/api/v1/photos/{photo}").json()
    assert (page["locked"], page["faces"]) == (True, [])
    said = {"kind": "ignore", "faces": [pool.held_out]}
    assert client.post("/api/v1/decisions", said).status_code == 404
    assert not Decision.objects.exists()


def test_photos_and_faces(client: APIClient, pool: Any, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(8):
        rows = all_pages(client, "/api/v1/photos")
    assert len(rows) == 16
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
    assert all(row["faces_count"] == 1 and row["path"] for row in rows)
    assert len(all_pages(client, "/api/v1/photos", collection=pool.world.album.pk)) == 15
    assert all_pages(client, "/api/v1/photos", state="failed") == []
    assert client.get("/api/v1/photos", {"state": "odd"}).json()["errors"].keys() == {"state"}
    face = client.get(f"/api/v1/faces/{pool.face}").json()
    assert client.get(f"/api/v1/photos/{face['photo']}").json()["faces"] == [face]
    assert face["label"]["source"] == "auto"


def test_clusters_and_their_faces(client: APIClient, pool: Any) -> None:
    rows = all_pages(client, "/api/v1/clusters")
    assert [row["size"] for row in rows] == [6, 5, 4]
    one = client.get(f"/api/v1/clusters/{rows[0]['id']}").json()
    assert one == {key: value for key, value in rows[0].items() if key != "confirmed"}
    faces = all_pages(client, f"/api/v1/clusters/{one['id']}/faces")
    assert {face["face"] for face in faces} == set(pool.world.people[0])
    assert [face["similarity"] for face in faces] == sorted(face["similarity"] for face in faces)
    pool.world.cluster()
    stale = client.get(f"/api/v1/clusters/{one['id']}")
    assert (stale.status_code, stale.json()["code"]) == (409, "cluster_outdated")


def test_people(client: APIClient, pool: Any) -> None:
    rows = all_pages(client, "/api/v1/identities")
    assert [row["faces_count"] for row in rows] == [6, 5, 4]
    faces = all_pages(client, f"/api/v1/identities/{rows[1]['id']}/faces")
    assert {face["face"] for face in faces} == set(pool.world.people[1])
    assert all_pages(client, "/api/v1/identities", text="nobody") == []


def say(client: APIClient, **statement: Any) -> Any:
    answer = client.post("/api/v1/decisions", statement)
    assert answer.status_code == 201, answer.content
    return answer.json()


def cluster_of(face: int) -> Cluster:
    return Cluster.objects.get(members__face=face, run__current=True)


def person_of(face: int) -> int | None:
    return Label.objects.get(face=face).identity_id


def test_confirming_a_cluster_by_its_id(client: APIClient, pool: Any) -> None:
    cluster = cluster_of(pool.face)
    said = say(
        client,
        kind="assign",
        cluster=cluster.pk,
        identity=cluster.identity_id,
        seconds=1.5,
        evidence={"page": "cluster"},
    )
    assert set(said["decision"]["faces"]) == set(pool.world.people[0])
    assert (said["decision"]["seconds"], said["decision"]["actor"]) == (1.5, "data_engineer")
    assert said["action"] == said["decision"]["action"]
    assert Label.objects.filter(source="human").count() == 6


def test_naming_moving_rejecting_splitting_merging(client: APIClient, pool: Any) -> None:
    first, second, third = ([*faces] for faces in pool.world.people)
    anna, bo = person_of(first[0]), person_of(second[0])
    say(client, kind="rename", identity=anna, text="Anna")
    assert Identity.objects.get(pk=anna).name == "Anna"
    say(client, kind="assign", identity=anna, faces=[second[0]])
    assert person_of(second[0]) == anna
    say(client, kind="reject", identity=bo, faces=[second[1]])
    assert person_of(second[1]) is None
    split = say(client, kind="split", identity=bo, faces=[second[2]], text="Cy")
    assert Identity.objects.get(pk=person_of(second[2])).name == "Cy"
    assert {entry["kind"] for entry in split["decisions"]} == {"split", "rename"}
    say(client, kind="merge", identity=person_of(third[0]), into=anna)
    say(client, kind="not_a_face", faces=[third[1]])
    assert Label.objects.get(face=third[1]).reason == "not_a_face"
    say(client, kind="same", faces=[first[0]], others=[first[1]])
    say(client, kind="tag", identity=anna, text="twin")
    who = pool.world.cluster()
    assert who[second[0]] == who[third[0]] == who[first[0]] == anna
    assert who[second[1]] != bo


def test_the_last_to_look_is_told(client: APIClient, pool: Any) -> None:
    anna = person_of(pool.face)
    revision = Identity.objects.get(pk=anna).revision
    say(client, kind="rename", identity=anna, text="Anna", expected_revision=revision)
    answer = client.post(
        "/api/v1/decisions", {"kind": "rename", "identity": anna, "text": "Bo", "expected_revision": revision}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "stale_revision")


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ({}, "invalid_input"),
        ({"kind": "revert"}, "invalid_input"),
        ({"kind": "fly"}, "invalid_input"),
        ({"kind": "ignore", "faces": ["1"]}, "invalid_input"),
        ({"kind": "ignore", "faces": [True]}, "invalid_input"),
        ({"kind": "ignore", "faces": [2**63]}, "invalid_input"),
        ({"kind": "ignore", "faces": []}, "missing_field"),
        ({"kind": "ignore", "cluster": 1}, "unexpected_field"),
        ({"kind": "assign", "cluster": 1, "faces": [1]}, "unexpected_field"),
        ({"kind": "assign", "cluster": 1, "identity": 1, "text": "x"}, "unexpected_field"),
        ({"kind": "same", "faces": [1], "others": [1]}, "face_on_both_sides"),
        ({"kind": "rename", "identity": 1, "text": "a\u0007b"}, "bad_text"),
        ({"kind": "merge", "identity": 1, "into": 1}, "same_identity"),
    ],
)
def test_what_makes_no_sense(client: APIClient, pool: Any, statement: dict[str, Any], code: str) -> None:
    answer = client.post("/api/v1/decisions", statement)
    assert (answer.status_code, answer.json()["code"]) in {(400, code), (404, code)}, answer.content
    assert not Decision.objects.exists()


def test_undo_redo_and_the_ledger(client: APIClient, client_of: ClientOf, pool: Any) -> None:
    anna = person_of(pool.face)
    said = say(client, kind="rename", identity=anna, text="Anna")
    assert client.post("/api/v1/decisions/undo").status_code == 201
    assert Identity.objects.get(pk=anna).name == ""
    assert client.post("/api/v1/decisions/redo").status_code == 201
    assert Identity.objects.get(pk=anna).name == "Anna"
    number = said["decision"]["id"]
    other = client_of("annotator")
    answer = other.post(f"/api/v1/decisions/{number}/revert")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_your_decision")
    weak = client_of("manager", ["review"])
    assert weak.post(f"/api/v1/decisions/{number}/revert").status_code == 403
    assert client_of("manager").post(f"/api/v1/decisions/{number}/revert").status_code == 201
    again = client.post(f"/api/v1/decisions/{number}/revert")
    assert (again.status_code, again.json()["code"]) == (409, "already_reverted")
    ledger = all_pages(client, "/api/v1/decisions", identity=anna)
    assert ledger[-1]["taken_back"] is True
    assert [entry["id"] for entry in ledger] == sorted((entry["id"] for entry in ledger), reverse=True)
    assert client.get(f"/api/v1/decisions/{number}").json()["text"] == "Anna"


def test_a_decision_sent_twice_is_one(client: APIClient, pool: Any) -> None:
    body = {"kind": "ignore", "faces": [pool.face]}
    first, again = (client.post("/api/v1/decisions", body, HTTP_IDEMPOTENCY_KEY="k") for _ in range(2))
    assert first.json() == again.json()
    assert Decision.objects.count() == 1


def test_bad_cursors_do_no_harm(client: APIClient, pool: Any) -> None:
    for cursor in ("x", "!!", "W10", "\u0000", "bnVsbA=="):
        assert client.get("/api/v1/photos", {"cursor": cursor}).status_code == 200
