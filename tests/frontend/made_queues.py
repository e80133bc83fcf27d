"""Small queues for the browser, and what is seen of them."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, Page

from mining.models import ReviewBatch, ReviewItem
from tests.factories import World

Open = Callable[..., Page]


def make_clusters(world: World) -> ReviewBatch:
    """Whether each cluster is one person; Anna is proposed for all but her own."""
    batch = ReviewBatch.objects.create(strategy="clusters", asks="cluster", run=world.run)
    anna = world.people[0]
    for n, cluster in enumerate(world.clusters):
        wide = [cluster.widest_a_id, cluster.widest_b_id]
        proposal = {"identity": anna.pk, "face": world.clusters[0].medoid_id, "similarity": 0.7}
        evidence = {
            "cluster": cluster.pk,
            "medoid": cluster.medoid_id,
            "widest": wide,
            "proposals": [] if n == 0 else [proposal],
        }
        ReviewItem.objects.create(
            batch=batch,
            ordinal=n,
            faces=list(dict.fromkeys([cluster.medoid_id, *wide])),
            identities=[cluster.identity_id],
            value=9 - n,
            settles=cluster.size,
            why=f"why {n}",
            evidence=evidence,
        )
    return batch


def make_pairs(world: World, asks: str = "pair", count: int = 3) -> ReviewBatch:
    batch = ReviewBatch.objects.create(strategy="pairs_near_threshold", asks=asks, run=world.run)
    for n in range(count):
        faces, who = [world.faces[1 + n].pk, world.faces[7].pk], [one.pk for one in world.people[:2]]
        ReviewItem.objects.create(
            batch=batch, ordinal=n, faces=faces, identities=who, value=9 - n, settles=4, why=f"why {n}"
        )
    return batch


def tiles(page: Page) -> Locator:
    return page.locator("[data-question]:not([hidden]) [role=option]")
