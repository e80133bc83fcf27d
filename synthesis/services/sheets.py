"""A run's contact sheet: one sample, labels drawn, of each of some shards that are spread evenly over the run."""

from __future__ import annotations

import cv2
import numpy as np

from foundation import blobs
from foundation.errors import NotFound
from synthesis.drawing import contact_sheet, draw_labels, fitted
from synthesis.models import SynthesisRun
from synthesis.samples import Sample
from synthesis.writers.base import encode_png

SAMPLES = 12


def is_on_sheet(run: SynthesisRun, ordinal: int) -> bool:
    """Whether a sample of this shard is shown."""
    return ordinal in {place * run.shards_total // SAMPLES for place in range(SAMPLES)}


def cell_of(sample: Sample) -> str:
    """The blob of a sample as the sheet shows it, a PNG."""
    return blobs.put("shards", encode_png(fitted(draw_labels(sample.image, sample.labels))))


def cells_of(run: SynthesisRun) -> list[str]:
    """The blobs that the run's sheet is made of so far, in order. Raises NotFound while there are none."""
    cells = list(run.shards.exclude(sheet_blob="").order_by("ordinal").values_list("sheet_blob", flat=True))
    if not cells:
        raise NotFound("This run has no sample to show yet.", code="no_sheet")
    return cells


def sheet_of(cells: list[str]) -> bytes:
    """The PNG of the sheet."""
    if len(cells) == 1:  # older runs have a whole sheet in one
        return blobs.read(cells[0])
    images = [cv2.imdecode(np.frombuffer(blobs.read(cell), np.uint8), cv2.IMREAD_COLOR_RGB) for cell in cells]
    return encode_png(contact_sheet([np.asarray(image, np.uint8) for image in images]))
