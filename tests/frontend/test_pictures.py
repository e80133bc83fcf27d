"""Crops, previews and originals: right bytes, right headers, and nothing of what is held out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.imaging.jpeg import decode_jpeg
from annotation.imaging.pack import decode_crop
from annotation.models import Collection, CollectionPhoto, Photo
from foundation import blobs
from frontend import previews
from frontend.previews import sweep
from tests.factories import World, make_world, painted


def test_a_crop_is_the_one_that_was_packed(as_role: Callable[[str], Client], db: Any) -> None:
    pictures = list(painted(4))
    world = make_world([4], pictures=pictures)
    client = as_role("data_engineer")
    for face, picture in zip(world.faces, pictures, strict=True):
        answer = client.get(reverse("ui:crop", args=[face.pk]))
        assert answer.headers["Content-Type"] == "image/png"
        assert np.array_equal(decode_crop(answer.content), picture.crop)


def test_a_crop_is_kept_for_ever_and_not_sent_twice(as_role: Callable[[str], Client], world: World) -> None:
    client = as_role("data_engineer")
    address = reverse("ui:crop", args=[world.faces[0].pk])
    first = client.get(address)
    assert "immutable" in first.headers["Cache-Control"]
    assert "private" in first.headers["Cache-Control"]
    assert first.headers["X-Content-Type-Options"] == "nosniff"
    again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.content == b""


def sheet_of(client: Client, faces: list[int], **headers: str) -> Any:
    return client.get(reverse("ui:crop_sheet"), {"faces": ",".join(map(str, faces))}, headers=headers)


def test_a_sheet_shows_just_these_crops_in_their_order(as_role: Callable[[str], Client], db: Any) -> None:
    pictures = list(painted(13))
    world = make_world([13], pictures=pictures)
    order = [7, *range(12, 7, -1), *range(7)]
    client = as_role("data_engineer")
    with CaptureQueriesContext(connection) as few:
        sheet_of(client, [world.faces[0].pk])
    with CaptureQueriesContext(connection) as many:
        answer = sheet_of(client, [world.faces[at].pk for at in order])
    assert len(few) == len(many)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
    shown = decode_jpeg(answer.content, (1120, 224), 0)
    assert shown is not None and shown.shape == (224, 1120, 3)
    for cell, at in enumerate(order):
        top, left = cell // 10 * 112, cell % 10 * 112
        like = shown[top : top + 112, left : left + 112].astype(int)
        assert np.abs(like - pictures[at].crop).mean() < 12
        assert np.abs(like - pictures[order[cell - 1]].crop).mean() > np.abs(like - pictures[at].crop).mean()
    again = sheet_of(client, [world.faces[at].pk for at in order], **{"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "immutable" in answer.headers["Cache-Control"] and "private" in answer.headers["Cache-Control"]
    assert sheet_of(client, [world.faces[0].pk]).headers["ETag"] != answer.headers["ETag"]


def test_a_sheet_is_bounded_and_nobody_gets_part_of_one(as_role: Callable[[str], Client], world: World) -> None:
    client, there = as_role("data_engineer"), [face.pk for face in world.faces]
    assert sheet_of(client, there).status_code == 200
    assert sheet_of(client, [*there, 10**9]).status_code == 404
    assert sheet_of(client, [there[0]] * 51).status_code == 404
    for odd in ("", "1,", "a", "-1", "1;2", "9" * 30):
        assert client.get(reverse("ui:crop_sheet"), {"faces": odd}).status_code == 404
    assert sheet_of(Client(), there).status_code in (302, 403)


@pytest.mark.parametrize("split", ["test", "val_blackbox"])
def test_nobody_sees_pictures_of_a_held_out_collection(
    as_role: Callable[[str], Client], world: World, split: str
) -> None:
    locked = Collection.objects.create(name="Locked", slug="locked", held_out=split)
    CollectionPhoto.objects.create(collection=locked, photo=world.photos[0], path="a.jpg")
    for role in ("data_engineer", "manager"):
        client = as_role(role)
        assert client.get(reverse("ui:crop", args=[world.faces[0].pk])).status_code == 404
        assert client.get(reverse("ui:preview", args=[world.photos[0].pk, 320])).status_code == 404
        assert client.get(reverse("ui:original", args=[world.photos[0].pk])).status_code == 404
        page = client.get(reverse("ui:photo", args=[world.photos[0].pk])).content.decode()
        assert "held-out collection" in page
        assert reverse("ui:crop", args=[world.faces[0].pk]) not in page
        assert client.get(reverse("ui:crop", args=[world.faces[1].pk])).status_code == 200
        assert sheet_of(client, [world.faces[1].pk]).status_code == 200
        assert sheet_of(client, [world.faces[1].pk, world.faces[0].pk]).status_code == 404


def test_pictures_need_a_sign_in(world: World) -> None:
    for route, arguments in (("ui:crop", [world.faces[0].pk]), ("ui:original", [world.photos[0].pk])):
        assert Client().get(reverse(route, args=arguments)).status_code == 302


def test_previews_are_bounded_and_come_from_disk_the_second_time(
    as_role: Callable[[str], Client], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = as_role("data_engineer")
    big = cv2.imencode(".jpg", np.full((900, 1600, 3), 120, np.uint8))[1].tobytes()
    photo = world.photos[0]
    key = blobs.put("originals", big)
    Photo.objects.filter(pk=photo.pk).update(blob=key, digest=blobs.digest_of(key))
    address = reverse("ui:preview", args=[photo.pk, 320])
    first = client.get(address).content
    image = cv2.imdecode(np.frombuffer(first, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape == (180, 320, 3)
    monkeypatch.setattr(previews, "_make", None)
    assert client.get(address).content == first
    assert client.get(reverse("ui:preview", args=[photo.pk, 319])).status_code == 404


def test_old_previews_give_way(settings: Any, tmp_path: Path) -> None:
    settings.LOUPE_HOME = tmp_path
    folder = tmp_path / "cache" / "previews" / "ab"
    folder.mkdir(parents=True)
    for name in ("old", "new"):
        (folder / name).write_bytes(bytes(100))
    import os

    os.utime(folder / "old", (1, 1))
    sweep(150)
    assert [path.name for path in folder.iterdir()] == ["new"]


def test_an_original_is_a_download_whose_type_no_user_chose(as_role: Callable[[str], Client], world: World) -> None:
    client = as_role("data_engineer")
    address = reverse("ui:original", args=[world.photos[0].pk])
    answer = client.get(address)
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert b"".join(answer.streaming_content)[:2] == b"\xff\xd8"  # type: ignore[attr-defined]
    Photo.objects.filter(pk=world.photos[0].pk).update(mime="text/html")
    strange = client.get(address)
    assert strange.headers["Content-Type"] == "application/octet-stream"
    strange.close()


def test_a_photo_that_is_gone_from_the_storage_is_not_found(as_role: Callable[[str], Client], world: World) -> None:
    photo = world.photos[0]
    missing = blobs.key_of("originals", "0" * 64)
    Photo.objects.filter(pk=photo.pk).update(blob=missing, digest="0" * 64)
    client = as_role("data_engineer")
    assert client.get(reverse("ui:preview", args=[photo.pk, 320])).status_code == 404
    assert client.get(reverse("ui:original", args=[photo.pk])).status_code == 404
