from __future__ import annotations

import io
import uuid
import zipfile
from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.models import User
from accounts.roles import Role
from annotation.models import Collection, Photo, Upload
from annotation.services.ingest import start_ingest
from annotation.services.uploads import shown_path, store_upload
from foundation.errors import Conflict, Forbidden, InvalidInput
from jobs import services as jobs
from jobs.models import JobState
from tests.annotation.ingest.running import errors

pytestmark = pytest.mark.django_db


@pytest.fixture()
def engineer() -> User:
    return User.objects.create_user("eve", role=Role.DATA_ENGINEER)


@pytest.fixture()
def annotator() -> User:
    return User.objects.create_user("ann", role=Role.ANNOTATOR)


def test_only_people_who_may_and_only_below_the_roots(
    tmp_path: Path, engineer: User, annotator: User, settings: Settings
) -> None:
    (tmp_path / "open" / "album").mkdir(parents=True)
    (tmp_path / "closed").mkdir()
    (tmp_path / "open" / "way_out").symlink_to(tmp_path / "closed")
    settings.LOUPE_INGEST_ROOTS = (tmp_path / "open",)
    album = str(tmp_path / "open" / "album")
    assert start_ingest(user=engineer, folder=album).params == {"folder": album}
    with pytest.raises(Forbidden):
        start_ingest(user=annotator, folder=album)
    with pytest.raises(Forbidden):
        start_ingest(user=None, folder=album)
    for path in ("closed", "open/way_out", "open/../closed", "open/album/../../closed", "missing"):
        with pytest.raises(Forbidden) as caught:
            start_ingest(user=engineer, folder=str(tmp_path / path))
        assert caught.value.code == "path_not_allowed"
    with pytest.raises(InvalidInput):
        start_ingest(user=engineer, folder="open/album")
    with pytest.raises(InvalidInput):
        start_ingest(user=engineer, folder=str(tmp_path / "open" / "missing"))
    with pytest.raises(InvalidInput):
        start_ingest(user=engineer)
    assert start_ingest(user=None, folder=str(tmp_path / "closed"), trusted=True).pk


def test_uploads_of_a_batch_become_photos(engineer: User, portraits: list[Path], registered: None) -> None:
    batch = uuid.uuid4()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(portraits[2], "z.jpg")
    store_upload(user=engineer, batch=batch, path="anna/a.jpg", content=io.BytesIO(portraits[0].read_bytes()))
    store_upload(user=engineer, batch=batch, path="b.jpg", content=io.BytesIO(portraits[1].read_bytes()))
    store_upload(user=engineer, batch=batch, path="more.zip", content=io.BytesIO(archive.getvalue()))
    store_upload(user=engineer, batch=batch, path="bad.txt", content=io.BytesIO(b"words"))
    job = jobs.run_to_end(job_id=start_ingest(user=engineer, batch=batch).pk)
    assert job.state == JobState.FINISHED_WITH_ERRORS
    assert errors(job) == {"bad.txt": "not_an_image"}
    assert Photo.objects.filter(state="ready").count() == 3
    assert set(Collection.objects.values_list("name", flat=True)) == {"anna", "Uploads", "more"}
    assert list(Upload.objects.values_list("path", flat=True)) == ["bad.txt"], "kept for a retry"


def test_uploads_are_checked(engineer: User, annotator: User, settings: Settings) -> None:
    batch = uuid.uuid4()
    first = store_upload(user=engineer, batch=batch, path="a.jpg", content=io.BytesIO(b"one"))
    assert store_upload(user=engineer, batch=batch, path="a.jpg", content=io.BytesIO(b"one")).pk == first.pk
    with pytest.raises(Conflict):
        store_upload(user=engineer, batch=batch, path="a.jpg", content=io.BytesIO(b"two"))
    with pytest.raises(Conflict):
        store_upload(user=annotator, batch=batch, path="b.jpg", content=io.BytesIO(b"two"))
    with pytest.raises(InvalidInput):
        store_upload(user=engineer, batch=batch, path="c.jpg", content=io.BytesIO(b"x"), expected="0" * 64)
    settings.LOUPE_MAX_UPLOAD_BYTES = 10
    with pytest.raises(InvalidInput) as caught:
        store_upload(user=engineer, batch=batch, path="d.jpg", content=io.BytesIO(b"x" * 11))
    assert caught.value.code == "too_many_bytes"
    assert Upload.objects.count() == 1
    with pytest.raises(InvalidInput):
        start_ingest(user=engineer, batch=uuid.uuid4())
    other = User.objects.create_user("eli", role=Role.DATA_ENGINEER)
    with pytest.raises(InvalidInput):
        start_ingest(user=other, batch=batch)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("../../etc/passwd", "etc/passwd"),
        ("/abs/a.jpg", "abs/a.jpg"),
        ("C:\\x\\a.jpg", "C:/x/a.jpg"),
        ("a.jpg", "a.jpg"),
    ],
)
def test_client_paths_are_made_harmless(path: str, shown: str) -> None:
    assert shown_path(path) == shown


@pytest.mark.parametrize("path", ["", "..", "/", "./."])
def test_client_paths_without_a_name_are_refused(path: str) -> None:
    with pytest.raises(InvalidInput):
        shown_path(path)
