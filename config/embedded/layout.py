"""Where a home keeps what, and the private directory of its sockets."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from config.environment import EnvironmentProblem, runtime_directory


class ServiceProblem(EnvironmentProblem):
    """An embedded service can't be started; the text is one sentence that says why."""


@dataclass(frozen=True)
class Layout:
    """The directories of one LOUPE_HOME."""

    home: Path
    runtime: Path

    @classmethod
    def of(cls, home: Path) -> Layout:
        return cls(home, runtime_directory(home))

    @property
    def postgres(self) -> Path:
        return self.home / "pg"

    @property
    def valkey(self) -> Path:
        return self.home / "valkey"

    @property
    def logs(self) -> Path:
        return self.home / "log"

    @property
    def lock(self) -> Path:
        return self.home / "running"

    def prepare(self) -> None:
        """Make the directories. Raises ServiceProblem if one can't be made or is not ours."""
        try:
            for path in (self.home, self.logs, self.valkey, self.home / "static"):
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.runtime.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise ServiceProblem(f"{error.filename} can't be made: {error.strerror}.") from error
        check_private(self.runtime)


def check_private(path: Path) -> None:
    """Refuse a socket directory that another user made or may enter: whoever reaches the sockets owns the data."""
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise ServiceProblem(f"{path} must be a directory that only you may enter; remove it and start again.")
