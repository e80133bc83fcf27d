"""YuNet on OpenVINO: batches, working sizes, and a closer look where faces are small or none was found."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from foundation.errors import InvalidInput
from models_zoo.alignment import degenerate
from models_zoo.detection.base import Detections
from models_zoo.detection.decode import decode, joined, suppress
from models_zoo.detection.yunet_network import YuNetNetwork

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Look:
    """One pass over a photo: its longest side is scaled to `side`, by at most `most_enlarged` times."""

    side: int
    most_enlarged: float
    threshold: float


@dataclass(frozen=True, slots=True)
class YuNetConfig:
    """How photos are looked at. The defaults were chosen on street photos and on degraded portraits.

    Attributes:
        first: every photo.
        closer: photos in which `first` found nothing, or a face smaller than `closer_below`: where one face is
            small, others may be smaller. What it finds is added.
        closer_below: pixels in the image that `first` saw, square root of the box's area.
        last: photos in which neither found a face. Shrinking hides noise and blur, so it may ask for less certainty.
        iou: boxes that overlap by more are the same face.
        most_faces: per photo, the best.
        batch_pixels: bound on the pixels of one batch, and so on its memory.
    """

    first: Look = Look(640, 1.0, 0.6)
    closer: Look | None = Look(1280, 2.0, 0.7)
    closer_below: float = 48.0
    last: Look | None = Look(160, 1.0, 0.4)
    iou: float = 0.3
    most_faces: int = 1000
    batch_pixels: int = 8 * 640 * 640


class YuNet:
    """Face detector (Wu, Peng, Yu 2023). Safe to call from several threads, one call runs at a time."""

    def __init__(self, path: Path, config: YuNetConfig | None = None, *, threads: int | None = None) -> None:
        """Load the published ONNX file.

        Args:
            path: from `weights.fetch`.
            threads: CPU threads; all cores when None.

        Raises:
            InvalidInput: the file is not YuNet.
        """
        self.config = config or YuNetConfig()
        self._network = YuNetNetwork(path, threads=threads)
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return "yunet-2023mar"

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """See `Detector.detect`."""
        for image in images:
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
                raise InvalidInput(f"An image is uint8 (h, w, 3), not {image.dtype} {image.shape}.", code="bad_image")
        config = self.config
        found = [Detections.none()] * len(images)
        with self._lock:
            self._look(images, range(len(images)), config.first, found)
            if config.closer:
                small = [index for index, image in enumerate(images) if self._wants_closer(image, found[index])]
                self._look(images, small, config.closer, found)
            if config.last:
                self._look(images, [index for index, faces in enumerate(found) if not len(faces)], config.last, found)
        return found

    def _wants_closer(self, image: Image, faces: Detections) -> bool:
        if not len(faces):
            return True
        sides = np.sqrt(faces.boxes[:, 2] * faces.boxes[:, 3])
        return bool(sides.min() * _scale(image, self.config.first) < self.config.closer_below)

    def _look(self, images: Sequence[Image], chosen: Iterable[int], look: Look, found: list[Detections]) -> None:
        """Add to `found` what this look sees in the chosen images, in batches of images of one padded size."""
        groups: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for index in chosen:
            width, height = _working_size(images[index], look)
            groups[(_padded(width), _padded(height))].append(index)
        for (width, height), members in groups.items():
            step = max(1, self.config.batch_pixels // (width * height))
            for start in range(0, len(members), step):
                self._run(images, members[start : start + step], (width, height), look, found)

    def _run(
        self, images: Sequence[Image], members: list[int], padded: tuple[int, int], look: Look, found: list[Detections]
    ) -> None:
        batch = np.zeros((len(members), padded[1], padded[0], 3), dtype=np.uint8)
        scales = []
        for row, index in enumerate(members):
            image = images[index]
            width, height = _working_size(image, look)
            batch[row, :height, :width] = _resized(image, width, height)
            scales.append((image.shape[1] / width, image.shape[0] / height))
        maps = self._network.run(batch)
        for row, index in enumerate(members):
            seen = decode(maps, row, padded[0], threshold=look.threshold).scaled(*scales[row])
            seen = seen.subset(~degenerate(seen.landmarks))
            found[index] = suppress(joined(found[index], seen), iou=self.config.iou, most=self.config.most_faces)


def _scale(image: Image, look: Look) -> float:
    height, width = image.shape[:2]
    return float(min(look.most_enlarged, look.side / max(height, width)))


def _working_size(image: Image, look: Look) -> tuple[int, int]:
    height, width = image.shape[:2]
    scale = _scale(image, look)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _padded(side: int) -> int:
    return -(-side // 32) * 32


def _resized(image: Image, width: int, height: int) -> Image:
    if (height, width) == image.shape[:2]:
        return image
    smaller = width * height < image.shape[0] * image.shape[1]
    resized: Any = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.uint8)
