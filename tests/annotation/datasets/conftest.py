from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotation.models import Collection, CollectionPhoto, Face, Identity, Label
from annotation.services import engines
from annotation.services.collections import ensure_collection
from annotation.services.imported_labels import main_faces
from jobs import services as jobs
from models_zoo.services import register_defaults


@pytest.fixture(scope="session", autouse=True)
def _end_decoders() -> Iterator[None]:
    yield
    engines.decoders().close()


class Album:
    """Real photos in collections, and who is in them."""

    def __init__(self, data: Path, folder: Path) -> None:
        self.folder = folder
        everybody = sorted((data / "lfw" / "photos").iterdir())
        self.people = [person for person in everybody if len(list(person.glob("*.jpg"))) >= 4]

    def add(self, collection: str, numbers: range, *, photos: int = 4, held_out: str = "") -> Collection:
        """Ingest some photos of people number `numbers`; paths are `<person>/<file>`."""
        root = self.folder / collection
        for person in self.people[numbers.start : numbers.stop]:
            (root / person.name).mkdir(parents=True, exist_ok=True)
            for path in sorted(person.glob("*.jpg"))[:photos]:
                shutil.copy(path, root / person.name / path.name)
        made = ensure_collection(name=collection, held_out=held_out)
        params = {"folder": str(root), "collection": made.pk}
        assert jobs.run_to_end(job_id=jobs.enqueue(kind="ingest", params=params).pk).state == "finished"
        return made

    def label(self, collection: Collection, source: str = Label.Source.AUTO) -> None:
        """Label every photo's main face with its folder's person, as clustering would."""
        sightings = CollectionPhoto.objects.filter(collection=collection)
        person = {photo: path.split("/")[0] for path, photo in sightings.values_list("path", "photo_id")}
        known = {name: Identity.objects.get_or_create(name=name)[0] for name in sorted(set(person.values()))}
        for photo, face in main_faces_of(list(person)).items():
            Label.objects.update_or_create(
                face_id=face, defaults={"identity": known[person[photo]], "source": source, "confidence": 0.9}
            )

    def truth(self, collection: Collection) -> dict[str, str]:
        """{path: person}."""
        return {path: path.split("/")[0] for path in collection.sightings.values_list("path", flat=True)}


def main_faces_of(photos: list[int]) -> dict[int, int]:
    return main_faces(photos)


@pytest.fixture()
def album(db: None, test_data: Path, tmp_path: Path, weights_dir: Path) -> Album:
    register_defaults()
    return Album(test_data, tmp_path / "albums")


@pytest.fixture()
def pool(album: Album) -> Collection:
    """Forty-eight labelled photos of twelve people."""
    made = album.add("pool", range(12))
    album.label(made)
    assert Face.objects.filter(label__isnull=False).count() == 48
    return made
