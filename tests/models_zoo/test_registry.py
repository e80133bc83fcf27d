from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from django.db import connections

from foundation import blobs
from foundation.errors import InvalidInput, NotFound
from models_zoo.models import ModelRelease, ReleaseAlias
from models_zoo.queries import by_reference, champion, releases
from models_zoo.services import local_weights, move_alias, register_defaults, register_release
from models_zoo.specs import SPECS
from models_zoo.weights import sha256_of


@pytest.fixture()
def sface(db: None, weights_dir: Path) -> ModelRelease:
    register_defaults()
    return champion(ModelRelease.Kind.EMBEDDER)


def trained(folder: Path, weights: bytes = b"weights") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "weights.safetensors").write_bytes(weights)
    (folder / "release.json").write_text(json.dumps({"epochs": 3}))
    return folder


def register(folder: Path, parent: ModelRelease) -> ModelRelease:
    return register_release(directory=folder, name="ft", parent=parent, dataset="people@v1", dataset_digest="d" * 64)


def test_defaults_are_registered_once_with_their_weights(sface: ModelRelease) -> None:
    register_defaults()
    assert {str(release) for release in releases()} == {"yunet@v1", "sface@v1"}
    for release in releases():
        spec = SPECS[release.name]
        assert release.digest == spec.sha256 == sha256_of(local_weights(release))
        assert blobs.verify(release.blob)
        assert local_weights(release).suffix == ".onnx"
        assert champion(release.kind) == release
        assert (release.licence, release.architecture) == (spec.licence, spec.architecture)


def test_a_champion_that_was_promoted_stays_when_defaults_are_registered_again(
    sface: ModelRelease, tmp_path: Path
) -> None:
    better = register(trained(tmp_path / "r"), sface)
    move_alias(kind="embedder", alias="champion", release=better)
    register_defaults()
    assert champion("embedder") == better


@pytest.mark.django_db(transaction=True)
def test_registering_at_once_gives_one_release_each(weights_dir: Path) -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            register_defaults()
        except BaseException as failure:
            failures.append(failure)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert ModelRelease.objects.count() == ReleaseAlias.objects.count() == 2


def test_trained_releases_get_versions_lineage_and_are_known_by_their_weights(
    sface: ModelRelease, tmp_path: Path
) -> None:
    first = register(trained(tmp_path / "a"), sface)
    assert (str(first), first.parent, first.training, first.dataset) == ("ft@v1", sface, {"epochs": 3}, "people@v1")
    assert register(trained(tmp_path / "b"), sface) == first, "the same weights are the same release"
    second = register(trained(tmp_path / "c", b"other"), first)
    assert str(second) == "ft@v2"
    assert local_weights(second).read_bytes() == b"other"
    assert local_weights(second).name == "weights.safetensors"


def test_incomplete_training_is_not_registered(sface: ModelRelease, tmp_path: Path) -> None:
    folder = trained(tmp_path / "a")
    (folder / "release.json").unlink()
    with pytest.raises(InvalidInput):
        register(folder, sface)


def test_references(sface: ModelRelease, tmp_path: Path) -> None:
    release = register(trained(tmp_path / "a"), sface)
    move_alias(kind="embedder", alias="challenger", release=release)
    assert by_reference("sface@v1") == by_reference("sface@champion") == sface
    assert by_reference("ft@challenger") == release
    for wrong in ("ft@v2", "ft@champion", "nobody@v1", "ft@v0"):
        with pytest.raises(NotFound):
            by_reference(wrong)
    for wrong in ("ft", "ft@", "@v1", "Ft@v1", "ft@v1 ", "ft@v1;"):
        with pytest.raises(InvalidInput):
            by_reference(wrong)
    with pytest.raises(InvalidInput):
        move_alias(kind="detector", alias="champion", release=release)
