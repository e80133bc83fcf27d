"""What those see who settle a question that others answered differently."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from mining.models import ErrorModel, ReviewBatch
from mining.services.answers import cast_vote
from tests.factories import make_users, make_world

pytestmark = pytest.mark.django_db


def test_the_votes_are_shown_to_those_who_may_settle_and_to_nobody_else() -> None:
    world, users = make_world([2, 2]), make_users()
    batch = ReviewBatch.objects.create(strategy="made", asks="pair", run=world.run, overlap=2)
    faces, who = [world.faces[0].pk, world.faces[2].pk], [one.pk for one in world.people]
    item = batch.items.create(ordinal=0, faces=faces, identities=who, value=1, settles=2, why="why")
    second, third = (User.objects.create_user(name, role="annotator") for name in ("bo", "cy"))
    errors = {"same": {"same": 0.8, "different": 0.2}, "different": {"same": 0.2, "different": 0.8}}
    even = {"same": 0.5, "different": 0.5}
    ErrorModel.objects.create(user=second, asks="pair", errors=errors, prevalence=even, votes=9, known=5, right=4)
    cast_vote(user=second, item_id=item.pk, answer="same")
    cast_vote(user=third, item_id=item.pk, answer="different")
    item.refresh_from_db()
    assert item.state == "disputed"
    shown = {}
    for role in ("annotator", "manager"):
        client = Client()
        client.force_login(users[role])
        shown[role] = client.get(reverse("ui:batch", args=[batch.pk])).content.decode()
    assert "bo: one person (4 of 5 known answers right)" in shown["manager"]
    assert "cy: two people</li>" in shown["manager"]
    assert "bo: " not in shown["annotator"] and "known answers" not in shown["annotator"]
