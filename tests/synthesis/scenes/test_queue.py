"""Queues: specs hold everything and nobody stands in another; bodies are dressed; heads land in boxes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from foundation.errors import InvalidInput
from synthesis.effects.seeds import item_rng
from synthesis.recipes import load_preset, parse_recipe
from synthesis.samples import Generator, Rejected, make_sample
from synthesis.scenes import anatomy
from synthesis.scenes.bodies import INSTALL, UNIT, PeopleMissing, body_name, keep_body
from synthesis.scenes.heads import place_heads
from synthesis.scenes.people import person
from synthesis.scenes.places import Places, configure, places
from synthesis.scenes.queue import QueueScenes
from synthesis.scenes.scene import close
from tests.conftest import REPOSITORY


@pytest.fixture(scope="session")
def anny() -> None:
    """The body model."""
    pytest.importorskip("anny", reason=INSTALL)


def specs(generator: Generator, seed: int, count: int) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for index in range(10 * count):
        if len(found) == count:
            break
        try:
            found.append(generator.sample(item_rng(seed, index)))
        except Rejected:
            continue
    return found


def test_a_person_is_json_and_the_same_again() -> None:
    crowd = [person(3, number) for number in range(200)]
    assert json.loads(json.dumps(crowd)) == crowd == [person(3, number) for number in range(200)]
    assert len({body_name(one) for one in crowd}) == 200
    assert all(0 <= value <= 1 for one in crowd for value in one["shape"].values())
    styles = {one["hair"]["style"] for one in crowd}
    assert styles == {"short", "long", "bob", "none", "beanie"}
    ages = np.array([one["shape"]["age"] for one in crowd])
    assert 0.02 < (ages < 0.5).mean() < 0.2


@pytest.mark.parametrize("preset", ["queue", "queue_crowded"])
def test_a_spec_is_json_and_orders_the_queue(preset: str) -> None:
    generator = load_preset(preset)
    made = specs(generator, 4, 12)
    assert json.loads(json.dumps(made)) == made == specs(generator, 4, 12)
    for spec in made:
        people = spec["people"]
        assert isinstance(people, list)
        queue = [one for one in people if one["role"] == "queue"]
        assert [one["order"] for one in queue] == list(range(1, len(queue) + 1))
        assert generator.count[0] <= len(queue) <= generator.count[1]  # type: ignore[attr-defined]
        assert all(one["order"] is None for one in people if one["role"] != "queue")
        assert len({one["number"] for one in people}) == len(people)
        places_ = [one["at"] for one in people]
        near = [math.dist(a, b) for k, a in enumerate(places_) for b in places_[:k]]
        assert min(near) > 0.25
        # The first stands nearest to the counter.
        assert queue[0]["at"][1] == max(one["at"][1] for one in queue) or len(queue) > 6


@pytest.mark.parametrize(
    "recipe", ["queue: {count: [0, 90]}", "queue: {spacing: [0.1, 0.2]}", "queue: {people: 5}", "queue: {width: 2}"]
)
def test_a_wrong_setting_is_named(recipe: str) -> None:
    with pytest.raises(InvalidInput):
        parse_recipe(recipe)


def test_heads_become_boxes() -> None:
    seen = np.zeros((100, 200), np.uint16)
    seen[20:60, 50:90] = 7
    k = [[100.0, 0, 100.0], [0, 100.0, 50.0], [0, 0, 1]]
    ball = np.array([[x, y, 2 + z] for x in (-0.2, 0.2) for y in (-0.2, 0.2) for z in (-0.01, 0.01)])
    instances = [
        {"id": 7, "head_points_world": (ball + np.array([-0.6, -0.2, 0])).tolist()},
        {"id": 8, "head_points_world": (ball + np.array([9, 0, 0])).tolist()},
        {"id": 9, "head_points_world": (ball - np.array([0, 0, 3])).tolist()},
    ]
    labels = {"camera": {"K": k, "world_to_camera": np.eye(4).tolist()}, "instance_map": seen, "instances": instances}
    place_heads(labels)
    head = instances[0]["head"]
    assert isinstance(head, dict)
    x, y, w, h = head["box"]
    assert (x, y) == (59, 29) or (abs(x - 59) <= 1 and abs(y - 29) <= 1)
    assert 20 <= w <= 23 and 20 <= h <= 23 and head["visibility"] > 0.95
    x, y, w, h = head["visible_box"]
    assert 400 < head["area"] <= w * h and head["area"] <= head["amodal_area"]
    assert coco_mask.decode(head["mask"])[y : y + h, x : x + w].sum() == coco_mask.area(head["mask"]) == head["area"]
    assert instances[1]["head"] is None and instances[2]["head"] is None


def test_without_the_wheel_a_sentence_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "anny", None)
    anatomy.anatomy.cache_clear()
    with pytest.raises(PeopleMissing, match="pip install"):
        keep_body(tmp_path, person(1, 1))
    with pytest.raises(PeopleMissing, match="pip install"):
        QueueScenes().check()
    anatomy.anatomy.cache_clear()
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_bodies_stand_and_are_dressed(anny: None, tmp_path: Path) -> None:
    for number in range(6):
        one = person(2, number)
        keep_body(tmp_path, one)
        with np.load(tmp_path / body_name(one)) as file:
            arrays = dict(file)
        parts = {name.split("_")[0] for name in arrays if name != "head"}
        assert {"skin", "eyes", "top", "bottom", "shoes"} <= parts
        points = np.concatenate([arrays[name] for name in arrays if name.endswith("vertices")]) * UNIT
        height = points[:, 2].max()
        assert 1.0 < height < 2.15 and -0.02 < points[:, 2].min() < 0.02
        head = arrays["head"] * UNIT
        assert height - 0.4 < head[:, 2].mean() < height and head[:, 2].max() > height - 0.03
        for name in arrays:
            if name.endswith("_faces"):
                assert arrays[name].max() < len(arrays[name.replace("_faces", "_vertices")])
        before = (tmp_path / body_name(one)).read_bytes()
        (tmp_path / body_name(one)).unlink()
        keep_body(tmp_path, one)
        assert (tmp_path / body_name(one)).read_bytes() == before


@pytest.fixture(scope="module")
def blender(blender_python: Path) -> Iterator[None]:
    """Scenes rendered with the environment of this checkout."""
    before = places()
    configure(Places(REPOSITORY / "var" / "blender"))
    yield
    close()
    configure(before)


@pytest.mark.slow
def test_a_rendered_queue_shows_its_people(anny: None, blender: None) -> None:
    sample = make_sample(QueueScenes(width=320, height=240, samples=1, count=(4, 5)), 3, 0)
    people = sample.labels["instances"]
    shown = [one for one in people if one["visibility"] > 0.5]
    assert len(shown) >= 2
    for one in shown:
        (x, y, w, h), head = one["amodal_box"], one["head"]
        if head is None:
            continue
        hx, hy, hw, hh = head["amodal_box"]
        assert x - 2 <= hx and hx + hw <= x + w + 2 and abs(hy - y) <= 0.15 * h + 2
        assert 0.08 * h < hh < 0.35 * h
