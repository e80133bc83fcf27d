"""Settings of the test run: a home of its own that is thrown away, whatever the shell says."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_KEPT = {"LOUPE_TEST_DATA", "LOUPE_WEIGHTS", "LOUPE_DEVICE"}
_REPOSITORY = Path(__file__).resolve().parent.parent

for _name in [name for name in os.environ if name.startswith("LOUPE_") and name not in _KEPT]:
    del os.environ[_name]
for _name in ("DATABASE_URL", "BROKER_URL"):
    os.environ.pop(_name, None)
os.environ["LOUPE_HOME"] = tempfile.mkdtemp(prefix="loupe-test-")
(Path(os.environ["LOUPE_HOME"]) / "static").mkdir()
os.environ.setdefault("LOUPE_WEIGHTS", str(_REPOSITORY / "var" / "weights"))
# Programs that tests start read the ordinary settings, in this home.
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

from config.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
