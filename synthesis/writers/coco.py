"""COCO instances: boxes, run-length masks and, as extra keys, visibility, whole boxes, classes' own attributes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, TextIO

import numpy as np
from pycocotools import mask as coco_mask

from foundation.errors import InvalidInput
from synthesis.samples import Sample
from synthesis.scenes.heads import HEAD
from synthesis.writers.base import Writer, class_id, encode_png, full_disk_is_named, plain_json

FILE: Final = "annotations.json"
_PARTS: Final = ("images", "annotations")
# Of an instance's labels, what COCO says in its own way or BOP is for.
_LEFT_OUT: Final = {"id", "class", "area", "box", "silhouette", "pose"}


class CocoWriter(Writer):
    """`images/<index>.png` and `annotations.json`.

    An annotation is one visible instance. Beside COCO's keys it has `instance_id` (its value in the scene's map) and
    the instance's other labels: `visibility`, `amodal_box` and what the scene adds. An image has `seed`, `index` and
    `camera`.
    Categories are all the recipe's classes, whether they occur or not; their ids count from 1 in its order. A person's
    head is an annotation of its own with the person's `instance_id`, `head` being a class.

    Args:
        classes: see `Generator.classes`.

    Raises:
        InvalidInput: a sample without instances' labels, or with an instance of another class.
    """

    def __init__(self, target: Path, classes: Sequence[str]) -> None:
        super().__init__(target)
        self._ids = {name: number for number, name in enumerate(classes, 1)}
        self._streams: dict[str, TextIO] = {}
        self._open = ExitStack()

    def _add(self, sample: Sample) -> None:
        if "instance_map" not in sample.labels:
            raise InvalidInput(f"Sample {sample.index} has no instances.", code="bad_sample")
        file = f"images/{sample.key}.png"
        self._put_picture(file, encode_png(sample.image))
        height, width = sample.image.shape[:2]
        about = {"id": sample.index + 1, "file_name": file, "width": width, "height": height}
        about |= {"seed": sample.seed, "index": sample.index, "camera": sample.labels["camera"]}
        self._line("images", about)
        for name, annotation in _annotations(sample):
            self._line("annotations", annotation | {"category_id": class_id(self._ids, name)})

    def _line(self, part: str, value: Any) -> None:
        if part not in self._streams:
            path = self.folder / f"{part}.jsonl"
            self._streams[part] = self._open.enter_context(path.open("w+", encoding="utf-8"))
        self._streams[part].write(plain_json(value) + "\n")

    def finish(self) -> None:
        self._open.close()
        paths = {part: self.folder / f"{part}.jsonl" for part in _PARTS}

        def lines(part: str) -> Iterator[Any]:
            if paths[part].exists():
                with paths[part].open(encoding="utf-8") as stream:
                    yield from map(json.loads, stream)

        categories = [{"id": number, "name": name, "supercategory": ""} for name, number in self._ids.items()]
        _write(self.folder / FILE, lines, categories)
        for path in paths.values():
            path.unlink(missing_ok=True)

    def abandon(self) -> None:
        self._open.close()

    @classmethod
    def merge(cls, parts: Sequence[Path], folder: Path) -> None:
        def read(place: Path) -> Any:
            return json.loads((place / FILE).read_text(encoding="utf-8"))

        def rows(part: str) -> Iterator[Any]:
            for place in parts:
                yield from read(place)[part]

        with full_disk_is_named():
            _write(folder / FILE, rows, read(parts[0])["categories"])


def _annotations(sample: Sample) -> Iterator[tuple[str, dict[str, Any]]]:
    """The class and the annotation, but for its id, of each visible instance and head of one sample."""
    index = sample.labels["instance_map"]
    for instance in sample.labels["instances"]:
        if not instance["area"]:
            continue
        code = coco_mask.encode(np.asfortranarray(index == instance["id"], dtype=np.uint8))
        mask = {"size": code["size"], "counts": code["counts"].decode("ascii")}
        others = {name: value for name, value in instance.items() if name not in _LEFT_OUT}
        head = instance.get(HEAD)
        if head is not None:
            others[HEAD] = {name: value for name, value in head.items() if name != "mask"}
        named = {"image_id": sample.index + 1, "instance_id": instance["id"], "iscrowd": 0}
        about = {"bbox": instance["box"], "area": instance["area"], "segmentation": mask}
        yield instance["class"], others | named | about
        if head is not None and head["area"]:
            shared = {name: head[name] for name in ("amodal_box", "amodal_area", "visibility", "area")}
            yield HEAD, shared | named | {"bbox": head["visible_box"], "segmentation": head["mask"]}


def _write(path: Path, rows: Callable[[str], Iterator[Any]], categories: list[dict[str, Any]]) -> None:
    """The file of all images and annotations, which are never held in memory.

    Args:
        rows: called with `images` or `annotations`, iterates over these; annotations get their ids here.
    """
    numbered = (row | {"id": number} for number, row in enumerate(rows("annotations"), 1))
    with path.open("w", encoding="utf-8") as out:
        out.write('{"info": {"description": "synthetic scenes"},\n"images": ')
        _list(out, rows("images"))
        out.write(',\n"annotations": ')
        _list(out, numbered)
        out.write(',\n"categories": ')
        _list(out, categories)
        out.write("}\n")


def _list(out: TextIO, values: Iterable[Any]) -> None:
    out.write("[")
    for place, value in enumerate(values):
        out.write(",\n" * bool(place) + plain_json(value))
    out.write("]")
