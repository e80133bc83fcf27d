"""A process that decodes files one after another: `python -m annotation.imaging.decode_worker SECONDS MEGABYTES`.

It reads requests from standard input and answers on standard output (see `wire`), opens no file of its own, has no
secrets in its environment, and ends when its input closes. Whatever a hostile file does to it costs that file only.
"""

from __future__ import annotations

import os
import resource
import sys
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from annotation.imaging import wire
from annotation.imaging.decode import decode
from annotation.imaging.dhash import dhash
from annotation.imaging.refusal import ImageRefused
from models_zoo.alignment import align_all

Answer = tuple[dict[str, Any], NDArray[np.uint8]]
_NOTHING = np.empty(0, np.uint8)


def main() -> None:
    seconds, megabytes = int(sys.argv[1]), int(sys.argv[2])
    requests, answers = _private_pipes()
    _limit(megabytes)
    cv2.setNumThreads(1)
    wire.send(answers, {"ready": True}, b"")
    while True:
        try:
            header, payload = wire.receive(requests)
        except wire.PeerGone:
            return
        _limit_cpu(seconds)
        answer, pixels = _answer(header, bytes(payload))
        wire.send(answers, answer, pixels.reshape(-1).data)


def _answer(header: dict[str, Any], data: bytes) -> Answer:
    try:
        return _OPERATIONS[header.pop("operation")](data, **header)
    except ImageRefused as refusal:
        return {"code": refusal.code, "message": refusal.message}, _NOTHING
    except MemoryError:
        return {"code": "out_of_memory", "message": ""}, _NOTHING


def _decode(data: bytes, **limits: Any) -> Answer:
    decoded = decode(data, **limits)
    return {
        "shape": decoded.image.shape,
        "width": decoded.width,
        "height": decoded.height,
        "orientation": decoded.orientation,
        "taken_at": decoded.taken_at.isoformat() if decoded.taken_at else None,
        "mime": decoded.mime,
        "notes": decoded.notes,
        "dhash": dhash(decoded.image),
    }, decoded.image


def _crop(data: bytes, *, landmarks: list[Any], **limits: Any) -> Answer:
    decoded = decode(data, **limits)
    points = np.array(landmarks, dtype=np.float64)
    # Landmarks come in pixels of the whole upright image; pixel centres lie at whole numbers.
    crops = align_all(decoded.image, (points + 0.5) * decoded.scale - 0.5)
    return {"shape": crops.shape}, crops


_OPERATIONS = {"decode": _decode, "crop": _crop}


def _private_pipes() -> tuple[int, int]:
    """Take over the pipes, so that no library can print into the answers."""
    requests, answers = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    return requests, answers


def _limit(megabytes: int) -> None:
    # Private writable memory; the libraries' mapped code does not count.
    resource.setrlimit(resource.RLIMIT_DATA, (megabytes << 20, megabytes << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _limit_cpu(seconds: int) -> None:
    """A worker whose parent was killed must not spin for ever either."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    allowed = int(used.ru_utime + used.ru_stime) + seconds + 2
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
