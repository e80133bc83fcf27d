"""Many decisions taken back as one step, previewed before and reversible after."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from annotation.models import Decision, Identity
from annotation.queries.ledger_pages import LedgerFilter
from annotation.services.clusters import confirm_cluster
from annotation.services.decisions import By, decide, revert
from annotation.services.identities import merge_people, name_person, reject_faces, set_aside
from annotation.services.labels import refresh_labels
from annotation.services.reversals import SOMEBODY_NEW, preview_reversal, take_back
from foundation.errors import Conflict, Forbidden, InvalidInput
from tests.annotation.decisions.test_decisions import cluster_of
from tests.annotation.decisions.world import World, label_of, make_world, user, who

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    made = make_world(6, 5, 4)
    made.cluster()
    return made


@pytest.fixture
def people() -> tuple[User, User, User]:
    return user("careful"), user("careless"), user("manager", "manager")


def decided(world: World, careful: User, careless: User) -> dict[str, Any]:
    """A careful annotator names two people; a careless one merges them, rejects and sets faces aside."""
    first, _ = confirm_cluster(cluster_id=cluster_of(world.people[0][0]).pk, name="Anna", by=By(careful))
    second, _ = confirm_cluster(cluster_id=cluster_of(world.people[1][0]).pk, name="Bertil", by=By(careful))
    before = who()
    reject_faces(identity_id=first.pk, faces=world.people[0][:2], by=By(careless))
    set_aside(kind="ignore", faces=world.people[2][:1], by=By(careless))
    merge_people(identity_id=second.pk, into_id=first.pk, by=By(careless))
    refresh_labels()
    return {"before": before, "first": first.pk, "second": second.pk}


def test_the_preview_says_what_then_happens_and_the_step_can_be_taken_back(
    world: World, people: tuple[User, User, User]
) -> None:
    careful, careless, manager = people
    was = decided(world, careful, careless)
    now = who()
    chosen = LedgerFilter(actor=careless.pk)
    found = preview_reversal(user=manager, chosen=chosen)
    assert who() == now
    assert (found.decisions, found.actors) == (3, {"careless": 3})
    assert found.kinds == {"merge": 1, "ignore": 1, "reject": 1}
    made = take_back(user=manager, chosen=LedgerFilter(actor=careless.pk, upto=found.upto))
    refresh_labels()
    assert who() == was["before"]
    assert Identity.objects.get(pk=was["second"]).merged_into_id is None
    assert Identity.objects.get(pk=was["second"]).name == "Bertil"
    changed = {face for face in {*now, *who()} if now.get(face) != who().get(face)}
    assert found.faces == len(changed) == found.lost + found.gained + found.moved
    assert {change.face for change in found.examples} == changed
    for change in found.examples:
        assert change.before == now.get(change.face)
        assert change.after in (who().get(change.face), SOMEBODY_NEW)
    assert len({decision.action for decision in made}) == 1
    revert(user=manager, decision_id=made[0].pk)
    refresh_labels()
    assert who() == now


def test_only_what_was_said_since_a_time_or_about_a_person_is_taken_back(
    world: World, people: tuple[User, User, User]
) -> None:
    careful, careless, manager = people
    was = decided(world, careful, careless)
    last = Decision.objects.order_by("-id").first()
    assert last is not None
    since = LedgerFilter(actor=careless.pk, since=last.created_at)
    assert preview_reversal(user=manager, chosen=since).kinds == {"merge": 1}
    assert preview_reversal(user=manager, chosen=LedgerFilter(identity=was["second"])).decisions == 3
    later = LedgerFilter(actor=careless.pk, since=timezone.now() + timedelta(minutes=1))
    assert preview_reversal(user=manager, chosen=later).decisions == 0
    with pytest.raises(Conflict) as refused:
        take_back(user=manager, chosen=later)
    assert refused.value.code == "already_reverted"


def test_answers_of_one_run_or_batch(world: World, people: tuple[User, User, User]) -> None:
    careful, _, _ = people
    a, b, c = (faces[0] for faces in world.people)
    decide(user=careful, kind="different", faces=[a], others=[b], evidence={"run": 7, "batch": 3})
    decide(user=careful, kind="different", faces=[b], others=[c], evidence={"run": 7, "batch": 4})
    assert preview_reversal(user=careful, chosen=LedgerFilter(run=7)).decisions == 2
    assert len(take_back(user=careful, chosen=LedgerFilter(batch=4))) == 1
    assert preview_reversal(user=careful, chosen=LedgerFilter(run=7)).decisions == 1


def test_others_decisions_are_the_managers_to_take_back(world: World, people: tuple[User, User, User]) -> None:
    careful, careless, manager = people
    decided(world, careful, careless)
    for act in (preview_reversal, take_back):
        with pytest.raises(Forbidden) as refused:
            act(user=careful, chosen=LedgerFilter(actor=careless.pk))
        assert refused.value.code == "not_your_decision"
        with pytest.raises(InvalidInput) as empty:
            act(user=manager, chosen=LedgerFilter(kind="merge"))
        assert empty.value.code == "nothing_chosen"
    assert len(take_back(user=careless, chosen=LedgerFilter(actor=careless.pk))) == 3


def test_what_came_after_the_preview_stays(world: World, people: tuple[User, User, User]) -> None:
    careful, _, _ = people
    face = world.people[0][0]
    person, _ = confirm_cluster(cluster_id=cluster_of(face).pk, name="Anna", by=By(careful))
    seen = preview_reversal(user=careful, chosen=LedgerFilter(actor=careful.pk))
    name_person(identity_id=person.pk, name="Annika", by=By(careful))
    take_back(user=careful, chosen=LedgerFilter(actor=careful.pk, upto=seen.upto))
    refresh_labels()
    assert Identity.objects.get(pk=person.pk).name == "Annika"
    assert label_of(face).source == "auto"


def test_the_number_of_statements_does_not_grow_with_the_decisions(
    world: World, people: tuple[User, User, User], django_assert_max_num_queries: Any
) -> None:
    careful, _, _ = people
    a, b = world.people[0][0], world.people[1][0]
    for _ in range(40):
        decide(user=careful, kind="different", faces=[a], others=[b])
    with django_assert_max_num_queries(20):
        preview_reversal(user=careful, chosen=LedgerFilter(actor=careful.pk))
    with django_assert_max_num_queries(40):
        take_back(user=careful, chosen=LedgerFilter(actor=careful.pk))
