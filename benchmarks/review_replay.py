"""How right do the labels get, decision by decision? BCubed F of the labels, and the seconds that people spent.

A whole installation (`review_home.fresh`) has the photos as one album, clustered, with no names. Simulated annotators
answer from the folder names, through the REST API alone: a data engineer starts mining, annotators lease questions and
answer them, the product's own jobs make labels anew and cluster again. Ways of working, each from the same start:

`pairs`: one question at a time, the most valuable of all queues first, 3 s each.
    Whole clusters are screens of 9 s in both of these.
`screens`: the same queues, `SCREEN` pairs at once on one screen, answered by one key once the odd ones are marked, 9 s
    each. A screen is one decision.
`random`: pairs drawn at random of all faces, 3 s each.
`naming`: faces in random order, one by one, each is given its person's name, 3 s each.

Faces beside the one that a photo's folder names are ignored by a decision at the start: nobody knows who they are.
`seconds` are the simulated annotators'. One JSON line per way of working and number of decisions; then what is left
wrong, and which queue would ask about it; the last line sums up.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from django.db import connections

from annotation.models import Label
from benchmarks.machine import save, tell
from benchmarks.review_annotators import FALSE_ACCEPT, FALSE_REJECT, Annotator
from benchmarks.review_home import PEOPLE, Person, Truth, fresh, ingest, wait_for_jobs
from jobs.models import UNFINISHED, JobState
from mining.strategies import USUAL

SCREEN = 12  # pairs, that is 24 faces
GRID = 25  # faces of a cluster that are looked at
PAIR_SECONDS, SCREEN_SECONDS = 3.0, 9.0
GOAL = 0.999
QUEUES = ("pairs", "screens")  # the ways that ask what the product asks
OVERTAKEN = ("no_item", "item_closed", "item_leased", "already_answered", "cluster_empty", "identity_merged")
OVERLAP, GOLD = 3, 0.1  # of noisy annotators: people per question, share of known answers
ASKED = tuple(name for name in USUAL if name != "profile_leftovers")  # there are no profiles here


@dataclass
class Spent:
    """What people did so far."""

    decisions: int = 0
    seconds: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)
    queues: Counter[str] = field(default_factory=Counter)
    alone: set[int] = field(default_factory=set)  # faces shown one or two at a time
    shown: set[int] = field(default_factory=set)

    def note(self, queue: str, faces: list[int], answers: list[str], *, screen: bool) -> None:
        """One decision."""
        self.decisions += 1
        self.seconds += SCREEN_SECONDS if screen else PAIR_SECONDS
        self.answers.update(answers)
        self.queues[queue] += 1
        self.shown.update(faces)
        if not screen:
            self.alone.update(faces)


class Desk:
    """The product over HTTP, as a data engineer and an annotator use it."""

    def __init__(self, engineer: Person, people: list[Person]) -> None:
        self.engineer, self.people = engineer, people
        self.annotator = people[0]

    def next_person(self) -> None:
        """The annotators take turns."""
        self.annotator = self.people[(self.people.index(self.annotator) + 1) % len(self.people)]

    def post(self, person: Person, address: str, **body: Any) -> Any:
        answer = person.client.post(address, json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def mine(self, strategies: tuple[str, ...], budget: int) -> list[dict[str, Any]]:
        """The batches with open questions after a new mining run; it asks nothing that an earlier one still asks."""
        several = len(self.people) > 1
        how = {"overlap": OVERLAP if several else 1, "gold": GOLD if several else 0.0, "seed": 1}
        asked = {"strategies": list(strategies), "budget": budget, **how}
        self.finish(self.post(self.engineer, "mining-runs", **asked)["job"])
        return [batch for batch in self.pages("review/batches") if batch["open_items"]]

    def pages(self, address: str | None) -> Iterator[dict[str, Any]]:
        """All rows of a list, page by page."""
        while address:
            page = self.engineer.client.get(address).raise_for_status().json()
            yield from page["results"]
            address = page.get("next")

    def cluster(self) -> None:
        """Cluster anew; labels follow."""
        self.finish(self.post(self.engineer, "clusterings")["job"])

    def finish(self, job: int) -> None:
        """Wait until a job has ended well, and labels are made."""
        while True:
            state = self.engineer.client.get(f"jobs/{job}").raise_for_status().json()["state"]
            if state not in UNFINISHED:
                break
            time.sleep(0.1)
        if state != JobState.FINISHED:
            raise SystemExit(f"job {job} ended as {state}")
        wait_for_jobs("labels")

    def lease(self, batch: int, count: int) -> list[dict[str, Any]]:
        """The next open questions of a batch."""
        found: list[dict[str, Any]] = self.post(self.annotator, f"review/batches/{batch}/lease", count=count)["items"]
        return found

    def answer(self, answers: list[dict[str, Any]]) -> list[bool]:
        """Whether each answer of a screen was taken; False where another one had settled the question."""
        results = self.post(self.annotator, "review/answers", answers=answers)["results"]
        refused = [one["refused"] for one in results if one["refused"]]
        if odd := [one for one in refused if one["code"] not in OVERTAKEN]:
            raise SystemExit(f"review/answers: {odd[0]}")
        return [one["vote"] is not None for one in results]

    def shown(self, item: int) -> tuple[list[int], list[int]]:
        """The faces of a question on either side, so many of a cluster, the least alike first."""
        page = self.annotator.client.get(f"review/items/{item}/faces")
        rows = [] if page.is_error else [row for row in page.json()["results"] if not row["confirmed"]]
        first, second = ([row["face"] for row in rows if row["side"] == side][:GRID] for side in (0, 1))
        return first, second


def queue_work(
    desk: Desk, annotator: Annotator, queues: tuple[str, ...], *, screens: bool, every: int
) -> Iterator[Spent]:
    """Yields after every decision; mines and clusters anew after every `every` of them."""
    spent = Spent()
    while True:
        batches = desk.mine(queues, every * (SCREEN if screens else 1))
        before, turns = spent.decisions, every * len(desk.people)
        for turn in range(turns):
            chosen = _most_worth(desk, batches, screens)
            if chosen is None:
                break
            batch, items = chosen
            _decide(desk, annotator, batch, items, spent)
            if turn == turns - 1:
                _adjudicate(desk, annotator, batches, spent)
            yield spent
            desk.next_person()
        if spent.decisions == before:
            return
        wait_for_jobs("labels")
        desk.cluster()


def _most_worth(
    desk: Desk, batches: list[dict[str, Any]], screens: bool
) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
    """The batch whose next decision is worth most a second, with the questions that it is about."""
    best: tuple[dict[str, Any], list[dict[str, Any]]] | None = None
    for batch in batches:
        items = desk.lease(batch["id"], SCREEN if screens and batch["asks"] == "pair" else 1)
        if items and (best is None or _worth(items, batch) > _worth(best[1], best[0])):
            best = batch, items
    return best


def _decide(
    desk: Desk,
    annotator: Annotator,
    batch: dict[str, Any],
    items: list[dict[str, Any]],
    spent: Spent,
    *,
    dispute: bool = False,
) -> None:
    """Answer what is on the screen."""
    screen = len(items) > 1 or batch["asks"] == "cluster"
    seconds = SCREEN_SECONDS / len(items) if screen else PAIR_SECONDS
    given = [annotator.answer(batch["asks"], item, desk.shown) for item in items]
    taken = desk.answer(
        [
            {"item": item["id"], "answer": answer, "payload": payload, "seconds": seconds}
            for item, (answer, payload) in zip(items, given, strict=True)
        ]
    )
    said = [
        "settled" if not held else f"{answer}, some rejected" if payload.get("rejected") else answer
        for held, (answer, payload) in zip(taken, given, strict=True)
    ]
    faces = [face for item in items for face in item["faces"][: 1 if batch["asks"] == "suspect" else 2]]
    spent.note("disputes" if dispute else batch["strategy"], faces, said, screen=screen)
    spent.decisions -= dispute


def _adjudicate(desk: Desk, annotator: Annotator, batches: list[dict[str, Any]], spent: Spent) -> None:
    """The data engineer, who errs as the annotators do, settles what these answered differently. It costs seconds; the
    decisions are those of the annotators."""
    if len(desk.people) == 1:
        return
    turn, desk.annotator = desk.annotator, desk.engineer
    for batch in batches:
        while disputed := [item for item in desk.lease(batch["id"], SCREEN) if item["state"] == "disputed"]:
            _decide(desk, annotator, batch, disputed, spent, dispute=True)
        desk.post(desk.engineer, f"review/batches/{batch['id']}/release")
    desk.annotator = turn


def _worth(items: list[dict[str, Any]], batch: dict[str, Any]) -> float:
    """Faces that a second of the decision can be expected to move; that of a suspect is one at most."""
    if len(items) > 1:
        return float(sum(item["value"] for item in items)) * PAIR_SECONDS / SCREEN_SECONDS
    value = float(items[0]["value"])
    return min(value, 1 / PAIR_SECONDS) if batch["asks"] == "suspect" else value


def random_work(desk: Desk, annotator: Annotator, *, every: int) -> Iterator[Spent]:
    """Any two faces."""
    spent, faces = Spent(), np.array(sorted(annotator.person_of))
    while True:
        a, b = (int(face) for face in annotator.rng.choice(faces, 2, replace=False))
        kind = annotator.pair({"faces": [a, b]})
        desk.post(desk.engineer, "decisions", kind=kind, faces=[a], others=[b], seconds=PAIR_SECONDS)
        spent.note("random", [a, b], [kind], screen=False)
        yield spent
        if spent.decisions % every == 0:
            wait_for_jobs("labels")
            desk.cluster()


def naming_work(desk: Desk, annotator: Annotator, truth: Truth, *, every: int) -> Iterator[Spent]:
    """One face after the other gets its person's name."""
    spent = Spent()
    known: dict[int, int] = {}
    for face in annotator.rng.permutation(sorted(truth.person_of)).tolist():
        person = truth.person_of[face]
        bears = Label.objects.filter(face=face).values_list("identity_id", flat=True).first()
        if person not in known and bears is not None and bears not in known.values():
            desk.post(desk.engineer, "decisions", kind="rename", identity=bears, text=truth.name_of[person])
            known[person] = bears
        else:
            who: dict[str, Any] = {"identity": known[person]} if person in known else {"text": truth.name_of[person]}
            made = desk.post(desk.engineer, "decisions", kind="assign", faces=[face], seconds=PAIR_SECONDS, **who)
            known[person] = made["decision"]["into"] or made["decision"]["identity"]
        spent.note("naming", [face], ["named"], screen=False)
        yield spent
        if spent.decisions % every == 0:
            wait_for_jobs("labels")
            desk.cluster()


