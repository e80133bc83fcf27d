"""Which server, and who we are: LOUPE_URL and LOUPE_TOKEN, or what `loupe login` stored for its owner alone."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from loupe.errors import NotSignedIn, UsageError

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Credentials:
    url: str
    token: str = field(repr=False)


def config_dir() -> Path:
    """LOUPE_CONFIG_DIR, or the platform's place for settings."""
    if chosen := os.environ.get("LOUPE_CONFIG_DIR"):
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming") / "loupe"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "loupe"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "loupe"


def load() -> Credentials:
    """The environment beats the stored file. Raises NotSignedIn."""
    url, token = os.environ.get("LOUPE_URL", ""), os.environ.get("LOUPE_TOKEN", "")
    stored = _stored()
    url, token = url or stored.get("url", ""), token or _token_for(url, stored)
    if not url or not token:
        raise NotSignedIn("You are not signed in: run `loupe login`, or set LOUPE_URL and LOUPE_TOKEN.")
    return Credentials(normalised_url(url), token)


def save(credentials: Credentials) -> Path:
    """Store for this user only (0600 in a 0700 folder), whole or not at all."""
    folder = config_dir()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder)  # 0600 from the start
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(credentials), file)
        return Path(name).replace(folder / "credentials.json")
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def forget() -> bool:
    """Remove what was stored; returns whether there was anything."""
    path = config_dir() / "credentials.json"
    existed = path.exists()
    path.unlink(missing_ok=True)
    return existed


def normalised_url(url: str) -> str:
    """`loupe.example.org/` -> `https://loupe.example.org`. Raises UsageError."""
    text = url.strip()
    if "://" not in text:
        host = text.split("/", 1)[0].rsplit(":", 1)[0].strip("[]")
        text = f"{'http' if host in LOOPBACK else 'https'}://{text}"
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise UsageError(f"{url!r} is not the address of a server.", code="invalid_url")
    if parts.username or parts.password:
        raise UsageError("Leave names and passwords out of the address.", code="invalid_url")
    return text.rstrip("/")


def is_private(url: str) -> bool:
    """Whether nobody on the way can read the token: https, or this very machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in LOOPBACK


def _token_for(url: str, stored: dict[str, str]) -> str:
    # A token is sent only to the server that it was stored for.
    return stored.get("token", "") if not url or normalised_url(url) == stored.get("url") else ""


def _stored() -> dict[str, str]:
    try:
        data = json.loads((config_dir() / "credentials.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise NotSignedIn(f"The stored sign-in can't be read ({error}); run `loupe login` again.") from error
    return {key: value for key, value in data.items() if isinstance(value, str)} if isinstance(data, dict) else {}
