"""The ledger's filters: as an address has them, as the decisions that they mean, and in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.dateparse import parse_datetime

from accounts.models import User
from annotation.ledger.entries import Kind
from annotation.models import Decision, Identity
from annotation.queries.ledger_pages import LedgerFilter, choose_decisions
from frontend.pages import whole_number
from loop.queries import rounds, time_of_round
from mining.models import ReviewBatch
from mining.run_pages import mining_jobs
from mining.strategies import title_of

# What the address of the page may hold, in the order in which the page shows it.
NUMBERS = ("by", "person", "round", "mining", "batch", "run", "upto")
OFFERED = 50  # rounds and mining runs to choose from, the latest

Given = dict[str, Any]


@dataclass(frozen=True)
class Chip:
    """One filter in words.

    Attributes:
        moment: where the words end in a time.
        link: the page of what it names, if any.
        without: the ledger without this filter.
    """

    name: str
    words: str
    link: str
    without: str
    moment: datetime | None = None


def given_in(query: QueryDict) -> Given:
    """What an address says, as far as it is sound."""
    given: Given = {name: whole_number(query.get(name)) for name in NUMBERS}
    given["kind"] = query.get("kind", "") if query.get("kind") in list(Kind) else ""
    given["since"] = query.get("since", "") if moment_of(query.get("since", "")) else ""
    if given["round"] and time_of_round(given["round"])[1] is None:
        given["round"] = None  # there is no such round
    return {name: value for name, value in given.items() if value}


def moment_of(text: str) -> datetime | None:
    """A time as forms send it, in UTC where it names no zone; None if it is none."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def chosen_by(given: Given) -> LedgerFilter:
    """The decisions that the filters mean."""
    since, until = time_of_round(given["round"]) if "round" in given else (None, None)
    since = max(filter(None, (since, moment_of(given.get("since", "")))), default=None)
    return LedgerFilter(
        kind=given.get("kind", ""),
        actor=given.get("by"),
        identity=given.get("person"),
        since=since,
        until=until,
        run=given.get("run"),
        batch=given.get("batch"),
        batches=_batches_of(given["mining"]) if "mining" in given else None,
        upto=given.get("upto"),
    )


def address(given: Given, route: str = "ui:ledger") -> str:
    """The page of the ledger, or another one, with these filters."""
    return f"{reverse(route)}?{urlencode(given)}" if given else reverse(route)


def chips(given: Given, *, reader: User) -> list[Chip]:
    """The filters in words, each with the way to drop it."""
    found = []
    for name, words, link in _worded(given, reader):
        rest = {other: value for other, value in given.items() if other != name}
        moment = moment_of(given["since"]) if name == "since" else None
        found.append(Chip(name, words, link, address(rest), moment))
    return found


def in_the_way(given: Given, shown: list[Chip]) -> list[Chip]:
    """Of filters that together leave no decision, those of which each alone is to blame."""
    return [
        chip
        for chip in shown
        if choose_decisions(chosen_by({name: value for name, value in given.items() if name != chip.name})).exists()
    ]


def choices(given: Given) -> Mapping[str, Any]:
    """What the controls offer."""
    return {
        "kinds": [kind.value for kind in Kind],
        "annotators": User.objects.filter(decisions__isnull=False).distinct().order_by("username"),
        "rounds": rounds()[:OFFERED],
        "mining_runs": mining_jobs()[:OFFERED],
        "person": Identity.objects.filter(pk=given.get("person", 0)).first(),
    }


def titles_of_batches(decisions: Iterable[Decision]) -> dict[int, str]:
    """What the queues are called whose questions these decisions answer; evidence is whatever was sent."""
    noted = {whole_number(str(decision.evidence.get("batch"))) for decision in decisions}
    batches = ReviewBatch.objects.filter(pk__in=[number for number in noted if number]).values_list("pk", "strategy")
    return {number: title_of(strategy) for number, strategy in batches}


def _worded(given: Given, reader: User) -> Iterator[tuple[str, str, str]]:
    """(filter, in words, where what it names is shown)."""
    for name, value in given.items():
        match name:
            case "kind":
                yield name, f"Kind: {value.replace('_', ' ')}", ""
            case "by":
                who = "you" if value == reader.pk else User.objects.filter(pk=value).first()
                yield name, f"By {who or f'person {value} of this installation'}", ""
            case "person":
                person = Identity.objects.filter(pk=value).first()
                yield name, f"About {person or f'person {value}'}", reverse("ui:person", args=[value]) if person else ""
            case "since":
                yield name, "Since", ""
            case "round":
                between = f"Between the starts of rounds {value - 1} and {value}" if value > 1 else "Before round 1"
                yield name, between, reverse("ui:round", args=[value])
            case "mining":
                yield name, f"Answers to mining run {value}", reverse("ui:mining_run", args=[value])
            case "batch":
                batch = ReviewBatch.objects.filter(pk=value).first()
                title = title_of(batch.strategy) if batch else f"batch {value}"
                yield name, f"Answers to “{title}”", reverse("ui:batch", args=[value])
            case "run":
                yield name, f"Seen in cluster run {value}", reverse("ui:cluster_run", args=[value])
            case "upto":
                yield name, f"Up to decision {value}", ""


def _batches_of(job: int) -> tuple[int, ...]:
    return tuple(ReviewBatch.objects.filter(job=job).values_list("pk", flat=True))
