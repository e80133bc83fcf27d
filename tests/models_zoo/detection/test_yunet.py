from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from foundation.errors import InvalidInput
from models_zoo.detection import Detections, Look, YuNet, YuNetConfig
from synthesis.effects.recipes import degrade
from tests.models_zoo.drawn import LANDMARKS, crowd, drawn_face
from tests.models_zoo.photos import lfw_sample, read

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "yunet.json").read_text())
Image = NDArray[np.uint8]


@pytest.fixture(scope="module")
def yunet(yunet_weights: Path) -> YuNet:
    return YuNet(yunet_weights)


def test_a_drawn_face_is_found_where_it_always_was(yunet: YuNet) -> None:
    (found,) = yunet.detect([drawn_face()])
    assert len(found) == 1
    assert found.scores[0] == pytest.approx(GOLDEN["score"], abs=0.01)
    assert np.allclose(found.boxes[0], GOLDEN["box"], atol=0.5)
    assert np.allclose(found.landmarks[0], GOLDEN["landmarks"], atol=0.5)


def test_landmarks_come_in_the_templates_order(yunet: YuNet) -> None:
    (found,) = yunet.detect([drawn_face()])
    assert np.abs(found.landmarks[0] - LANDMARKS).max() < 8


def test_coordinates_are_the_photos_own_whatever_its_size(yunet: YuNet) -> None:
    face = drawn_face()
    for side in (96, 200, 1000, 3000):
        (found,) = yunet.detect([cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)])
        assert len(found) == 1
        assert np.abs(found.landmarks[0] * (320 / side) - LANDMARKS).max() < 16


def test_a_batch_of_mixed_sizes_is_its_photos_one_by_one(yunet: YuNet) -> None:
    face = drawn_face()
    images = [
        face,
        np.zeros((64, 48, 3), np.uint8),
        cv2.resize(face, (500, 280)),
        face[::-1].copy(),
        cv2.resize(face, (280, 500)),
        face,
    ]
    for image, together in zip(images, yunet.detect(images), strict=True):
        (alone,) = yunet.detect([image])
        assert np.allclose(alone.boxes, together.boxes, atol=0.01)
        assert np.allclose(alone.landmarks, together.landmarks, atol=0.01)
        assert np.allclose(alone.scores, together.scores, atol=1e-4)


@pytest.mark.parametrize("side", [40, 64, 200])
def test_a_hundred_faces_in_one_photo_are_a_hundred(yunet: YuNet, side: int) -> None:
    (found,) = yunet.detect([crowd(10, 10, side)])
    assert len(found) == 100
    tiles = {tuple(int(part) for part in points.mean(axis=0) // side) for points in found.landmarks}
    assert len(tiles) == 100


def test_small_faces_beside_large_ones_get_a_closer_look(yunet: YuNet, yunet_weights: Path) -> None:
    scene = np.full((600, 600, 3), (96, 120, 140), np.uint8)
    scene[:320, :320] = drawn_face()
    for place, side in enumerate((60, 30, 30, 26, 26, 26)):
        scene[440 : 440 + side, 100 * place : 100 * place + side] = cv2.resize(
            drawn_face(), (side, side), interpolation=cv2.INTER_AREA
        )
    once = YuNet(yunet_weights, YuNetConfig(closer=None, last=None)).detect([scene])[0]
    assert len(yunet.detect([scene])[0]) > len(once) >= 1


def test_the_last_look_finds_what_the_first_could_not(yunet_weights: Path) -> None:
    blurred = cv2.GaussianBlur(drawn_face(), (0, 0), 9)
    strict = YuNetConfig(first=Look(640, 1.0, 0.99), closer=None, last=None)
    assert len(YuNet(yunet_weights, strict).detect([blurred])[0]) == 0
    lenient = YuNetConfig(first=Look(640, 1.0, 0.99), closer=None, last=Look(160, 1.0, 0.4))
    (found,) = YuNet(yunet_weights, lenient).detect([blurred])
    assert len(found) == 1
    assert np.abs(found.landmarks[0] - LANDMARKS).max() < 25


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (31, 33), (5, 4000)])
def test_pictures_of_odd_shapes_without_a_face_give_none(yunet: YuNet, shape: tuple[int, int]) -> None:
    (found,) = yunet.detect([np.full((*shape, 3), 127, np.uint8)])
    assert len(found) == 0
    assert found.landmarks.shape == (0, 5, 2)


def test_no_photos_give_no_answers(yunet: YuNet) -> None:
    assert yunet.detect([]) == []


@pytest.mark.parametrize(
    "image",
    [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3)), np.zeros((0, 9, 3), np.uint8)],
)
def test_what_is_no_picture_is_refused(yunet: YuNet, image: Image) -> None:
    with pytest.raises(InvalidInput, match="uint8"):
        yunet.detect([image])


def test_other_weights_are_refused(tmp_path: Path, sface_weights: Path) -> None:
    (tmp_path / "text.onnx").write_text("no network")
    for path in (tmp_path / "text.onnx", tmp_path / "missing.onnx", sface_weights):
        with pytest.raises(InvalidInput) as caught:
            YuNet(path)
        assert caught.value.code in {"weights_unreadable", "weights_missing"}


def test_parts_of_detections_must_fit_together() -> None:
    with pytest.raises(InvalidInput):
        Detections(np.zeros((2, 4), np.float32), np.zeros((2, 5, 2), np.float32), np.zeros(1, np.float32))


def test_it_finds_what_opencvs_own_detector_finds(test_data: Path, yunet_weights: Path) -> None:
    first = Look(4096, 1.0, 0.6)
    ours = YuNet(yunet_weights, YuNetConfig(first=first, closer=None, last=None))
    photos = sorted((test_data / "groups" / "photos").iterdir())[::9]
    for photo in photos:
        image = read(photo)
        height, width = image.shape[:2]
        peer = cv2.FaceDetectorYN.create(str(yunet_weights), "", (width, height), first.threshold, 0.3, 5000)
        rows = peer.detect(image[:, :, ::-1].copy())[1]
        rows = np.empty((0, 15), np.float32) if rows is None else rows[np.argsort(-rows[:, 14])]
        (found,) = ours.detect([image])
        assert np.allclose(found.boxes, rows[:, :4], atol=0.01)
        assert np.allclose(found.landmarks.reshape(-1, 10), rows[:, 4:14], atol=0.01)


def test_a_face_is_found_in_nearly_every_portrait_degraded_or_not(test_data: Path, yunet: YuNet) -> None:
    photos = lfw_sample(test_data, 40)
    degraded = [degrade(photo, np.random.default_rng(row)) for row, photo in enumerate(photos)]
    found = yunet.detect(photos + degraded)
    assert np.mean([len(faces) > 0 for faces in found]) >= 0.995
    # Those of a photo and of its degraded copy are the same face.
    near = []
    for clean, poor in zip(found[: len(photos)], found[len(photos) :], strict=True):
        distances = np.linalg.norm(clean.landmarks[:, None].mean(2) - poor.landmarks[None].mean(2), axis=2)
        near.append(distances.min() < 0.25 * clean.boxes[0, 2:].max())
    assert np.mean(near) >= 0.99
