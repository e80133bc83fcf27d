"""A sample made while somebody waits for it: whatever goes wrong has a sentence."""

from __future__ import annotations

import logging

from foundation.errors import InvalidInput, LoupeError, Unavailable
from synthesis.samples import Generator, Sample, make_sample

log = logging.getLogger(__name__)


def try_sample(generator: Generator, seed: int, index: int) -> Sample:
    """As `make_sample`, but what nobody foresaw is a refusal, too.

    Raises:
        InvalidInput: `unexpected_error`, and what `make_sample` raises.
        Unavailable: `no_resources`, of memory or files, which may pass.
    """
    try:
        return make_sample(generator, seed, index)
    except LoupeError:
        raise
    except (MemoryError, OSError) as error:
        log.exception("item %d raised %s", index, type(error).__name__)
        raise Unavailable("There was not enough memory, or a file could not be read.", code="no_resources") from error
    except Exception as error:
        log.exception("item %d raised %s", index, type(error).__name__)
        told = f"{type(error).__name__}: {error}"[:300]
        raise InvalidInput(f"It can't be made with these settings ({told}).", code="unexpected_error") from error
