"""From files to faces: decode, detect, cut crops and encode them, with all three kept busy at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from annotation.imaging.decode import Decoded
from annotation.imaging.decoder_pool import DecoderPool, Hashed
from annotation.imaging.pack import encode_crop
from annotation.imaging.refusal import ImageRefused
from models_zoo.alignment import align_all, similarity_transforms
from models_zoo.detection import Detections, Detector

# Longer side for detection. Faces that are smaller here than a crop are cut from the file again, at a larger scale.
DETECTION_SIDE = 1280
_GROUP = 8


@dataclass(frozen=True, slots=True)
class File:
    """One file to look at; `key` comes back with the answer."""

    key: str
    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found in one file.

    Attributes:
        hashed: None if the file was refused.
        faces: in pixels of the whole upright photo, highest score first.
        crops: (k, 112, 112, 3) uint8 RGB, aligned.
        pngs: the crops as PNG.
        refusal: why there is no photo.
    """

    file: File
    hashed: Hashed | None
    faces: Detections
    crops: NDArray[np.uint8]
    pngs: tuple[bytes, ...]
    refusal: ImageRefused | None


class FaceFinder:
    """Looks at files; at most a window of them is in memory at any time, however many there are."""

    def __init__(self, decoders: DecoderPool, detector: Detector, *, side: int = DETECTION_SIDE) -> None:
        self._decoders = decoders
        self._detector = detector
        self._side = side
        self._window = _GROUP + 4 * decoders.workers

    def look(self, files: Iterable[File]) -> Iterator[Looked]:
        """One answer per file, in order. Decoding runs ahead of detection."""
        ahead: deque[tuple[File, Future[Hashed]]] = deque()
        source = iter(files)
        while True:
            for file in islice(source, self._window - len(ahead)):
                ahead.append((file, self._decoders.decode(file.data, name=file.name, max_side=self._side)))
            if not ahead:
                return
            yield from self._finish([ahead.popleft() for _ in range(min(_GROUP, len(ahead)))])

    def _finish(self, group: list[tuple[File, Future[Hashed]]]) -> Iterator[Looked]:
        decoded = [_result(future) for _, future in group]
        good = [answer for answer in decoded if isinstance(answer, Hashed)]
        found = iter(self._detector.detect([answer.decoded.image for answer in good]))
        # Crops of a whole group are asked for before the first is waited for.
        waiting = [
            (file, answer, *self._cut(file, answer.decoded, next(found)))
            if isinstance(answer, Hashed)
            else _refused(file, answer)
            for (file, _), answer in zip(group, decoded, strict=True)
        ]
        for entry in waiting:
            yield entry if isinstance(entry, Looked) else _looked(*entry)

    def _cut(
        self, file: File, decoded: Decoded, faces: Detections
    ) -> tuple[Detections, NDArray[np.uint8] | Future[NDArray[np.uint8]]]:
        """Faces in pixels of the whole photo, and their crops: at once, or from the file at the scale they need."""
        if not len(faces):
            return faces, np.empty((0, 112, 112, 3), np.uint8)
        scale = decoded.scale
        whole = _in_whole_photo(faces, scale)
        matrices = similarity_transforms(faces.landmarks)
        # How many pixels of the crop one pixel here would be spread over, at worst.
        spread = float(np.hypot(matrices[:, 0, 0], matrices[:, 1, 0]).max())
        if spread <= 1 or min(scale) >= 1:
            return whole, align_all(decoded.image, faces.landmarks)
        side = int(max(decoded.width, decoded.height) * min(1.0, min(scale) * spread)) + 1
        return whole, self._decoders.crop(file.data, whole.landmarks.astype(np.float64), max_side=side)


def _in_whole_photo(faces: Detections, scale: tuple[float, float]) -> Detections:
    factors = 1.0 / np.array(scale, dtype=np.float32)
    # Boxes are spans between edges; landmarks are pixel centres, which lie half a pixel from the edge.
    landmarks = (faces.landmarks + 0.5) * factors - 0.5
    return Detections(faces.boxes * np.tile(factors, 2), landmarks.astype(np.float32), faces.scores)


def _result(future: Future[Hashed]) -> Hashed | ImageRefused:
    try:
        return future.result()
    except ImageRefused as refusal:
        return refusal


def _looked(
    file: File, hashed: Hashed, faces: Detections, crops: NDArray[np.uint8] | Future[NDArray[np.uint8]]
) -> Looked:
    try:
        cut = crops.result() if isinstance(crops, Future) else crops
    except ImageRefused as refusal:
        return _refused(file, refusal)
    return Looked(file, hashed, faces, cut, tuple(encode_crop(crop) for crop in cut), None)


def _refused(file: File, refusal: ImageRefused) -> Looked:
    return Looked(file, None, Detections.none(), np.empty((0, 112, 112, 3), np.uint8), (), refusal)
