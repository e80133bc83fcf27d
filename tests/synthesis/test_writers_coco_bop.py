"""COCO is read back by pycocotools, BOP by a strict reader of its layout; parts merge into the same whole."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import webdataset
from numpy.typing import NDArray
from pycocotools.coco import COCO

from foundation.errors import InvalidInput
from synthesis.effects import item_rng
from synthesis.recipes import build
from synthesis.samples import Sample
from synthesis.scenes.packaging import PACKAGES
from synthesis.scenes.truth import run_lengths
from synthesis.writers import BopWriter, CocoWriter, WebDatasetWriter
from synthesis.writers.base import is_picture
from synthesis.writers.formats import part_writer, writer_class

H, W = 60, 80
CLASSES = ("jar", "Flasche", "коробка")


def sample(index: int, size: tuple[int, int] = (H, W)) -> Sample:
    """A few overlapping rectangles at known depths, the nearest in front, the last one hidden."""
    rng = np.random.default_rng(index)
    index_map, depth = np.zeros(size, np.uint16), np.full(size, 3.0, np.float32)
    depth[:5] = 0
    boxes = [[int(v) for v in (*rng.integers(0, 40, 2), *rng.integers(5, 20, 2))] for _ in range(4)]
    boxes.append([v + 1 if place < 2 else v - 2 for place, v in enumerate(boxes[3])])
    order = [4, 0, 1, 2, 3]
    for place in order:
        x, y, w, h = boxes[place]
        index_map[y : y + h, x : x + w] = place + 1
        depth[y : y + h, x : x + w] = 2 - place / 10
    instances = [instance(number, box, index_map, CLASSES[(number + index) % 3]) for number, box in enumerate(boxes, 1)]
    camera = {"K": [[70.5, 0, 39.5], [0, 70.5, 29.5], [0, 0, 1]], "world_to_camera": np.eye(4).tolist()}
    labels = {"instance_map": index_map, "depth": depth, "camera": camera, "instances": instances}
    return Sample(rng.integers(0, 256, (*size, 3), dtype=np.uint8), labels, {"kind": "test"}, 7, index, 0)


def instance(number: int, box: list[int], index_map: NDArray[np.uint16], name: str) -> dict[str, Any]:
    x, y, w, h = box
    whole = np.zeros(index_map.shape, np.bool_)
    whole[y : y + h, x : x + w] = True
    rows, columns = np.nonzero(index_map == number)
    seen = None
    if len(rows):
        left, top = int(columns.min()), int(rows.min())
        seen = [left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1]
    return {
        "id": number,
        "class": name,
        "sku": f"S{number}",
        "area": len(rows),
        "box": seen,
        "amodal_area": int(whole.sum()),
        "amodal_box": box,
        "visibility": round(len(rows) / int(whole.sum()), 4),
        "silhouette": run_lengths(whole),
        "pose": [[1, 0, 0, 0.1 * number], [0, 0, -1, 0.2], [0, 1, 0, 2], [0, 0, 0, 1]],
    }


def written(cls: Any, target: Path, samples: list[Sample], **settings: Any) -> Path:
    if cls is not WebDatasetWriter:
        settings.setdefault("classes", CLASSES)
    with cls(target, **settings) as writer:
        for one in samples:
            writer.add(one)
    return target


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_pycocotools_reads_it(tmp_path: Path) -> None:
    samples = [sample(index) for index in range(5)]
    out = written(CocoWriter, tmp_path / "out", samples)
    assert {path.name for path in out.iterdir()} == {"images", "annotations.json"}
    coco = COCO(str(out / "annotations.json"))
    assert sorted(category["name"] for category in coco.loadCats(coco.getCatIds())) == sorted(CLASSES)
    for one in samples:
        (image,) = coco.loadImgs([one.index + 1])
        read = cv2.imread(str(out / image["file_name"]))[..., ::-1]
        assert np.array_equal(read, one.image)
        assert (image["width"], image["height"], image["seed"], image["index"]) == (W, H, 7, one.index)
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]]))
        visible = [instance for instance in one.labels["instances"] if instance["area"]]
        assert [a["instance_id"] for a in annotations] == [instance["id"] for instance in visible]
        assert len(visible) < len(one.labels["instances"])
        for annotation, truth in zip(annotations, visible, strict=True):
            mask = coco.annToMask(annotation)
            assert np.array_equal(mask, one.labels["instance_map"] == truth["id"])
            assert annotation["area"] == mask.sum() == truth["area"]
            assert annotation["bbox"] == truth["box"]
            assert coco.loadCats([annotation["category_id"]])[0]["name"] == truth["class"]
            for key in ("visibility", "amodal_box", "amodal_area", "sku"):
                assert annotation[key] == truth[key]
    ids = coco.getAnnIds()
    assert ids == list(range(1, len(ids) + 1))


def png(path: Path, dtype: Any) -> NDArray[Any]:
    read = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert read is not None
    assert read.dtype == dtype
    return read


def read_bop(out: Path) -> list[dict[str, Any]]:
    """The images of a data set, each with what BOP says of it. Every file must be accounted for."""
    objects = {int(number): name for number, name in json.loads((out / "objects.json").read_text()).items()}
    left = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()} - {"objects.json"}
    found = []
    for scene in sorted((out / "train_pbr").iterdir()):
        about = {
            name: json.loads((scene / f"{name}.json").read_text())
            for name in ("scene_camera", "scene_gt", "scene_gt_info")
        }
        left -= {f"train_pbr/{scene.name}/{name}.json" for name in about}
        assert about["scene_camera"].keys() == about["scene_gt"].keys() == about["scene_gt_info"].keys()
        for number, camera in about["scene_camera"].items():
            stem = f"{int(number):06d}"
            masks: dict[str, list[NDArray[Any]]] = {"mask": [], "mask_visib": []}
            for place, truth in enumerate(about["scene_gt"][number]):
                assert len(truth["cam_R_m2c"]) == 9
                assert len(truth["cam_t_m2c"]) == 3
                for kind, listed in masks.items():
                    name = f"{kind}/{stem}_{place:06d}.png"
                    listed.append(png(scene / name, np.uint8))
                    left.discard(f"train_pbr/{scene.name}/{name}")
            assert len(camera["cam_K"]) == 9
            found.append(
                {
                    "rgb": png(scene / "rgb" / f"{stem}.png", np.uint8)[..., ::-1],
                    "depth": png(scene / "depth" / f"{stem}.png", np.uint16) * camera["depth_scale"],
                    "camera": camera,
                    "instances": list(
                        zip(about["scene_gt"][number], about["scene_gt_info"][number], *masks.values(), strict=True)
                    ),
                    "names": objects,
                }
            )
            left -= {f"train_pbr/{scene.name}/{kind}/{stem}.png" for kind in ("rgb", "depth")}
    assert not left
    return found


def test_bop_is_read_back(tmp_path: Path) -> None:
    samples = [sample(index) for index in range(5)]
    out = written(BopWriter, tmp_path / "out", samples, scene_size=2)
    assert [path.name for path in sorted((out / "train_pbr").iterdir())] == ["000000", "000001", "000002"]
    for one, read in zip(samples, read_bop(out), strict=True):
        assert np.array_equal(read["rgb"], one.image)
        assert np.allclose(read["depth"], one.labels["depth"] * 1000, atol=0.501)
        assert np.array_equal(read["depth"] > 0, one.labels["depth"] > 0)
        assert read["camera"]["cam_K"] == np.ravel(one.labels["camera"]["K"]).tolist()
        for truth, (gt, info, mask, visible) in zip(one.labels["instances"], read["instances"], strict=True):
            assert read["names"][gt["obj_id"]] == truth["class"]
            assert np.array_equal(visible > 0, one.labels["instance_map"] == truth["id"])
            assert set(np.unique(mask)) <= {0, 255}
            assert not ((visible > 0) & (mask == 0)).any()
            x, y, w, h = info["bbox_obj"]
            assert (mask[y : y + h, x : x + w] == 255).all()
            assert (mask > 0).sum() == info["px_count_all"]
            assert info["px_count_visib"] == (visible > 0).sum()
            assert info["px_count_valid"] == ((visible > 0) & (one.labels["depth"] > 0)).sum()
            assert info["visib_fract"] == truth["visibility"]
            assert info["bbox_visib"] == (truth["box"] or [-1, -1, -1, -1])
            assert gt["cam_t_m2c"] == pytest.approx([100 * truth["id"], 200, 2000])


def test_depth_out_of_reach_is_unknown(tmp_path: Path) -> None:
    far = sample(0)
    far.labels["depth"][:] = 65.6
    far.labels["depth"][0] = 65.5
    (read,) = read_bop(written(BopWriter, tmp_path / "out", [far]))
    assert np.allclose(read["depth"][0], 65500)
    assert not read["depth"][1:].any()


@pytest.mark.parametrize("name", ["coco", "bop"])
def test_parts_merge_into_one(name: str, tmp_path: Path) -> None:
    samples = [sample(index) for index in range(7)]
    parts = []
    for ordinal, chosen in enumerate((samples[:3], samples[3:4], [], samples[4:])):
        with part_writer(name, tmp_path / f"part{ordinal}", ordinal, CLASSES) as writer:
            for one in chosen:
                writer.add(one)
        parts.append(tmp_path / f"part{ordinal}")
    merged = tmp_path / "merged"
    merged.mkdir()
    for part in parts:
        for path in [path for path in part.rglob("*") if path.is_file() and is_picture(path)]:
            target = merged / path.relative_to(part)
            assert not target.exists()
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, target)
        for empty in sorted((path for path in part.rglob("*") if path.is_dir()), reverse=True):
            if not any(empty.iterdir()):
                empty.rmdir()
    writer_class(name).merge(parts, merged)
    if name == "coco":
        assert contents(merged) == contents(written(CocoWriter, tmp_path / "whole", samples))
    else:
        read = read_bop(merged)
        assert len(read) == 7
        for one, again in zip(samples, read, strict=True):
            assert np.array_equal(again["rgb"], one.image)
            assert again["camera"]["index"] == one.index
            names = [again["names"][gt["obj_id"]] for gt, *_ in again["instances"]]
            assert names == [truth["class"] for truth in one.labels["instances"]]


@pytest.mark.parametrize("cls", [CocoWriter, BopWriter])
def test_same_bytes_and_nothing_half_written(cls: Any, tmp_path: Path) -> None:
    samples = [sample(index) for index in range(3)]
    one, two = (contents(written(cls, tmp_path / name, samples)) for name in ("one", "two"))
    assert one == two
    with pytest.raises(InvalidInput, match="no instances"), cls(tmp_path / "bad", CLASSES) as writer:
        writer.add(samples[0])
        writer.add(Sample(samples[0].image, {"text": "a"}, {}, 7, 1, 0))
    assert {path.name for path in tmp_path.iterdir()} == {"one", "two"}


@pytest.mark.parametrize("name", ["coco", "bop"])
def test_a_class_has_the_same_id_whatever_else_occurs(name: str, tmp_path: Path) -> None:
    classes = ("lid", *CLASSES, "crate")
    one = sample(0)
    for instance in one.labels["instances"]:
        instance["class"] = CLASSES[2]  # the only one that occurs
    with part_writer(name, tmp_path / "out", 0, classes) as writer:
        writer.add(one)
    if name == "coco":
        found = json.loads((tmp_path / "out" / "annotations.json").read_text())
        assert [(one["id"], one["name"]) for one in found["categories"]] == list(enumerate(classes, 1))
        ids = {annotation["category_id"] for annotation in found["annotations"]}
    else:
        (read,) = read_bop(tmp_path / "out")
        assert read["names"] == dict(enumerate(classes, 1))
        ids = {gt["obj_id"] for gt, *_ in read["instances"]}
    assert ids == {classes.index(CLASSES[2]) + 1}
    with (
        pytest.raises(InvalidInput, match="'коробка' is no class"),
        part_writer(name, tmp_path / "no", 0, ("a",)) as no,
    ):
        no.add(one)


def test_heads_are_annotations_of_their_own(tmp_path: Path) -> None:
    one = sample(0)
    number = max(one.labels["instances"], key=lambda instance: instance["area"])["id"]
    seen = one.labels["instance_map"] == number
    seen[int(np.nonzero(seen)[0].max()) :] = False
    x, y, w, h = cv2.boundingRect(seen.astype(np.uint8))
    head = {"box": [1, 2, 30, 40], "amodal_box": [-3, 2, 34, 40], "amodal_area": 900, "area": int(seen.sum())}
    head |= {"visible_box": [x, y, w, h], "mask": run_lengths(seen), "visibility": 0.25}
    for instance in one.labels["instances"]:
        instance["head"] = None
    one.labels["instances"][number % 5]["head"] = {**head, "area": 0, "visible_box": None}
    one.labels["instances"][number - 1]["head"] = head
    classes = (*CLASSES, "head")
    coco = COCO(str(written(CocoWriter, tmp_path / "out", [one], classes=classes) / "annotations.json"))
    (found,) = coco.loadAnns(coco.getAnnIds(catIds=[4]))
    assert np.array_equal(coco.annToMask(found), seen)
    assert (found["bbox"], found["area"], found["instance_id"]) == ([x, y, w, h], int(seen.sum()), number)
    assert (found["visibility"], found["amodal_box"]) == (0.25, [-3, 2, 34, 40])
    (person,) = (a for a in coco.loadAnns(coco.getAnnIds(catIds=[1, 2, 3])) if a["instance_id"] == number)
    assert person["head"]["box"] == [1, 2, 30, 40]
    assert "mask" not in person["head"]
    (read,) = read_bop(written(BopWriter, tmp_path / "bop", [one], classes=classes))
    assert read["names"][4] == "head"


def test_scenes_know_their_classes() -> None:
    kinds = {package.kind for packages in PACKAGES.values() for package in packages}
    assert set(build({"shelf": {}}).classes()) == {*kinds, "price_tag"}
    assert build({"queue": {}}).classes() == ("person", "head")
    spec = [build({"boxes": {}}).sample(item_rng(1, index)) for index in range(20)]
    assert {box["class"] for one in spec for box in one["boxes"]} == set(build({"boxes": {}}).classes())
    mixed = build({"mixture": {"generators": [{"queue": {}}, {"boxes": {}}, {"queue": {}}]}})
    assert mixed.classes() == ("person", "head", "cube", "slab", "tower")


@pytest.mark.parametrize("cls", [CocoWriter, BopWriter])
def test_empty_sets_are_sets(cls: Any, tmp_path: Path) -> None:
    out = written(cls, tmp_path / "out", [])
    if cls is CocoWriter:
        assert COCO(str(out / "annotations.json")).getImgIds() == []
    else:
        assert read_bop(out) == []


def test_shards_hold_maps_as_arrays(tmp_path: Path) -> None:
    samples = [sample(index) for index in range(3)]
    out = written(WebDatasetWriter, tmp_path / "out", samples, shard_size=2)
    shards = [str(path) for path in sorted(out.iterdir())]
    assert len(shards) == 2
    read = list(webdataset.WebDataset(shards, shardshuffle=False).decode("rgb8"))
    for one, item in zip(samples, read, strict=True):
        assert np.array_equal(item["png"], one.image)
        assert np.array_equal(item["maps.npz"]["instance_map"], one.labels["instance_map"])
        assert np.array_equal(item["maps.npz"]["depth"], one.labels["depth"])
        assert item["json"]["labels"]["instances"] == one.labels["instances"]
