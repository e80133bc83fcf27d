"""REST calls: bearer token, problem answers as exceptions, patient retries, pages, ranged downloads."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import httpx

import loupe
from loupe.credentials import Credentials
from loupe.errors import LoupeClientError, NotFound, NotSignedIn, Unreachable

ATTEMPTS = 5
PASSING = {429, 502, 503, 504}
Json = dict[str, Any]


class Client:
    """One server as one user. Use as a context manager, or call `close`.

    Every write carries an `Idempotency-Key`, so that trying again after a lost answer does nothing twice.
    """

    def __init__(
        self, credentials: Credentials, *, transport: httpx.BaseTransport | None = None, pause: float = 0.5
    ) -> None:
        self.credentials = credentials
        self._pause = pause
        self._http = httpx.Client(
            base_url=f"{credentials.url}/api/v1/",
            headers={"Authorization": f"Bearer {credentials.token}", "User-Agent": f"loupe/{loupe.__version__}"},
            timeout=httpx.Timeout(60, connect=10),
            follow_redirects=False,  # a redirect must not carry the token elsewhere
            transport=transport,
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **params: Any) -> Json:
        """The JSON object at `path` (relative to /api/v1/)."""
        return self._call("GET", path, params=_given(params))

    def post(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        fields: Mapping[str, str] | None = None,
        files: list[tuple[str, tuple[str, Any, str]]] | None = None,
    ) -> Json:
        """Send JSON, or a form with files. Files must be seekable, for a second try starts them anew."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        if files is not None:
            return self._call("POST", path, data=fields, files=files, headers=headers)
        return self._call("POST", path, json=body or {}, headers=headers)

    def pages(self, path: str, **params: Any) -> Iterator[Json]:
        """All rows of a list, page by page."""
        query = _given(params)
        while True:
            page = self.get(path, **query)
            yield from page["results"]
            if not page.get("next"):
                return
            # Only the cursor is taken from the answer, never another host.
            query["cursor"] = parse_qs(urlsplit(page["next"]).query)["cursor"][0]

    @contextmanager
    def download(self, path: str, offset: int = 0) -> Iterator[tuple[int, Iterator[bytes]]]:
        """Bytes from `offset` on, as (where they really start, pieces); the start is 0 if the server has no ranges."""
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={offset}-"} if offset else {})}
        try:
            with self._http.stream("GET", path, headers=headers) as answer:
                if answer.status_code not in {200, 206}:
                    answer.read()
                    raise _problem(answer)
                # Pieces as they arrive, so that a cut loses none.
                yield (offset if answer.status_code == 206 else 0), answer.iter_bytes()
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    def _call(self, method: str, path: str, **request: Any) -> Json:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = self._http.request(method, path, **request)
            except httpx.TransportError as error:
                if attempt == ATTEMPTS:
                    raise self._unreachable(error) from error
                self.wait(attempt)
                continue
            if answer.status_code in PASSING and attempt < ATTEMPTS:
                self.wait(attempt, answer.headers.get("Retry-After"))
                continue
            return _answer(answer)
        raise AssertionError("unreachable")

    def wait(self, attempt: int, told: str | None = None) -> None:
        """Pause before trying again: longer each time, and as long as the server said (`Retry-After`)."""
        seconds = self._pause * 2 ** (attempt - 1) * random.uniform(0.8, 1.2)  # noqa: S311 spreads load, no secret
        if told is not None and told.isdigit():
            seconds = min(60.0, max(seconds, float(told)))
        time.sleep(seconds)

    def _unreachable(self, error: Exception) -> Unreachable:
        return Unreachable(f"{self.credentials.url} does not answer: {str(error) or type(error).__name__}.")


def _answer(answer: httpx.Response) -> Json:
    if not answer.is_success:
        raise _problem(answer)
    if answer.status_code == 204 or not answer.content:
        return {}
    try:
        return cast(Json, answer.json())
    except ValueError as error:
        raise LoupeClientError("The server's answer is not JSON. Is the address right?", code="not_loupe") from error


def _problem(answer: httpx.Response) -> LoupeClientError:
    """The exception for an error answer."""
    try:
        body = answer.json()
        code, detail = str(body["code"]), str(body["detail"])
    except (ValueError, KeyError, TypeError):
        code, detail = f"http_{answer.status_code}", f"The server answered {answer.status_code} {answer.reason_phrase}."
        body = {}
    errors = body.get("errors") or {}
    if errors:
        detail += " " + " ".join(f"{name}: {' '.join(sentences)}" for name, sentences in errors.items())
    if answer.status_code == 401:
        return NotSignedIn(detail, code=code)
    if answer.status_code == 404:
        return NotFound(detail, code=code)
    if answer.status_code in PASSING:
        return Unreachable(detail, code=code)
    return LoupeClientError(detail, code=code)


def _given(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}
