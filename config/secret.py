"""The signing key of an installation: made once, kept under LOUPE_HOME, readable by its owner only."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from config.environment import EnvironmentProblem


def secret_key(home: Path) -> str:
    """Return the key of `home`, making it on first use. Two processes that start at once get the same one."""
    path = home / "secret_key"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _create(path)
        key = path.read_text().strip()
    except OSError as error:
        raise EnvironmentProblem(f"LOUPE_HOME ({home}) can't be used: {error.strerror}.") from error
    if len(key) < 32:
        raise EnvironmentProblem(f"{path} is damaged; delete it to get a new key, which signs everybody out.")
    return key


def _create(path: Path) -> None:
    # A complete file is linked into place, so no reader ever sees half a key and the first writer wins.
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
