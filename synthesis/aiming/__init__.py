"""Recipes aimed at a slice: which effects, and how strong, make clean crops look like the faces that go wrong.

`measures.py` says what is compared, `space.py` which effects may be drawn from how wide ranges, `propose.py` finds the
ranges that match, and `proposal.py` tells them in words, numbers and as a recipe.
"""

from __future__ import annotations

from synthesis.aiming.measures import MEASURES, crop_measures
from synthesis.aiming.proposal import Match, Proposal
from synthesis.aiming.propose import propose

__all__ = ["MEASURES", "Match", "Proposal", "crop_measures", "propose"]
