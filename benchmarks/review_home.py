"""A real installation of its own for the review benchmarks: the photos of a folder as one album, clustered, no names.

Imported once `LOUPE_HOME` points there and Django is set up.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from numpy.typing import NDArray
from psycopg import sql

from accounts.models import User
from accounts.roles import Role
from accounts.services import create_token, create_user
from annotation.clustering.metrics import Agreement, agreement
from annotation.models import CollectionPhoto, EmbeddingSpace, Face, Label
from annotation.services.collections import ensure_collection
from annotation.services.decisions import By
from annotation.services.identities import set_aside
from annotation.services.imported_labels import main_faces
from annotation.services.ingest import start_ingest
from benchmarks.album import JUDGING_BELOW
from config.embedded import postgres
from config.embedded.layout import Layout
from config.embedded.platform import platform
from config.embedded.services import running
from jobs import services as jobs
from jobs.models import UNFINISHED, Job
from models_zoo.services import register_defaults

START = "loupe_start"  # the database as it is before anybody decided anything
PEOPLE = "people.json"  # path in the album -> [folder, true name]


def bucket(person: str) -> int:
    """0 to 9, steady by name; nothing is tuned on people below `JUDGING_BELOW`."""
    return int(hashlib.sha256(person.encode()).hexdigest(), 16) % 10


@dataclass(frozen=True)
class Source:
    """One photo: its file, its name in the album, which tells nothing, and who is in it by its folder and in truth."""

    file: Path
    name: str
    folder: str
    person: str


def sources(photos: Path, *, people: int | None, limit: int | None, tuning: bool) -> list[Source]:
    """The photos chosen. Names that the data set's authors have corrected (`errata.csv` beside the folder) are the
    truth: no face can tell an annotator what a wrong name says."""
    chosen = [one for one in sorted(photos.iterdir()) if one.is_dir()]
    chosen = [one for one in chosen if not (tuning and bucket(one.name) < JUDGING_BELOW)][:people]
    files = [file for one in chosen for file in sorted(one.glob("*.jpg"))][:limit]
    corrected: dict[str, str] = {}
    errata = photos.parent / "errata.csv"
    if errata.exists():
        with errata.open(newline="") as lines:
            corrected = {row["image"]: row["true_name"] for row in csv.DictReader(lines)}
    found = []
    for file in files:
        folder = file.parent.name
        name = hashlib.sha256(f"{folder}/{file.name}".encode()).hexdigest()[:16] + ".jpg"
        found.append(Source(file, name, folder, corrected.get(file.stem, corrected.get(folder, folder))))
    return found


def ingest(home: Path, photos: Path, **choice: Any) -> None:
    """Ingest, embed and cluster once, and keep the database as it then is; a home that has it is left as it is."""
    if (home / PEOPLE).exists():
        return
    staged = sources(photos, **choice)
    (home / "album").mkdir(parents=True, exist_ok=True)
    for one in staged:
        shutil.copyfile(one.file, home / "album" / one.name)
    people = home / PEOPLE
    people.with_suffix(".part").write_text(json.dumps({one.name: [one.folder, one.person] for one in staged}))
    with running(home):
        call_command("migrate", verbosity=0)
        register_defaults()
        album = ensure_collection(name="Album")
        job = start_ingest(user=None, folder=str(home / "album"), collection=album, trusted=True)
        done = jobs.run_to_end(job_id=job.pk)
        assert done.result is not None, done.error
        jobs.run_to_end(job_id=done.result["embed"])
        for kind in ("embed", "cluster"):
            for waiting in Job.objects.filter(kind=kind, state__in=UNFINISHED):
                jobs.run_to_end(job_id=waiting.pk)
        space = EmbeddingSpace.objects.get(state=EmbeddingSpace.State.LIVE)
        ignore_bystanders(home)
        jobs.run_to_end(job_id=jobs.enqueue(kind="cluster", params={"space": space.pk}).pk)
        connections.close_all()
        copy_database(home, settings.DATABASES["default"]["NAME"], START)
    people.with_suffix(".part").replace(people)


def ignore_bystanders(home: Path) -> None:
    """Set aside the faces of whom no folder tells: nobody knows who they are, so nobody could answer about them."""
    truth = Truth((home / PEOPLE).with_suffix(".part"))
    user = create_user(username="engineer", role=Role.DATA_ENGINEER)
    others = sorted(truth.photo_of.keys() - truth.person_of.keys())
    if others:
        set_aside(faces=others, kind="ignore", by=By(user))
        for waiting in Job.objects.filter(kind="labels", state__in=UNFINISHED):
            jobs.run_to_end(job_id=waiting.pk)


def copy_database(home: Path, source: str, target: str) -> None:
    """Replace one database of the running server by a copy of another; nobody may be connected to either."""
    runtime = str(Layout.of(home).runtime)
    with psycopg.connect(host=runtime, user=postgres.OWNER, dbname="postgres", autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(target)))
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}")
        admin.execute(command.format(*(sql.Identifier(name) for name in (target, source, postgres.ROLE))))


@dataclass(frozen=True)
class Person:
    """Somebody who works with the installation over HTTP."""

    user: User
    client: httpx.Client


@contextmanager
def fresh(home: Path, annotators: int, *, workers: int = 1) -> Iterator[tuple[Person, list[Person]]]:
    """The installation as before any decision, run as `manage.py up` runs it: a data engineer and annotators."""
    with running(home, want_broker=False):
        copy_database(home, START, settings.DATABASES["default"]["NAME"])
    with platform(workers=workers):
        engineer = sign_in("engineer", Role.DATA_ENGINEER)
        people = [sign_in(f"annotator{number}", Role.ANNOTATOR) for number in range(1, annotators + 1)]
        try:
            yield engineer, people
        finally:
            for person in (engineer, *people):
                person.client.close()


def sign_in(name: str, role: str) -> Person:
    """A person, and a client with a token of theirs."""
    user = User.objects.filter(username=name).first() or create_user(username=name, role=role)
    _, secret = create_token(user=user, name="benchmark")
    base = f"http://{settings.ENV.bind_host}:{settings.ENV.bind_port}/api/v1/"
    headers = {"Authorization": f"Bearer {secret}"}
    return Person(user, httpx.Client(base_url=base, headers=headers, timeout=120))


def wait_for_jobs(*kinds: str, seconds: float = 600) -> None:
    """Until no job of these kinds is under way."""
    deadline = time.monotonic() + seconds
    while Job.objects.filter(kind__in=kinds, state__in=UNFINISHED).exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"jobs did not end within {seconds} s: {', '.join(kinds)}")
        time.sleep(0.1)


class Truth:
    """Whom each photo's main face shows, by the folder names: for answering, and for measuring.

    Attributes:
        person_of: face -> number of the person, main faces only; nobody knows who the others are.
        folder_of: the same by folder names as they are.
        name_of: number of a person or folder -> name.
        photo_of: face -> photo, of all faces.
    """

    def __init__(self, file: Path) -> None:
        people: dict[str, list[str]] = json.loads(file.read_text())
        names = sorted({name for both in people.values() for name in both})
        number_of = {name: number for number, name in enumerate(names)}
        sightings = dict(CollectionPhoto.objects.filter(path__in=list(people)).values_list("photo_id", "path"))
        main = main_faces(list(sightings))
        self.folder_of = {face: number_of[people[sightings[photo]][0]] for photo, face in main.items()}
        self.person_of = {face: number_of[people[sightings[photo]][1]] for photo, face in main.items()}
        self.name_of = {number: name for name, number in number_of.items()}
        self.photo_of = dict(Face.objects.values_list("pk", "photo_id"))

    def agreement(self, *, corrected: bool = True) -> Agreement:
        """How well the labels agree; a face without a label is a person of its own."""
        truth = self.person_of if corrected else self.folder_of
        return agreement(self.labels(), np.array(list(truth.values()), np.int64))

    def labels(self) -> NDArray[np.int64]:
        """The person that each main face has by its label, -1 for none."""
        label = dict(Label.objects.exclude(identity=None).values_list("face_id", "identity_id"))
        return np.array([label.get(face, -1) for face in self.person_of], np.int64)
