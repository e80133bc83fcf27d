"""Pictures on things, drawn when a scene needs them and kept: files named by a digest of what they show."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2

from foundation.errors import StorageFull
from synthesis.effects.base import Image
from synthesis.scenes import labels
from synthesis.scenes.labels import paint_label
from synthesis.scenes.price_tags import Tag, paint_tag
from synthesis.scenes.printing import Printed
from synthesis.scenes.products import Product
from synthesis.text.fonts import Shelf

Texts = list[dict[str, Any]]


def label_name(product: Product) -> str:
    """The file's name. The price isn't on the label."""
    return _name("label", {key: value for key, value in product.items() if key != "price"})


def tag_name(tag: Tag) -> str:
    """The file's name."""
    return _name("tag", tag)


def keep_label(folder: Path, product: Product, fonts: Shelf) -> Texts:
    """Make sure that the label's picture is in the folder. Returns its texts.

    Raises:
        StorageFull: it can't be written.
        NotFound: a font is missing.
    """
    return _keep(folder / label_name(product), lambda: paint_label(product, fonts))


def keep_tag(folder: Path, tag: Tag, fonts: Shelf) -> Texts:
    """Make sure that the tag's picture is in the folder. Returns its texts. Raises as `keep_label`."""
    return _keep(folder / tag_name(tag), lambda: paint_tag(tag, fonts))


def _name(what: str, content: dict[str, Any]) -> str:
    text = json.dumps([labels.VERSION, what, content], sort_keys=True)
    return f"{what}-{hashlib.sha256(text.encode()).hexdigest()[:24]}.png"


def _keep(path: Path, paint: Callable[[], tuple[Image, list[Printed]]]) -> Texts:
    """The texts lie beside the picture and are written after it: where they are, both are complete."""
    beside = path.with_suffix(".json")
    try:
        return list(json.loads(beside.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        pass
    image, printed = paint()
    texts = [text.to_json() for text in printed]
    _, encoded = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 3])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, encoded.tobytes())
        _write(beside, json.dumps(texts, ensure_ascii=False).encode())
    except OSError as error:
        raise StorageFull(f"The label {path.name} can't be written: {error.strerror}.") from error
    return texts


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    partial.write_bytes(content)
    partial.replace(path)
