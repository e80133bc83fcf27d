"""Everything that a recipe may name. Adding a part: its class, its line here, its test."""

from __future__ import annotations

from synthesis.effects.registry import EFFECTS

COMBINATORS: dict[str, str] = {
    "all_of": "synthesis.effects.combinators.Compose",
    "one_of": "synthesis.effects.combinators.OneOf",
    "some_of": "synthesis.effects.combinators.SomeOf",
    "probably": "synthesis.effects.combinators.Probably",
}

TEXT: dict[str, str] = {
    "text_lines": "synthesis.text.lines.TextLines",
    # what is written
    "words": "synthesis.text.corpora.Words",
    "prices": "synthesis.text.corpora.Prices",
    "dates": "synthesis.text.corpora.Dates",
    "weights": "synthesis.text.corpora.Weights",
    "codes": "synthesis.text.corpora.Codes",
    "mix": "synthesis.text.corpora.Mix",
    "phrases": "synthesis.text.phrases.Phrases",
    "addresses": "synthesis.text.phrases.Addresses",
    "phones": "synthesis.text.phrases.Phones",
    # how it is bent
    "rotation": "synthesis.text.warps.Rotation",
    "perspective": "synthesis.text.warps.Perspective",
    "arc": "synthesis.text.warps.Arc",
    "sine": "synthesis.text.warps.Sine",
    "elastic": "synthesis.text.warps.Elastic",
    "lens": "synthesis.text.warps.Lens",
    "one_warp_of": "synthesis.text.warps.OneWarpOf",
    "probably_warp": "synthesis.text.warps.ProbablyWarp",
}

GENERATORS: dict[str, str] = {
    "mixture": "synthesis.mixture.Mixture",
    "boxes": "synthesis.scenes.boxes.Boxes",
    "shelf": "synthesis.scenes.shelf.ShelfScenes",
    "queue": "synthesis.scenes.queue.QueueScenes",
}

PARTS: dict[str, str] = EFFECTS | COMBINATORS | TEXT | GENERATORS
