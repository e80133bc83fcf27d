"""What belongs to somebody, by role: one's own, and other people's. Test pictures are nobody's to see."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AccessToken, User
from accounts.roles import Role
from accounts.services import create_token
from annotation.models import Cluster, Collection, CropPack, Decision, Face, Label, Photo
from annotation.services.decisions import decide
from annotation.services.labels import refresh_labels
from foundation import blobs
from mining.models import ReviewBatch, ReviewItem
from mining.services.answers import cast_vote
from mining.services.leases import lease_items
from tests.annotation.decisions.world import World, make_world
from tests.api.conftest import png, version  # noqa: F401 a fixture
from tests.factories import make_users
from tests.roles.table import ALL, A, D, E, M

pytestmark = pytest.mark.django_db
NOBODY: set[str] = set()


@pytest.fixture(autouse=True)
def own_storage(settings: Any, tmp_path: Path) -> None:
    options = {"location": str(tmp_path / "blobs")}
    default = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": default}


@dataclass
class Place:
    """People of every role, and one more of each who owns things."""

    world: World
    users: dict[str, User]
    owners: dict[str, User]

    def client(self, role: str) -> Client:
        made = Client()
        made.force_login(self.users[role])
        return made

    def owner(self, role: str, *, own: bool) -> User:
        return self.users[role] if own else self.owners[role]

    def question(self) -> ReviewItem:
        batch = ReviewBatch.objects.create(strategy="any", asks="pair")
        faces = [self.world.people[0][0], self.world.people[1][0]]
        return batch.items.create(ordinal=0, faces=faces, value=1, settles=2, why="w")


@pytest.fixture
def place(db: Any) -> Place:
    world = make_world(5, 4)
    world.cluster()
    owners = {role: User.objects.create(username=f"other {role}", role=role) for role in Role.values}
    return Place(world, make_users(), owners)


def post(client: Client, address: str, body: Any = None) -> Any:
    return client.post(address, json.dumps(body or {}), content_type="application/json")


def take_back_a_decision(place: Place, client: Client, owner: User) -> Any:
    made = decide(user=owner, kind="ignore", faces=place.world.people[0][:1])
    return post(client, reverse("decision-revert", args=[made.pk]))


def take_back_all_of_somebody(place: Place, client: Client, owner: User) -> Any:
    decide(user=owner, kind="ignore", faces=place.world.people[0][:1])
    return post(client, reverse("decisions-reversal"), {"actor": owner.pk})


def preview_taking_all_back(place: Place, client: Client, owner: User) -> Any:
    decide(user=owner, kind="ignore", faces=place.world.people[0][:1])
    return client.get(reverse("decisions-reversal"), {"actor": owner.pk})


def undo_the_latest(place: Place, client: Client, owner: User) -> Any:
    decide(user=owner, kind="ignore", faces=place.world.people[0][:1])
    return post(client, reverse("decisions-undo"))


def withdraw_a_vote(place: Place, client: Client, owner: User) -> Any:
    vote = cast_vote(user=owner, item_id=place.question().pk, answer="same")
    return post(client, reverse("review-withdraw", args=[vote.pk]))


def withdraw_several_votes(place: Place, client: Client, owner: User) -> Any:
    vote = cast_vote(user=owner, item_id=place.question().pk, answer="same")
    return post(client, reverse("review-withdrawals"), {"votes": [vote.pk]})


def answer_a_leased_question(place: Place, client: Client, owner: User) -> Any:
    item = place.question()
    lease_items(user=owner, batch_id=item.batch_id)
    return post(client, reverse("review-answer", args=[item.pk]), {"answer": "same"})


def skip_a_leased_question(place: Place, client: Client, owner: User) -> Any:
    item = place.question()
    lease_items(user=owner, batch_id=item.batch_id)
    return post(client, reverse("review-skip", args=[item.pk]))


def read_a_token(place: Place, client: Client, owner: User) -> Any:
    return client.get(reverse("token", args=[create_token(user=owner, name="t")[0].pk]))


def revoke_a_token(place: Place, client: Client, owner: User) -> Any:
    return client.delete(reverse("token", args=[create_token(user=owner, name="t")[0].pk]))


def revoke_a_token_on_the_page(place: Place, client: Client, owner: User) -> Any:
    return client.post(reverse("ui:revoke_token", args=[create_token(user=owner, name="t")[0].pk]))


def open_the_page_of_answers(place: Place, client: Client, owner: User) -> Any:
    cast_vote(user=owner, item_id=place.question().pk, answer="same")
    return client.get(reverse("ui:annotator", args=[owner.pk]))


def change_a_role(place: Place, client: Client, owner: User) -> Any:
    return client.post(reverse("ui:set_role", args=[owner.pk]), {"role": owner.role})


Action = Callable[[Place, Client, User], Any]
# action -> (roles that may do it with what is their own, roles that may do it with what is another's)
OBJECTS: dict[Action, tuple[set[str], set[str]]] = {
    take_back_a_decision: (ALL, {M}),
    take_back_all_of_somebody: ({D, E, M}, {M}),
    preview_taking_all_back: ({D, E, M}, {M}),
    undo_the_latest: (ALL, NOBODY),
    withdraw_a_vote: (ALL, NOBODY),
    withdraw_several_votes: (ALL, NOBODY),
    answer_a_leased_question: (ALL, NOBODY),
    skip_a_leased_question: (ALL, NOBODY),
    read_a_token: (ALL, NOBODY),
    revoke_a_token: (ALL, NOBODY),
    revoke_a_token_on_the_page: (ALL, NOBODY),
    open_the_page_of_answers: (ALL, {D, E, M}),
    change_a_role: ({M}, {M}),
}


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("action", OBJECTS, ids=lambda action: action.__name__)
@pytest.mark.parametrize("own", [True, False], ids=["own", "another's"])
def test_what_is_ones_own_and_what_is_anothers(place: Place, action: Action, role: str, own: bool) -> None:
    owner = place.owner(role, own=own)
    answer = action(place, place.client(role), owner)
    allowed = role in OBJECTS[action][0 if own else 1]
    done = answer.status_code < 400 and b'"refused":{' not in answer.content  # of several, each is told by itself
    assert done == allowed, (answer.status_code, answer.content[:200])
    assert answer.status_code in (200, 201, 204, 302, 403, 404, 409)
    if not allowed:  # and nothing was done
        assert not Decision.objects.filter(kind="revert").exists()
        assert not AccessToken.objects.exclude(revoked_at=None).exists()
        assert not ReviewItem.objects.filter(votes__user=place.users[role]).exclude(state="open").exists() or own


@pytest.mark.parametrize("role", Role.values)
def test_a_list_of_ones_own_has_nothing_of_others(place: Place, role: str) -> None:
    create_token(user=place.owners[role], name="not mine")
    mine, _ = create_token(user=place.users[role], name="mine")
    listed = place.client(role).get(reverse("tokens")).json()
    assert [one["id"] for one in listed.get("results", listed)] == [mine.pk]
    for users in (place.users, place.owners):
        cast_vote(user=users[role], item_id=place.question().pk, answer="same")
    seen = place.client(role).get(reverse("annotators")).content.decode()
    assert f'"{role}"' in seen and (f'"other {role}"' in seen) == (role != A)


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("split", ["test", "val_blackbox"])
def test_locked_pictures_are_shown_nowhere(place: Place, role: str, split: str) -> None:
    """Not even where they were clustered and labelled before their collection was locked."""
    ends = Cluster.objects.values_list("medoid", "widest_a", "widest_b")  # which a run keeps; the pictures are refused
    plain = [face for face in place.world.people[0][1:] if face not in {one for row in ends for one in row}]
    face = Face.objects.select_related("photo", "pack").get(pk=plain[0])
    crop = png(7)
    key, photo = blobs.put("packs", crop), blobs.put("originals", b"the original")
    CropPack.objects.filter(pk=face.pack_id).update(blob=key)
    digest = hashlib.sha256(crop).hexdigest()
    Face.objects.filter(pk=face.pk).update(offset=0, length=len(crop), digest=digest)
    Photo.objects.filter(pk=face.photo_id).update(blob=photo, mime="image/png")
    client = place.client(role)
    assert client.get(reverse("ui:crop", args=[face.pk])).status_code == 200
    item = place.question()
    locked = Collection.objects.create(name="locked", slug="locked", held_out=split)
    face.photo.sightings.update(collection=locked)
    person = Label.objects.get(face=face).identity_id
    refresh_labels()
    cluster = Cluster.objects.get(members__face=face)
    doors = [
        reverse("ui:crop", args=[face.pk]),
        reverse("ui:crop_sheet") + f"?faces={face.pk}",
        reverse("ui:preview", args=[face.photo_id, 640]),
        reverse("ui:original", args=[face.photo_id]),
        reverse("face", args=[face.pk]),
        reverse("face-crop", args=[face.pk]),
    ]
    for door in doors:
        assert client.get(door).status_code in (403, 404), door
    said = post(client, reverse("decisions"), {"kind": "ignore", "faces": [face.pk]})
    assert said.status_code in (403, 404)
    lists = [
        reverse("identity-faces", args=[person]),
        reverse("cluster-faces", args=[cluster.pk]),
        reverse("review-item-faces", args=[item.pk]),
        reverse("photos"),
        reverse("photo", args=[face.photo_id]),
        reverse("ui:photos"),
        reverse("ui:photo", args=[face.photo_id]),
        reverse("ui:person", args=[person]),
        reverse("ui:cluster", args=[cluster.pk]),
        reverse("ui:batch", args=[item.batch_id]),
        reverse("ui:review_shots", args=[item.pk]) + f"?faces={face.pk}",
        reverse("ui:people"),
        reverse("ui:clusters"),
        reverse("ui:complete_people") + "?q=",
    ]
    for address in lists:
        text = client.get(address).content.decode()
        for trace in (
            f"/crops/{face.pk}.png",
            f'data-face="{face.pk}"',
            f'"face":{face.pk},',
            f"/{face.photo_id}/preview",
        ):
            assert trace not in text, (address, trace)


@pytest.mark.parametrize("role", Role.values)
def test_shards_and_rows_of_the_test_split_leave_in_no_pull(place: Place, role: str, version: Any) -> None:  # noqa: F811
    client = place.client(role)
    described = client.get(reverse("dataset-version", args=["people", "v1"]))
    assert described.status_code == (200 if role in (E, M) else 403)
    locked = next(shard for shard in version.shards if shard["split"] == "test")
    assert locked["digest"] not in described.content.decode()
    for digest in (locked["digest"], version.manifest_digest):
        refused = client.get(reverse("dataset-file", args=["people", "v1", digest]))
        assert refused.status_code in (403, 404)
    if role in (E, M):
        assert (
            client.get(reverse("dataset-file", args=["people", "v1", version.shards[0]["digest"]])).status_code == 200
        )


@pytest.mark.parametrize("role", Role.values)
def test_only_the_manager_locks_and_opens_the_test_split(place: Place, role: str) -> None:
    collection = Collection.objects.create(name="c", slug="c")
    address = reverse("collection", args=[collection.pk])
    for held_out in ("test", ""):
        answer = place.client(role).patch(address, json.dumps({"held_out": held_out}), content_type="application/json")
        assert (answer.status_code == 200) == (role == M), (role, held_out, answer.content)
        Collection.objects.filter(pk=collection.pk).update(held_out="test")
