"""The layout of the BOP benchmark for 6D poses, a folder for each scene (bop_toolkit, docs/bop_datasets_format.md)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from foundation.errors import InvalidInput
from synthesis.samples import Sample
from synthesis.writers.base import Writer, class_id, encode_png, full_disk_is_named

SPLIT: Final = "train_pbr"
OBJECTS: Final = "objects.json"
_FILES: Final = ("scene_camera", "scene_gt", "scene_gt_info")


class BopWriter(Writer):
    """`train_pbr/<scene>/` with `rgb`, `depth`, `mask` (silhouettes), `mask_visib` and its JSON files; `objects.json`.

    Lengths are millimetres. Depth is 16 bit; what is farther than 65 m is 0, unknown.
    Objects are classes. `objects.json` has all of the recipe's, {id: name}, whether they occur or not, with the same
    ids as COCO; heads have no pose of their own, so they don't. There are no 3D models. The last `scene_size` images at
    most are in memory, as JSON.

    Args:
        classes: see `Generator.classes`; their ids count from 1.
        scene_size: images in a scene's folder.
        first_scene: number of the first scene, where other writers write those before.

    Raises:
        InvalidInput: a sample without instances' labels, or with an instance of another class.
    """

    def __init__(self, target: Path, classes: Sequence[str], scene_size: int = 1000, first_scene: int = 0) -> None:
        if scene_size < 1:
            raise InvalidInput(f"A scene holds at least one image, not {scene_size}.", code="bad_shard_size")
        super().__init__(target)
        self._ids = {name: number for number, name in enumerate(classes, 1)}
        self.scene_size = scene_size
        self._scene = first_scene
        self._rows: dict[str, dict[str, Any]] = {name: {} for name in _FILES}

    def _add(self, sample: Sample) -> None:
        if "instance_map" not in sample.labels:
            raise InvalidInput(f"Sample {sample.index} has no instances.", code="bad_sample")
        number = len(self._rows["scene_camera"])
        scene = self.folder / SPLIT / f"{self._scene:06d}"
        if not number:
            for name in ("rgb", "depth", "mask", "mask_visib"):
                (scene / name).mkdir(parents=True)
        (scene / "rgb" / f"{number:06d}.png").write_bytes(encode_png(sample.image))
        depth = np.round(sample.labels["depth"] * 1000)
        _write_png(scene / "depth" / f"{number:06d}.png", np.where(depth < 2**16, depth, 0).astype(np.uint16))
        truth, facts = [], []
        instances = [one for one in sample.labels["instances"] if one["amodal_area"]]
        for place, instance in enumerate(instances):
            whole = coco_mask.decode(instance["silhouette"]) * 255
            visible = (sample.labels["instance_map"] == instance["id"]).astype(np.uint8) * 255
            _write_png(scene / "mask" / f"{number:06d}_{place:06d}.png", whole)
            _write_png(scene / "mask_visib" / f"{number:06d}_{place:06d}.png", visible)
            truth.append(_truth(instance, class_id(self._ids, instance["class"])))
            facts.append(_facts(instance, visible > 0, sample.labels["depth"]))
        self._rows["scene_camera"][str(number)] = _camera(sample)
        self._rows["scene_gt"][str(number)] = truth
        self._rows["scene_gt_info"][str(number)] = facts
        if number + 1 == self.scene_size:
            self._flush()

    def _flush(self) -> None:
        for name, rows in self._rows.items():
            _write_json(self.folder / SPLIT / f"{self._scene:06d}" / f"{name}.json", rows)
            rows.clear()
        self._scene += 1

    def finish(self) -> None:
        if self._rows["scene_camera"]:
            self._flush()
        (self.folder / SPLIT).mkdir(exist_ok=True)
        _write_json(self.folder / OBJECTS, {str(number): name for name, number in self._ids.items()})

    @classmethod
    def merge(cls, parts: Sequence[Path], folder: Path) -> None:
        with full_disk_is_named():
            (folder / SPLIT).mkdir(exist_ok=True)
            for part in parts:
                for scene in sorted((part / SPLIT).glob("*")):  # none: no folder
                    target = folder / SPLIT / scene.name
                    target.mkdir(exist_ok=True)
                    for name in _FILES:
                        (target / f"{name}.json").write_bytes((scene / f"{name}.json").read_bytes())
            (folder / OBJECTS).write_bytes((parts[0] / OBJECTS).read_bytes())


def _camera(sample: Sample) -> dict[str, Any]:
    camera = sample.labels["camera"]
    to_camera = np.array(camera["world_to_camera"])
    return {
        "cam_K": np.ravel(camera["K"]).tolist(),
        "depth_scale": 1.0,
        "cam_R_w2c": to_camera[:3, :3].ravel().tolist(),
        "cam_t_w2c": (to_camera[:3, 3] * 1000).tolist(),
        "seed": sample.seed,
        "index": sample.index,
    }


def _truth(instance: dict[str, Any], number: int) -> dict[str, Any]:
    pose = np.array(instance["pose"])
    return {
        "cam_R_m2c": pose[:3, :3].ravel().tolist(),
        "cam_t_m2c": (pose[:3, 3] * 1000).tolist(),
        "obj_id": number,
        "name": instance["class"],
        "instance_id": instance["id"],
    }


def _facts(instance: dict[str, Any], visible: NDArray[np.bool_], depth: NDArray[np.float32]) -> dict[str, Any]:
    return {
        "bbox_obj": instance["amodal_box"],
        "bbox_visib": instance["box"] or [-1, -1, -1, -1],
        "px_count_all": instance["amodal_area"],
        "px_count_valid": int((depth[visible] > 0).sum()),
        "px_count_visib": instance["area"],
        "visib_fract": instance["visibility"],
    }


def _write_png(path: Path, values: NDArray[Any]) -> None:
    done, data = cv2.imencode(".png", values, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not done:
        raise InvalidInput("The image can't be written as PNG.", code="bad_image")
    path.write_bytes(data.tobytes())


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
