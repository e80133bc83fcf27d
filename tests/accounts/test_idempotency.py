"""A write that is sent again happens once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate

from accounts.idempotency import IdempotentWrites
from accounts.models import IdempotentAnswer, SignInAttempt, User
from accounts.services import create_user
from foundation.errors import Conflict

factory = APIRequestFactory()
MakeUser = Callable[[str], User]


class Notes(IdempotentWrites):
    """Writes one row per call; any model will do."""

    permission_classes = ()
    parser_classes = (JSONParser, MultiPartParser)

    def post(self, request: Request) -> Response:
        row = SignInAttempt.objects.create(address=str(request.data.get("address", "")))
        time.sleep(float(request.data.get("wait", 0)))
        if request.data.get("fail") == "refuse":
            raise Conflict("No.")
        if request.data.get("fail") == "break":
            raise RuntimeError("broken")
        return Response({"id": row.pk}, status=201)

    def get(self, request: Request) -> Response:
        return Response({"count": SignInAttempt.objects.count()})


def send(user: User, body: Any, key: str | None = "k", path: str = "/notes", **extra: Any) -> Any:
    headers = {} if key is None else {"HTTP_IDEMPOTENCY_KEY": key}
    request = factory.post(path, body, **{"format": "json", **extra}, **headers)
    force_authenticate(request, user)
    return Notes.as_view()(request)


def test_the_same_write_gets_the_same_answer(make_user: MakeUser) -> None:
    user = make_user("annotator")
    first = send(user, {"address": "a", "wait": 0})
    again = send(user, {"wait": 0, "address": "a"})
    assert (first.status_code, first.data) == (again.status_code, again.data) == (201, first.data)
    assert again["Idempotent-Replayed"] == "true"
    assert SignInAttempt.objects.count() == 1


def test_another_body_is_refused(make_user: MakeUser) -> None:
    user = make_user("annotator")
    send(user, {"address": "a"})
    answer = send(user, {"address": "b"})
    assert (answer.status_code, answer.data["code"]) == (422, "idempotency_key_reused")
    assert SignInAttempt.objects.count() == 1


def test_keys_are_per_user_and_route(make_user: MakeUser) -> None:
    send(make_user("annotator"), {"address": "a"})
    other = make_user("manager")
    send(other, {"address": "a"})
    send(other, {"address": "a"}, path="/other")
    send(other, {"address": "a"}, key="k2")
    send(other, {"address": "a"}, key=None)
    send(other, {"address": "a"}, key=None)
    assert SignInAttempt.objects.count() == 6


@pytest.mark.parametrize(("fail", "status"), [("refuse", 409), ("break", 500)])
def test_what_failed_left_nothing_and_may_be_tried_again(make_user: MakeUser, fail: str, status: int) -> None:
    user = make_user("annotator")
    for _ in range(2):
        assert send(user, {"fail": fail}).status_code == status
    assert not SignInAttempt.objects.exists()
    assert not IdempotentAnswer.objects.exists()
    assert send(user, {"address": "a"}).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 201, "\x7f"])
def test_bad_keys(make_user: MakeUser, key: str) -> None:
    answer = send(make_user("annotator"), {}, key=key)
    assert (answer.status_code, answer.data["code"]) == (400, "invalid_idempotency_key")


def test_reading_takes_no_key(make_user: MakeUser) -> None:
    request = factory.get("/notes", HTTP_IDEMPOTENCY_KEY="k")
    force_authenticate(request, make_user("annotator"))
    assert Notes.as_view()(request).status_code == 200
    assert not IdempotentAnswer.objects.exists()


def test_files_count_as_part_of_the_body(make_user: MakeUser) -> None:
    user = make_user("annotator")

    def upload(content: bytes) -> Any:
        return send(user, {"file": SimpleUploadedFile("a.jpg", content), "address": "a"}, format="multipart")

    first, again, other = upload(b"one"), upload(b"one"), upload(b"two")
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert first.data == again.data


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_the_second_waits_and_gets_the_firsts_answer() -> None:
    user = create_user(username="u", role="annotator")
    answers: list[Any] = []

    def call() -> None:
        try:
            answers.append(send(user, {"address": "a", "wait": 0.3}).data)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 3
    assert answers[0] == answers[1] == answers[2]
    assert SignInAttempt.objects.count() == 1
