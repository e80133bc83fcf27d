"""Shelves: specs hold everything and nothing impossible; shapes are closed; texts land where they are printed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from foundation.errors import InvalidInput
from synthesis.effects.seeds import item_rng
from synthesis.recipes import load_preset, parse_recipe
from synthesis.samples import make_sample
from synthesis.scenes.blender.forms import form, locate
from synthesis.scenes.cameras import horizontal_angle, look_at, project
from synthesis.scenes.packaging import PACKAGES, Package
from synthesis.scenes.places import Places, configure, places
from synthesis.scenes.planogram import Habits
from synthesis.scenes.scene import close
from synthesis.scenes.shelf import ShelfScenes
from synthesis.text.fonts import Shelf
from tests.conftest import REPOSITORY

ALL = [package for forms in PACKAGES.values() for package in forms]


@pytest.mark.parametrize("preset", ["shelf", "shelf_promotion"])
def test_a_spec_is_json_and_the_same_again(preset: str, system_shelf: Shelf) -> None:
    generator = load_preset(preset)
    specs = [generator.sample(item_rng(5, index)) for index in range(6)]
    assert json.loads(json.dumps(specs)) == specs == [generator.sample(item_rng(5, index)) for index in range(6)]
    assert len({json.dumps(spec) for spec in specs}) == 6


def test_things_stand_on_boards_in_the_picture(system_shelf: Shelf) -> None:
    generator = ShelfScenes()
    for index in range(8):
        spec = generator.sample(item_rng(6, index))
        boards, depth = np.array(spec["gondola"]["boards"]), spec["gondola"]["depth"]
        assert (np.diff(boards) > 0.2).all()
        for item in spec["items"]:
            package = spec["products"][item["product"]]["package"]
            matrix = np.array(item["matrix"])
            assert np.allclose(matrix[:, :3] @ matrix[:, :3].T, np.eye(3), atol=1e-4)
            vertices = form(package).vertices @ matrix[:, :3].T + matrix[:, 3]
            below = np.abs(boards - vertices[:, 2].min()).min()
            stacked = (vertices[:, 2].min() - boards[boards < vertices[:, 2].min() + 0.01].max()) / package["height"]
            assert below < 0.01 or abs(stacked - round(stacked)) < 0.05, "neither on a board nor on a stack"
            assert vertices[:, 1].min() > -0.12 and vertices[:, 1].max() < depth + 0.12
        camera = spec["camera"]
        origins = np.array([np.array(item["matrix"])[:, 3] for item in spec["items"]])
        seen = project(np.array(camera["matrix"]), camera["angle"], 640 / 480, origins)
        assert (seen[:, 2] > 0).all() and np.abs(seen[:, :2]).max() < 2.5


def test_habits_set_the_shares(system_shelf: Shelf) -> None:
    tidy = ShelfScenes(habits=Habits(gaps=0, turned=0, fallen=0, strayed=0, untidiness=0), promotions=0)
    messy = ShelfScenes(habits=Habits(turned=0.3, fallen=0.3, stacks=0, untidiness=1), promotions=1)
    neat = [tidy.sample(item_rng(1, index)) for index in range(4)]
    wild = [messy.sample(item_rng(1, index)) for index in range(4)]
    assert {item["facing"] for spec in neat for item in spec["items"]} == {"front"}
    shares = [
        np.mean([item["facing"] == facing for spec in wild for item in spec["items"]])
        for facing in ("turned", "fallen")
    ]
    assert all(0.1 < share < 0.6 for share in shares), shares
    assert not any(tag["tag"]["offer"] for spec in neat for tag in spec["tags"])
    assert all(tag["tag"]["offer"] for spec in wild for tag in spec["tags"])


def test_texts_are_added_from_the_pictures(system_shelf: Shelf, tmp_path: Path) -> None:
    generator = ShelfScenes()
    spec = generator.sample(item_rng(3, 1))
    ready = generator.prepare(spec, tmp_path)
    for entry in ready["products"]:
        assert (tmp_path / entry["texture"]).is_file()
        assert entry["brand"] in [text["text"] for text in entry["texts"]]
    for tag in ready["tags"]:
        assert (tmp_path / tag["texture"]).is_file() and tag["tag"]["price"] in [text["text"] for text in tag["texts"]]
    assert "texts" not in spec["products"][0]
    spec["products"][0]["texture"] = "label-of-other-fonts.png"
    with pytest.raises(InvalidInput, match="fonts"):
        generator.prepare(spec, tmp_path)


@pytest.mark.parametrize(
    "recipe",
    ["shelf: {products: 2}", "shelf: {distance: [0.1, 1.0]}", "shelf: {currencies: []}", "shelf: {yaw: [5, -5]}"],
)
def test_a_wrong_setting_is_named(recipe: str) -> None:
    with pytest.raises(InvalidInput):
        parse_recipe(recipe)


@pytest.mark.parametrize("package", ALL, ids=lambda package: f"{package.profile}-{package.height}")
def test_shapes_have_their_size_and_look_outwards(package: Package) -> None:
    given = package.to_json()
    made = form(given)
    size = np.ptp(made.vertices, axis=0)
    wanted = np.array([given["width"], given["depth"], given["height"]])
    assert (np.abs(size - wanted) < 0.06 * wanted + 0.016).all()
    printed = np.repeat(np.array(made.slots) == 0, [len(face) for face in made.faces])
    assert made.uvs[printed].min() >= -1e-9 and made.uvs[printed].max() <= 1 + 1e-9
    assert len(made.uvs) == sum(len(face) for face in made.faces)
    middle = made.vertices.mean(axis=0)
    volume = 0.0
    for face in made.faces:
        corners = made.vertices[list(face)] - middle
        for k in range(1, len(face) - 1):
            volume += float(np.dot(corners[0], np.cross(corners[k], corners[k + 1]))) / 6
    assert 0.2 * wanted.prod() < volume < 1.15 * wanted.prod()


@pytest.mark.parametrize("package", ALL, ids=lambda package: f"{package.profile}-{package.height}")
def test_places_on_a_label_are_those_of_the_mesh(package: Package) -> None:
    """At each corner of a printed face, `locate` of its texture coordinate is the corner."""
    given = package.to_json()
    made, start, off = form(given), 0, []
    for face, slot in zip(made.faces, made.slots, strict=True):
        uvs = made.uvs[start : start + len(face)]
        start += len(face)
        points = np.column_stack([uvs[:, 0], 1 - uvs[:, 1]])
        corners = made.vertices[list(face)]
        normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
        if slot or len(face) != 4 or np.linalg.norm(normal) < 1e-7:
            continue
        if not made.smooth[0] and np.abs(normal).max() < 0.99 * np.linalg.norm(normal):
            continue  # a bevel
        found, normals = locate(given, points)
        if given["profile"] == "block" and abs(normal[1]) < 1e-9:
            continue  # plain, like the edge of the back
        if not made.smooth[0] and (corners[:, 0].max() < 0 or corners[:, 2].max() < 0.01):
            continue  # the left side shows the right side's print, the bottom that of the top
        off.append(np.linalg.norm(found - corners, axis=1).max())
        assert (normals @ normal > 0).all()
    # Printed cans and bottles may be a little narrower than the package is at its widest.
    assert off and max(off) < (0.04 * given["width"] if "wrap" in given["regions"] else 1e-6)


def test_a_camera_sees_its_target_in_the_middle() -> None:
    matrix = look_at((0, -2, 1.5), (0.5, 0, 1.0), 3.0)
    angle = horizontal_angle(26, 640, 480)
    assert 1.1 < angle < 1.25
    middle, right, up = project(matrix, angle, 4 / 3, np.array([[0.5, 0, 1.0], [0.9, 0, 1.0], [0.5, 0, 1.3]]))
    assert np.allclose(middle[:2], 0, atol=1e-9) and middle[2] == pytest.approx(np.sqrt(0.25 + 4 + 0.25))
    assert right[0] > 0.1 and up[1] > 0.1


@pytest.fixture(scope="module")
def blender(blender_python: Path) -> Iterator[None]:
    """Scenes rendered with the environment of this checkout."""
    before = places()
    configure(Places(REPOSITORY / "var" / "blender"))
    yield
    close()
    configure(before)


@pytest.mark.slow
def test_a_rendered_shelf_has_its_labels_where_they_are(blender: None, system_shelf: Shelf) -> None:
    sample = make_sample(ShelfScenes(width=320, height=240, samples=1), 4, 0)
    instances = sample.labels["instances"]
    shown = [one for one in instances if one["area"] > 200]
    assert len(shown) > 5 and {one["class"] for one in instances} > {"price_tag"}
    fronts = [one for one in shown if one.get("facing") == "front" and one["visibility"] > 0.8]
    said = [text for one in fronts for text in one["texts"] if text["visible"] > 0.9]
    assert any(one["brand"] in [text["text"] for text in one["texts"]] for one in fronts)
    assert all(-200 < x < 520 for text in said for x, _ in text["quad"])