def replay(home: Path, options: argparse.Namespace) -> int:
    """Run all ways of working that were asked for."""
    options.queues = options.queues or list(ASKED)
    ingest(home, options.photos, people=options.people, limit=options.limit, tuning=options.tuning)
    results: list[dict[str, Any]] = []
    ends: dict[str, dict[str, Any]] = {}
    for way, who in itertools.product(options.ways, options.annotators):
        if who == "noisy" and way not in QUEUES:
            continue  # nothing weighs the votes there
        with fresh(home, annotators=OVERLAP if who == "noisy" else 1) as (engineer, people):
            truth = Truth(home / PEOPLE)
            end = work(Desk(engineer, people), truth, way, who, options)
            results += end.pop("lines")
            ends[f"{way} {who}"] = end
            if way in QUEUES:
                left = what_is_left(Desk(engineer, people), truth) | {"way": way, "annotator": who}
                tell(left)
                results.append(left)
            connections.close_all()
    best = max(ends.values(), key=lambda end: end["bcubed_f"] if end["annotator"] == "ideal" else 0.0)
    last = best | {"goal": GOAL, "all": {name: end["bcubed_f"] for name, end in ends.items()}}
    tell(last)
    if options.save:
        command = f"python -m benchmarks.review replay --photos DIR --decisions {options.decisions}"
        save("review-replay", [*results, last], command=command)
    return 0


