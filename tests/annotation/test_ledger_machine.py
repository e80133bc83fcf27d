"""Whatever people say, take back and say again while faces come and are clustered anew: what is derived from the
ledger is always what a slow reading of the whole ledger says, and no entry of it ever changes."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from annotation.models import ClusterRun, Collection, Decision, Face, Identity, Label
from annotation.queries.decisions import ledger_entries
from annotation.queries.ledger_pages import choose_decisions
from annotation.services import direct_labels
from annotation.services.arrivals import join_new_faces
from annotation.services.clustering_choices import apply_run, drop_run
from annotation.services.clustering_runs import run_clustering
from annotation.services.decisions import By, undo
from annotation.services.identities import assign_faces, name_person, reject_faces
from annotation.services.labels import refresh_labels
from annotation.services.reversals import preview_reversal, take_back
from foundation.errors import Conflict, LoupeError
from jobs.models import UNFINISHED, Job
from mining.models import ReviewBatch, ReviewItem, ReviewLease, ReviewVote
from mining.services.answers import answer_item, skip_item, withdraw_vote
from mining.services.leases import lease_items, release_items
from mining.vote_queries import OF_FACES, SOMEBODY
from tests.annotation.decisions.world import make_world, user, who
from tests.annotation.ledger.oracle import in_force
from tests.annotation.machine import checks, sayings

pytestmark = pytest.mark.django_db
ROLES = ("annotator", "annotator", "data_engineer", "manager")
ANSWERS = {
    "pair": ("same", "different"),
    "merge": ("same", "different"),
    "cluster": ("same", "different"),
    "suspect": ("left", "right", "neither", "both"),
}
somebody = st.integers(0, len(ROLES) - 1)
chance = st.randoms(use_true_random=False)


class LedgerMachine(RuleBasedStateMachine):
    """One pool of twelve faces or a few more, four people with roles of their own, and everything they can do."""

    def __init__(self) -> None:
        super().__init__()
        self.step = transaction.atomic()
        self.step.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.step.__exit__(None, None, None)
        patch.stopall()

    @initialize(seed=st.integers(0, 2**16), at_once=st.booleans())
    def begin(self, seed: int, at_once: bool) -> None:
        if not at_once:  # as in a large pool: the job has to find out everything
            patch.multiple(direct_labels, MAX_FACES=2, MAX_LEDGER=3).start()
        self.rng = np.random.default_rng(seed)
        self.world = make_world()
        self.users = [user(f"person{n}", role) for n, role in enumerate(ROLES)]
        self.come(12)
        faces = [Face.objects.get(pk=face) for face in self.world.people[0]]
        self.one_photo(faces[0], faces[1])
        profile = Collection.objects.create(name="p", slug="p", prior=Collection.Prior.PROFILE)
        for face in faces[2:7]:
            face.photo.sightings.update(collection=profile)
        imported = Identity.objects.create(origin="import", external_key="Imported", name="Imported")
        for face in faces[7:9]:
            outside = {"identity": imported, "source": "import", "given": imported, "given_as": "import"}
            Label.objects.create(face=face, confidence=1, **outside)
        self.settled: int | None = None
        self.seen: list[tuple[Any, ...]] = []
        self.oracle = checks.read_ledger()
        self.published(lambda: self.cluster(seed))

    def come(self, count: int) -> None:
        vectors = np.zeros((count, 32), np.float32)
        vectors[:, :4] = self.rng.normal(size=(count, 4))
        self.world.people.append(self.world.add_faces(vectors))
        for face in self.world.people[-1]:
            Face.objects.filter(pk=face).update(quality=self.rng.uniform(0, 1))

    def one_photo(self, face: Face, other: Face) -> None:
        Face.objects.filter(pk=other.pk).update(photo=face.photo, ordinal=1)

    def cluster(self, seed: int, *, preview: bool = False) -> ClusterRun:
        rng = random.Random(seed)
        chosen = {
            "core_distance": rng.uniform(0.05, 1.3),
            "merge_similarity": rng.choice([None, rng.uniform(-0.5, 0.9)]),
            "joins": rng.random() < 0.3,
            "min_size": rng.choice([1, 2, 2, 3]),
            "min_quality": rng.choice([0.0, 0.0, 0.3]),
        }
        return run_clustering(space=self.world.space, settings=chosen, preview=preview)

    # What people do.

    def by(self, number: int) -> By:
        current = ClusterRun.objects.filter(current=True).values_list("pk", flat=True).first()
        return By(self.users[number], seconds=1.0, evidence={"run": current})

    def attempt(self, act: Callable[[], Any]) -> bool:
        """Whether it was done; refused, it must have left everything as it was."""
        before = checks.everything()
        try:
            with transaction.atomic():
                act()
        except LoupeError:
            assert checks.everything() == before
            return False
        self.oracle = checks.read_ledger()
        return True

    @rule(number=somebody, saying=st.sampled_from(sayings.STATEMENTS), rng=chance)
    def say(self, number: int, saying: sayings.Saying, rng: random.Random) -> None:
        if self.attempt(lambda: saying(rng, self.by(number))):
            assert Job.objects.filter(kind="labels", state__in=UNFINISHED).exists()

    @rule(number=somebody, saying=st.sampled_from(sayings.TAKING_BACK), rng=chance)
    def take_something_back(self, number: int, saying: sayings.Saying, rng: random.Random) -> None:
        owner = {decision.pk: decision.actor_id for decision in Decision.objects.all()}
        if self.attempt(lambda: saying(rng, self.by(number))) and self.users[number].role != "manager":
            fresh = Decision.objects.exclude(pk__in=owner).filter(actor=self.users[number])
            assert {owner.get(entry.reverts_id or 0) for entry in fresh} == {self.users[number].pk}

    @rule(number=somebody, saying=st.sampled_from(sayings.STATEMENTS), rng=chance)
    def say_and_undo(self, number: int, saying: sayings.Saying, rng: random.Random) -> None:
        """Taken back, it is as if it had never been said. A cluster may keep another of the persons that it had
        meanwhile, where several have a claim to it: labels follow the last ones."""
        self.catch_up()
        said, active = self.said(), [entry.id for entry in self.oracle.active]
        if self.attempt(lambda: saying(rng, self.by(number))):
            self.catch_up()
            assert self.attempt(lambda: undo(user=self.users[number]))
            self.catch_up()
            assert [entry.id for entry in self.oracle.active] == active
            assert self.said() == said

    @rule(number=somebody, rng=chance)
    def reverse_as_previewed(self, number: int, rng: random.Random) -> None:
        self.catch_up()
        entries, before = ledger_entries(), who()
        chosen = sayings.some_filter(rng, self.by(number))
        numbers = set(choose_decisions(chosen).values_list("pk", flat=True))
        found: list[Any] = []

        def act() -> None:
            found.append(preview_reversal(user=self.users[number], chosen=chosen))
            assert who() == before
            found.append(take_back(user=self.users[number], chosen=chosen))

        if self.attempt(act):
            without = [entry for entry in entries if entry.id not in numbers]
            assert [e.id for e in in_force(ledger_entries())] == [e.id for e in in_force(without)]
            assert found[0].decisions == len(found[1])
            self.catch_up()
            after = who()
            assert found[0].faces == sum(before.get(face) != after.get(face) for face in {*before, *after})

    @rule(first=somebody, second=somebody, rng=chance)
    def decide_on_what_another_changed(self, first: int, second: int, rng: random.Random) -> None:
        """Two people see one person and one face; whoever comes second is told, and changes nothing."""
        person = Identity.objects.get(pk=sayings.some_person(rng))
        face = rng.choice(self.faces())
        acts: list[Callable[[By], Any]] = [
            lambda by: name_person(identity_id=person.pk, name="Carl", by=by),
            lambda by: reject_faces(identity_id=person.pk, faces=[face], by=by),
            lambda by: assign_faces(faces=[face], identity_id=person.pk, by=by),
        ]
        seen = [By(self.users[number], None, None, person.revision, person.pk) for number in (first, second)]
        if self.attempt(lambda: rng.choice(acts)(seen[0])):
            before = checks.everything()
            with pytest.raises(Conflict) as refused, transaction.atomic():
                rng.choice(acts)(seen[1])
            assert refused.value.code in ("stale_revision", "identity_merged")
            assert checks.everything() == before

    def said(self) -> dict[int, int | None]:
        """Who each face is as far as people say."""
        return {face: self.oracle.person(face) for face in self.faces()}

    # What clustering does.

    def faces(self) -> list[int]:
        return list(Face.objects.order_by("pk").values_list("pk", flat=True))

    def published(self, act: Callable[[], Any], applied: ClusterRun | None = None) -> None:
        """Do something that makes the labels anew, and compare them."""
        previous = checks.last_persons(applied)
        before = {label.face_id: label for label in Label.objects.all()}
        act()
        checks.check_labels(self.oracle, previous, before)
        checks.check_people(self.oracle)
        checks.check_clusters()

    def catch_up(self) -> None:
        """As the job does, only as far as news since the last time reach."""
        self.published(self.make_labels)

    def make_labels(self) -> None:
        self.settled = refresh_labels(since=self.settled).settled

    @rule()
    def the_job_runs(self) -> None:
        self.catch_up()
        assert refresh_labels().changed == 0

    @rule(seed=st.integers(0, 2**16))
    def cluster_anew(self, seed: int) -> None:
        self.published(lambda: self.cluster(seed))

    @rule(seed=st.integers(0, 2**16))
    def preview_a_clustering(self, seed: int) -> None:
        before = who()
        self.cluster(seed, preview=True)
        assert who() == before

    @rule(rng=chance)
    def apply_a_run(self, rng: random.Random) -> None:
        run = rng.choice(list(ClusterRun.objects.order_by("pk")))
        if run.current:
            return
        known = set(run.members.values_list("face_id", flat=True))
        applicable = run.state in ("preview", "done") and known
        if applicable:  # faces that the run does not know lose what clustering said
            Label.objects.filter(source="auto").exclude(face__in=known).delete()
            self.published(lambda: apply_run(run_id=run.pk), applied=run)
        else:
            assert not self.attempt(lambda: apply_run(run_id=run.pk))

    @rule(rng=chance)
    def drop_a_run(self, rng: random.Random) -> None:
        run = rng.choice(list(ClusterRun.objects.order_by("pk")))
        done = self.attempt(lambda: drop_run(run_id=run.pk))
        assert done == (run.state in ("preview", "dropped"))

    @precondition(lambda self: len(self.world.people) < 4)
    @rule(count=st.integers(1, 3), together=st.booleans())
    def faces_arrive(self, count: int, together: bool) -> None:
        self.come(count)
        new = [Face.objects.get(pk=face) for face in self.world.people[-1]]
        if together and count > 1:
            self.one_photo(new[0], new[1])
        self.published(join_new_faces)

    # What queues do.

    @precondition(lambda self: ReviewBatch.objects.count() < 3)
    @rule(asks=st.sampled_from(sorted(ANSWERS)), overlap=st.integers(1, 3), known=st.booleans(), rng=chance)
    def questions_are_picked(self, asks: str, overlap: int, known: bool, rng: random.Random) -> None:
        run = ClusterRun.objects.get(current=True)
        batch = ReviewBatch.objects.create(strategy="any", asks=asks, overlap=overlap, run=run)
        for ordinal in range(3):
            faces, people = rng.sample(self.faces(), 2), [sayings.some_person(rng), sayings.some_person(rng)]
            evidence: dict[str, Any] = {}
            if asks == "cluster":
                clusters = list(run.clusters.exclude(identity=None))
                if not clusters:
                    continue
                cluster = rng.choice(clusters)
                faces, people = [cluster.widest_a_id, cluster.widest_b_id], [cluster.identity_id or 0]
                members = cluster.members.order_by("face_id").values_list("face_id", flat=True)
                evidence = {"cluster": cluster.pk, "grid": [[face, 0.5, False] for face in members], "out": []}
            gold = ANSWERS[asks][0] if known and ordinal == 2 else ""
            batch.items.create(
                ordinal=ordinal,
                faces=faces,
                identities=people,
                value=1,
                settles=2,
                why="w",
                evidence=evidence,
                gold=gold,
            )

    @precondition(lambda self: ReviewItem.objects.exists())
    @rule(number=somebody, rng=chance, skip=st.integers(0, 5))
    def answer(self, number: int, rng: random.Random, skip: int) -> None:
        item = rng.choice(list(ReviewItem.objects.select_related("batch").order_by("pk")))
        known = self.users[number]
        if not skip:
            self.attempt(lambda: skip_item(user=known, item_id=item.pk))
            return
        payload: dict[str, Any] = {}
        if item.batch.asks == "cluster" and rng.random() < 0.5:
            payload = rng.choice([{"name": "Dora"}, {"rejected": item.faces[:1]}, {"into": sayings.some_person(rng)}])
        said = rng.choice([*ANSWERS[item.batch.asks], *OF_FACES])
        if said in OF_FACES:
            payload = {"into": sayings.some_person(rng)} if said == SOMEBODY else {"faces": item.faces[:1]}
        self.attempt(lambda: answer_item(user=known, item_id=item.pk, answer=said, seconds=1, payload=payload))

    @precondition(lambda self: ReviewVote.objects.exists())
    @rule(number=somebody, rng=chance)
    def withdraw(self, number: int, rng: random.Random) -> None:
        vote = rng.choice(list(ReviewVote.objects.order_by("pk")))
        if self.attempt(lambda: withdraw_vote(user=self.users[number], vote_id=vote.pk)):
            assert vote.user == self.users[number]

    @precondition(lambda self: ReviewBatch.objects.exists())
    @rule(number=somebody, rng=chance, what=st.sampled_from(("take", "give back", "lapse")))
    def lend(self, number: int, rng: random.Random, what: str) -> None:
        batch = rng.choice(list(ReviewBatch.objects.order_by("pk")))
        if what == "take":
            lease_items(user=self.users[number], batch_id=batch.pk, count=2)
        elif what == "give back":
            release_items(user=self.users[number], batch_id=batch.pk)
        else:
            ReviewLease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    # What always holds.

    @invariant()
    def the_ledger_only_grows(self) -> None:
        rows = checks.ledger_rows()
        assert rows[: len(self.seen)] == self.seen
        self.seen = rows

    @invariant()
    def labels_are_what_the_ledger_says(self) -> None:
        """At any moment, were the job to run now."""
        settled = self.settled
        with transaction.atomic():
            self.catch_up()
            transaction.set_rollback(True)
        self.settled = settled

    @invariant()
    def people_and_questions_are_what_the_ledger_says(self) -> None:
        checks.check_merges(self.oracle)
        checks.check_questions(self.oracle)


def run_machine(*, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_what_is_derived_is_what_the_ledger_says() -> None:
    run_machine(examples=10, steps=20)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_what_is_derived_is_what_the_ledger_says_in_long_histories() -> None:
    run_machine(examples=200, steps=50)
