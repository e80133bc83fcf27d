"""Pages made ready before anybody asks for one."""

from __future__ import annotations

from django.conf import settings
from django.template.loader import get_template


def compile_templates() -> int:
    """Read and compile all of Loupe's templates, which then stay in memory; how many there are."""
    folder = settings.BASE_DIR / "frontend" / "templates"
    return len([get_template(path.relative_to(folder).as_posix()) for path in folder.rglob("*.html")])
