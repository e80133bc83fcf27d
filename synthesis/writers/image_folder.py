"""One folder per class, as torchvision's ImageFolder and many others read them."""

from __future__ import annotations

import re
from pathlib import Path

from foundation.errors import InvalidInput
from synthesis.samples import Sample
from synthesis.writers.base import Writer, encode_png

_SAFE = re.compile(r"[\w][\w .+-]*")


class ImageFolderWriter(Writer):
    """`<class>/<index>.png`.

    Args:
        class_label: the label that names the class.

    Raises:
        InvalidInput: a sample has no such label, or one that can't name a folder.
    """

    def __init__(self, target: Path, class_label: str) -> None:
        super().__init__(target)
        self.class_label = class_label

    def _add(self, sample: Sample) -> None:
        name = str(sample.labels.get(self.class_label, ""))
        if not _SAFE.fullmatch(name):
            raise InvalidInput(
                f"Sample {sample.index}: its label {self.class_label!r} is {name!r}, which can't name a folder.",
                code="bad_class",
            )
        self._put_picture(f"{name}/{sample.key}.png", encode_png(sample.image))
