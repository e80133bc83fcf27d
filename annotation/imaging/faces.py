"""From files to faces: decode, detect, cut, measure and encode, with all of them kept busy at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from annotation.imaging.decode import Decoded
from annotation.imaging.decoder_pool import DecoderPool, Hashed
from annotation.imaging.pack import encode_crop
from annotation.imaging.refusal import ImageRefused
from models_zoo.alignment import align_all, similarity_transforms
from models_zoo.detection import Detections, Detector
from models_zoo.quality import measure

# Longer side for detection. Faces that are smaller here than a crop are cut from the file again, at a larger scale.
DETECTION_SIDE = 1280
_GROUP = 8
_WINDOW_BYTES = 128 << 20
# Groups whose crops are cut and encoded while the next is being detected.
_GROUPS_BEHIND = 2
_NO_PIXELS = np.empty((0, 0, 3), np.uint8)
_NO_CROPS = np.empty((0, 112, 112, 3), np.uint8)


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
        size: bytes of the file.
        hashed: the image without its pixels, and its hash; None if the file was refused.
        faces: in pixels of the whole upright photo, highest score first.
        crops: (k, 112, 112, 3) uint8 RGB, aligned.
        pngs: the crops as PNG.
        qualities: {measure: value} of each face, as in `models_zoo.quality.Quality`.
        refusal: why there is no photo.
    """

    key: str
    size: int
    hashed: Hashed | None
    faces: Detections
    crops: NDArray[np.uint8]
    pngs: tuple[bytes, ...]
    qualities: tuple[dict[str, float], ...]
    refusal: ImageRefused | None


class FaceFinder:
    """Looks at files; at most a window of them is in memory at any time, however many there are. A context manager."""

    def __init__(self, decoders: DecoderPool, detector: Detector, *, side: int = DETECTION_SIDE) -> None:
        self._decoders = decoders
        self._detector = detector
        self._side = side
        self._window = _GROUP + 4 * decoders.workers
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="crops")

    def look(self, files: Iterable[File]) -> Iterator[Looked]:
        """One answer per file, in order. Decoding runs ahead of detection, cutting and encoding behind it."""
        ahead: deque[tuple[File, Future[Hashed]]] = deque()
        behind: deque[list[Future[Looked]]] = deque()
        source = iter(files)
        while True:
            for file in self._next_files(source, ahead):
                ahead.append((file, self._decoders.decode(file.data, name=file.name, max_side=self._side)))
            if ahead:
                behind.append(self._detect([ahead.popleft() for _ in range(min(_GROUP, len(ahead)))]))
            if not behind:
                return
            if len(behind) > _GROUPS_BEHIND or not ahead:
                for future in behind.popleft():
                    yield future.result()

    def _next_files(self, source: Iterator[File], ahead: deque[tuple[File, Future[Hashed]]]) -> Iterator[File]:
        """As many as the window has room for, in files and in bytes; one at least if there is none."""
        held = sum(len(file.data) for file, _ in ahead)
        while len(ahead) < self._window and (held < _WINDOW_BYTES or not ahead):
            file = next(source, None)
            if file is None:
                return
            held += len(file.data)
            yield file

    def close(self) -> None:
        """End the threads; what was not yielded is dropped."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _detect(self, group: list[tuple[File, Future[Hashed]]]) -> list[Future[Looked]]:
        decoded = [_result(future) for _, future in group]
        good = [answer for answer in decoded if isinstance(answer, Hashed)]
        found = iter(self._detector.detect([answer.decoded.image for answer in good]))
        return [
            self._threads.submit(self._look, file, answer, next(found))
            if isinstance(answer, Hashed)
            else self._threads.submit(_refused, file, answer)
            for (file, _), answer in zip(group, decoded, strict=True)
        ]

    def _look(self, file: File, hashed: Hashed, found: Detections) -> Looked:
        """Cut, measure and encode the faces of one file."""
        try:
            faces, crops = self._cut(file, hashed.decoded, found)
        except ImageRefused as refusal:
            return _refused(file, refusal)
        qualities = tuple(measure(crops, faces.landmarks, faces.scores).rows())
        pngs = tuple(encode_crop(crop) for crop in crops)
        facts = replace(hashed, decoded=replace(hashed.decoded, image=_NO_PIXELS))
        return Looked(file.key, len(file.data), facts, faces, crops, pngs, qualities, None)

    def _cut(self, file: File, decoded: Decoded, found: Detections) -> tuple[Detections, NDArray[np.uint8]]:
        """Faces in pixels of the whole photo, and crops from these pixels, or from the file at the scale they need."""
        if not len(found):
            return found, _NO_CROPS
        scale = decoded.scale
        whole = _in_whole_photo(found, scale)
        matrices = similarity_transforms(found.landmarks)
        # How many pixels of the crop one pixel here would be spread over, at worst.
        spread = float(np.hypot(matrices[:, 0, 0], matrices[:, 1, 0]).max())
        if spread <= 1 or min(scale) >= 1:
            return whole, align_all(decoded.image, found.landmarks)
        side = int(max(decoded.width, decoded.height) * min(1.0, min(scale) * spread)) + 1
        return whole, self._decoders.crop(file.data, whole.landmarks.astype(np.float64), max_side=side).result()


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


def _refused(file: File, refusal: ImageRefused) -> Looked:
    return Looked(file.key, len(file.data), None, Detections.none(), _NO_CROPS, (), (), refusal)