def work(desk: Desk, truth: Truth, way: str, who: str, options: argparse.Namespace) -> dict[str, Any]:
    """One way of working to its end: the sum of it, with a line for every so many decisions."""
    noisy = who == "noisy"
    rng = np.random.default_rng(1)
    annotator = Annotator(
        truth.person_of, people_page, FALSE_ACCEPT if noisy else 0.0, FALSE_REJECT if noisy else 0.0, rng
    )
    steps: Iterator[Spent]
    if way == "random":
        steps = random_work(desk, annotator, every=options.every)
    elif way == "naming":
        steps = naming_work(desk, annotator, truth, every=options.every)
    else:
        steps = queue_work(desk, annotator, tuple(options.queues), screens=way == "screens", every=options.every)
    lines = [line_of(way, who, Spent(), truth)]
    tell(lines[0])
    start, spent, began = lines[0]["bcubed_f"], Spent(), time.perf_counter()
    wanted = options.decisions * len(desk.people)
    for spent in itertools.islice(steps, wanted):
        if spent.decisions % (options.every * len(desk.people)) == 0 or spent.decisions == wanted:
            wait_for_jobs("labels")
            if spent.decisions == wanted:
                desk.cluster()
            lines.append(line_of(way, who, spent, truth))
            tell(lines[-1])
    last = lines[-1] if lines[-1]["decisions"] == spent.decisions else line_of(way, who, spent, truth)
    return {
        "decisions": last["decisions"],
        "seconds": last["seconds"],
        "bcubed_f": last["bcubed_f"],
        "bcubed_f_start": start,
        "annotator": who,
        "way": way,
        "queues": options.queues,
        "faces": last["faces"],
        "faces_one_or_two_at_a_time": last["one_or_two_at_a_time"],
        "clock_seconds": round(time.perf_counter() - began, 1),
        "lines": lines,
    }


