"""Every page for every role, full and empty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.roles import CAPABILITIES, Capability, Role
from tests.factories import World

PAGES: dict[str, Capability] = {
    "ui:dashboard": Capability.VIEW,
    "ui:import": Capability.INGEST,
    "ui:photos": Capability.CURATE,
    "ui:people": Capability.CURATE,
    "ui:complete_people": Capability.REVIEW,
    "ui:clusters": Capability.CURATE,
    "ui:review": Capability.REVIEW,
    "ui:mining_runs": Capability.MINING,
    "ui:start_mining": Capability.MINING,
    "ui:annotators": Capability.REVIEW,
    "ui:ledger": Capability.CURATE,
    "ui:jobs": Capability.VIEW,
    "ui:synthesis": Capability.SYNTHESIS,
    "ui:synthesis_runs": Capability.SYNTHESIS,
    "ui:rounds": Capability.VIEW,
    "ui:datasets": Capability.VIEW,
    "ui:models": Capability.VIEW,
    "ui:account": Capability.REVIEW,
    "ui:users": Capability.USERS,
}


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_for_roles_that_have_its_capability(
    as_role: Callable[[str], Client], page: str, role: str
) -> None:
    answer = as_role(role).get(reverse(page))
    away = page == "ui:dashboard" and role == Role.ANNOTATOR  # to the queues
    assert answer.status_code == (200 if PAGES[page].value in CAPABILITIES[role] else 302 if away else 403)
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")


@pytest.mark.parametrize("page", PAGES)
def test_nobody_sees_a_page_without_signing_in(db: Any, page: str) -> None:
    answer = Client().get(reverse(page))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login/?next=")


@pytest.mark.parametrize("page", PAGES)
def test_a_full_page_opens_too(as_role: Callable[[str], Client], world: World, page: str) -> None:
    answer = as_role("manager").get(reverse(page))
    assert answer.status_code == 200


def test_pages_of_single_objects(as_role: Callable[[str], Client], world: World) -> None:
    client = as_role("data_engineer")
    for route, number in (
        ("ui:photo", world.photos[0].pk),
        ("ui:person", world.people[0].pk),
        ("ui:cluster", world.clusters[0].pk),
        ("ui:cluster_faces", world.clusters[0].pk),
    ):
        assert client.get(reverse(route, args=[number])).status_code == 200
        assert client.get(reverse(route, args=[10**9])).status_code == 404
    assert client.get(reverse("ui:model", args=["sface", 1])).status_code == 200
    assert client.get(reverse("ui:model", args=["sface", 99])).status_code == 404


def test_no_page_has_inline_script_or_style(as_role: Callable[[str], Client], world: World) -> None:
    client = as_role("manager")
    addresses = [reverse(page) for page in PAGES if page != "ui:complete_people"]
    addresses += [reverse("ui:cluster", args=[world.clusters[0].pk]), reverse("ui:photo", args=[world.photos[0].pk])]
    for address in addresses:
        text = client.get(address).content.decode()
        assert " style=" not in text
        assert " onclick=" not in text
        scripts = text.count("<script") - text.count('type="application/json"')  # which is data
        assert scripts == text.count('src="/static/') - text.count('<img src="/static/')


def test_the_error_pages_are_pages_and_the_api_answers_json(as_role: Callable[[str], Client]) -> None:
    client = as_role("annotator")
    missing = client.get("/nothing/here/")
    assert missing.status_code == 404
    assert b"There is nothing here" in missing.content
    refused = client.get(reverse("ui:users"))
    assert refused.status_code == 403
    assert b"You may not open this" in refused.content
    api = client.get("/api/v1/nothing")
    assert api.status_code == 404
    assert api.headers["Content-Type"].startswith("application/problem+json")
