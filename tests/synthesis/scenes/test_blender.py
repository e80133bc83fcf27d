"""Blender itself: exact labels, the same bytes whatever came before, and an end when nobody needs it any more."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from synthesis.effects.seeds import item_rng
from synthesis.recipes import load_preset
from synthesis.scenes import truth
from synthesis.scenes.boxes import Boxes
from synthesis.scenes.driver import Driver, SceneFailed
from synthesis.scenes.scene import Scene

pytestmark = pytest.mark.slow
SMALL = Boxes(width=160, height=120, samples=2)
LARGE = Boxes(width=640, height=480, samples=1, count=(20, 30))


@pytest.fixture(scope="module")
def driver(blender_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    with Driver(blender_python, textures=tmp_path_factory.mktemp("textures")) as made:
        yield made


def digest(driver: Driver, spec: dict[str, Any]) -> str:
    """Of every byte of the image and its labels."""
    image, labels = driver.render(spec, truth.read)
    whole = hashlib.sha256(image.tobytes())
    for name in sorted(labels):
        value = labels[name]
        whole.update(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())
    return whole.hexdigest()


def spec_of(scene: Boxes, index: int) -> dict[str, Any]:
    return scene.sample(item_rng(7, index))


def test_same_bytes_whatever_came_before_and_after_a_kill(driver: Driver) -> None:
    spec = spec_of(SMALL, 0)
    first = digest(driver, spec)
    others = {digest(driver, spec_of(SMALL, index)) for index in range(1, 21)}
    assert len(others) == 20
    assert digest(driver, spec) == first
    assert driver.pid is not None
    os.kill(driver.pid, signal.SIGKILL)
    assert digest(driver, spec) == first
    pid = driver.pid
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(digest, driver, spec_of(Boxes(width=640, height=480, samples=16), 3))
        time.sleep(0.5)
        os.kill(pid, signal.SIGKILL)
        again = slow.result()
    assert again == digest(driver, spec_of(Boxes(width=640, height=480, samples=16), 3))


def test_same_bytes_with_any_number_of_threads(blender_python: Path, tmp_path: Path) -> None:
    found = set()
    for threads in (1, 2, 3):
        with Driver(blender_python, textures=tmp_path, threads=threads) as one:
            found.add(digest(one, spec_of(SMALL, 0)))
    assert len(found) == 1


@pytest.mark.parametrize("aperture", [0, 1.4])
def test_the_map_is_what_rays_hit(driver: Driver, aperture: float) -> None:
    spec = spec_of(Boxes(width=640, height=480, samples=1, count=(20, 30), aperture=aperture), 5)
    _, labels = driver.render(spec, truth.read)
    pixels = [(int(x), int(y)) for x, y in np.random.default_rng(0).integers(0, (640, 480), (20_000, 2))]
    seen = driver.rays(spec, pixels)
    assert len(set(seen)) > 10
    assert [labels["instance_map"][y, x] for x, y in pixels] == seen


@pytest.mark.parametrize("name", ["shelf", "queue"])
def test_presets_maps_are_what_rays_hit(driver: Driver, name: str) -> None:
    """Fine meshes have pixels whose ray runs along an edge, where either answer is right: one in 20,000 may differ."""
    if name == "queue":
        pytest.importorskip("anny")
    scene = load_preset(name)
    assert isinstance(scene, Scene)
    spec = scene.prepare(replace(scene, samples=1).sample(item_rng(7, 2)), driver.textures)
    _, labels = driver.render(spec, truth.read)
    pixels = [(int(x), int(y)) for x, y in np.random.default_rng(0).integers(0, (640, 480), (20_000, 2))]
    seen = driver.rays(spec, pixels)
    assert len(set(seen)) > 5
    assert sum(labels["instance_map"][y, x] != hit for (x, y), hit in zip(pixels, seen, strict=True)) <= 1


def test_depth_camera_and_poses_agree(driver: Driver) -> None:
    """Pixels taken back into space lie on the table or on the surface of their own box."""
    spec = spec_of(LARGE, 2)
    _, labels = driver.render(spec, truth.read)
    rows, columns = np.nonzero(labels["depth"])
    rays = np.linalg.solve(np.array(labels["camera"]["K"]), np.stack([columns, rows, np.ones(len(rows))]))
    seen = np.vstack([rays * labels["depth"][rows, columns], np.ones(len(rows))])
    world = np.linalg.inv(np.array(labels["camera"]["world_to_camera"])) @ seen
    ids = labels["instance_map"][rows, columns]
    assert np.abs(world[2, ids == 0]).max() < 0.021  # the table's top, or its edge of 2 cm
    for instance in labels["instances"]:
        if instance["area"]:
            local = np.linalg.inv(np.array(instance["pose"])) @ seen[:, ids == instance["id"]]
            outside = np.abs(local[:3]).max(axis=1) - np.array(instance["size"]) / 2
            assert np.abs(np.abs(local[:3].T) - np.array(instance["size"]) / 2).min(axis=1).max() < 1e-3
            assert outside.max() < 1e-3


def test_silhouettes_are_those_of_boxes_alone(driver: Driver) -> None:
    """Each box's silhouette and boxes are what the map shows when the others are taken away."""
    spec = spec_of(LARGE, 4)
    _, labels = driver.render(spec, truth.read)
    for instance, box in list(zip(labels["instances"], spec["boxes"], strict=True))[::4]:
        _, alone = driver.render(spec | {"boxes": [box]}, truth.read)
        seen = alone["instance_map"] == instance["id"]
        drawn: NDArray[np.bool_] = coco_mask.decode(instance["silhouette"]).astype(bool)
        assert (seen != drawn).sum() <= 2
        assert alone["instances"][0]["amodal_box"] == instance["amodal_box"]
        assert alone["instances"][0]["amodal_area"] == pytest.approx(instance["amodal_area"], abs=2)
        assert instance["visibility"] == pytest.approx(instance["area"] / instance["amodal_area"], abs=1e-4)


def test_what_is_wrong_with_a_scene_is_said(driver: Driver) -> None:
    spec = spec_of(SMALL, 0)
    with pytest.raises(SceneFailed, match="KeyError: 'boxes'"):
        driver.render({name: value for name, value in spec.items() if name != "boxes"}, truth.read)
    for kind in ("absent", "../boxes", "os"):
        with pytest.raises(SceneFailed, match=kind):
            driver.render(spec | {"kind": kind}, truth.read)
    twins = spec | {"boxes": [spec["boxes"][0], spec["boxes"][0]]}
    with pytest.raises(truth.BadScene, match="instances"):
        driver.render(twins, truth.read)
    assert digest(driver, spec)


_PARENT = """
import json, sys, threading, time
from pathlib import Path
from synthesis.scenes.driver import Driver
driver = Driver(Path(sys.argv[1]), textures=Path("."))
threading.Thread(target=driver.render, args=(json.loads(sys.argv[2]), print), daemon=True).start()
while driver.pid is None:
    time.sleep(0.05)
print(driver.pid, flush=True)
time.sleep(600)
"""


def test_it_ends_with_its_parent_while_it_renders(blender_python: Path) -> None:
    spec = spec_of(Boxes(width=1280, height=960, samples=4096), 0)
    command = [sys.executable, "-c", _PARENT, str(blender_python), json.dumps(spec)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = psutil.Process(int(parent.stdout.readline()))
        while worker.cpu_times().user < 6:
            assert worker.is_running()
            time.sleep(0.1)
        parent.kill()
    deadline = time.monotonic() + 60
    while worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)