def people_page(identity: int) -> list[int]:
    """The faces that bear an identity's label."""
    return list(Label.objects.filter(identity=identity).values_list("face_id", flat=True)[:100])


def line_of(way: str, who: str, spent: Spent, truth: Truth) -> dict[str, Any]:
    """One point of the curve."""
    found, folders = truth.agreement(), truth.agreement(corrected=False)
    faces = len(truth.person_of)
    return {
        "benchmark": "replay",
        "way": way,
        "annotator": who,
        "faces": faces,
        "decisions": spent.decisions,
        "answers": dict(spent.answers),
        "queues": dict(spent.queues),
        "seconds": round(spent.seconds, 1),
        "bcubed_f": round(found.bcubed.f, 5),
        "bcubed_precision": round(found.bcubed.precision, 5),
        "bcubed_recall": round(found.bcubed.recall, 5),
        "bcubed_f_by_folders": round(folders.bcubed.f, 5),
        "one_or_two_at_a_time": round(len(spent.alone) / faces, 4),
        "ever_shown": round(len(spent.shown) / faces, 4),
    }


def what_is_left(desk: Desk, truth: Truth) -> dict[str, Any]:
    """What is still wrong, in faces of BCubed precision and recall lost, and whether a queue would ask about it."""
    batches = desk.mine(ASKED, 10_000)
    asked: dict[frozenset[int], list[str]] = defaultdict(list)
    labels = truth.labels()
    label_of = {face: int(label) if label >= 0 else -face for face, label in zip(truth.person_of, labels, strict=True)}
    for batch in batches:
        for item in desk.pages(f"review/batches/{batch['id']}/items"):
            if item["state"] == "open":
                both = [label_of.get(face, 0) for face in item["faces"][:2]]
                asked[frozenset(both)].append(batch["strategy"])
                if batch["asks"] == "suspect":  # whether the subject is in the right place at all
                    asked[frozenset(both[:1])].append(batch["strategy"])
    return left_of(truth, label_of, asked)


def left_of(truth: Truth, label_of: dict[int, int], asked: dict[frozenset[int], list[str]]) -> dict[str, Any]:
    """The errors by kind, see `what_is_left`; `asked` are the labels of both faces of a question, with its queues."""
    members: dict[int, list[int]] = defaultdict(list)
    faces: dict[int, list[int]] = defaultdict(list)
    for face, label in label_of.items():
        members[label].append(face)
        faces[truth.person_of[face]].append(face)
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    lost: defaultdict[str, float] = defaultdict(float)
    for mine in faces.values():
        parts = Counter(label_of[face] for face in mine)
        if len(parts) > 1:
            kind = "scattered singles" if max(parts.values()) == 1 else "parted people"
            lost[kind] += len(mine) - sum(size * size for size in parts.values()) / len(mine)
            pairs = [frozenset(both) for both in itertools.combinations(parts, 2)]
            queues = {queue for both in pairs for queue in asked.get(both, ())}
            kinds[kind][" and ".join(sorted(queues)) or "no queue asks"] += 1
    for label, mine in members.items():
        people = Counter(truth.person_of[face] for face in mine)
        if len(people) > 1:
            kind = "mixed pairs" if len(mine) == 2 else "mixed people"
            lost[kind] += len(mine) - sum(size * size for size in people.values()) / len(mine)
            queues = set(asked.get(frozenset([label]), ()))
            kinds[kind][" and ".join(sorted(queues)) or "no queue asks"] += 1
    return {
        "benchmark": "what is left",
        "faces_lost": {kind: round(value, 2) for kind, value in lost.items()},
        "errors": {kind: dict(counts) for kind, counts in kinds.items()},
    }
