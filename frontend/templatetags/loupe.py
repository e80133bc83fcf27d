"""Tags and filters that the pages use: icons, permissions, times, sizes."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from django import template
from django.template import RequestContext
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.models import User
from accounts.permissions import capabilities
from accounts.shortcuts import key_of, keys_of, shown
from annotation.models import Decision, Face
from annotation.queries import decision_access
from frontend import line_icons
from frontend.navigation import Group, visible_groups
from jobs.models import Job

register = template.Library()

THEMES = ("auto", "light", "dark")
GOOD = {"ready", "live", "done", "finished", "published", "champion", "answered", "human", "train", "promoted"}
WARN = {"finished_with_errors", "cancelled", "cancelling", "challenger", "skipped", "building", "no_faces", "retrying"}
BAD = {"failed", "refused", "not_a_face", "rejected"}
BUSY = {"running", "queued", "pending", "claimed", "open", "stored", "auto", "waiting"}


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon's markup."""
    return line_icons.icon(name)


@register.filter
def crop(face_id: int) -> str:
    """Where a face's picture is. A page has hundreds, and `{% url %}` takes ten times as long."""
    before, after = _around("ui:crop")
    return f"{before}{int(face_id)}{after}"


@register.filter
def preview(photo_id: int, width: int) -> str:
    """Where a photo of about this width is."""
    before, after = _around("ui:preview", width)
    return f"{before}{int(photo_id)}{after}"


@cache
def _around(route: str, *after: int) -> tuple[str, str]:
    start, end = reverse(route, args=[0, *after]).split("/0", 1)
    return f"{start}/", end


@register.filter
def may_take_back(user: User, decision: Decision) -> bool:
    """Whether somebody may take a decision back."""
    return decision_access.may_take_back(user, [decision.actor_id])


@register.filter
def corner_and_size(face: Face) -> SafeString:
    """Where a face is in its photo, as an SVG rectangle has it."""
    x, y, width, height = (f"{value:.1f}" for value in (face.x, face.y, face.width, face.height))
    return SafeString(f'x="{x}" y="{y}" width="{width}" height="{height}"')


@register.simple_tag(takes_context=True)
def capabilities_of_user(context: RequestContext) -> frozenset[str]:
    """What the signed-in person may do; empty on pages without a request, such as the 500 page."""
    request = context.get("request")
    return capabilities(request.user) if request is not None and hasattr(request, "user") else frozenset()


@register.simple_tag(takes_context=True)
def own_keys(context: RequestContext) -> str:
    """{action: key} of the person who is signed in, as JSON."""
    return json.dumps(keys_of(_own(context)))


@register.simple_tag(takes_context=True)
def key(context: RequestContext, action: str) -> SafeString:
    """The key of an action as the person has it, as on a keyboard."""
    return _pressed(key_of(_own(context), action))


@lru_cache(maxsize=256)  # a page of questions shows the same few a hundred times
def _pressed(key: str) -> SafeString:
    return format_html_join(" ", "<kbd>{}</kbd>", ((part,) for part in shown(key).split(" ")))


def _own(context: RequestContext) -> dict[str, str]:
    chosen: dict[str, str] = getattr(getattr(context.get("request"), "user", None), "keys", {})
    return chosen


@register.simple_tag
def navigation(held: frozenset[str]) -> list[Group]:
    """The side bar's groups."""
    return visible_groups(held)


@register.simple_tag(takes_context=True)
def theme(context: RequestContext) -> str:
    """The theme that the person chose, from its cookie, so that the first paint is right; `auto` otherwise."""
    request = context.get("request")
    chosen = request.COOKIES.get("loupe_theme", "auto") if request is not None else "auto"
    return chosen if chosen in THEMES else "auto"


@register.filter
def when(moment: datetime | None) -> SafeString:
    """How long ago, with the exact time on hover; the page's script turns that into local time."""
    if moment is None:
        return SafeString("–")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(timespec="seconds"),
        f"{moment:%Y-%m-%d %H:%M:%S} UTC",
        ago((timezone.now() - moment).total_seconds()),
    )


def ago(seconds: float) -> str:
    """Seconds as words: `just now`, `5 min ago`, `3 days ago`."""
    if seconds < 45:
        return "just now" if seconds > -45 else f"in {duration(-seconds)}"
    if seconds < 5400:
        return f"{max(1, round(seconds / 60))} min ago"
    if seconds < 129_600:
        return f"{round(seconds / 3600)} h ago"
    days = round(seconds / 86_400)
    return f"{days} day{'s' if days != 1 else ''} ago" if days < 60 else f"{round(days / 30.4)} months ago"


@register.filter
def duration(seconds: float | None) -> str:
    """Seconds as `40 ms`, `4.2 s`, `3 min 20 s`, `2 h 05 min`, `3 days`."""
    if seconds is None:
        return "–"
    if 0 < seconds < 0.1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s" if minutes < 10 else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours < 48 else f"{hours // 24} days"


@register.filter
def minutes(count: float) -> str:
    """An estimate, as `review.js` words it too: `Less than a minute`, `About 12 min`, `About 3 h`."""
    if count < 1:
        return "Less than a minute"
    return f"About {count:.0f} min" if count < 120 else f"About {count / 60:.0f} h"


@register.filter
def size(count: int | None) -> str:
    """Bytes as `12 kB`, `3.4 MB` (powers of 1000)."""
    if count is None:
        return "–"
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 10 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


@register.filter
def share(part: float | None, whole: float | None = 1.0) -> str:
    """`part` of `whole` as a percentage; a dash where there is nothing to share."""
    if part is None or not whole:
        return "–"
    value = 100.0 * part / whole
    return f"{value:.0f}%" if value in (0.0, 100.0) else f"{value:.1f}%"


@register.filter
def number(value: float | None, places: int = 3) -> str:
    """A measured figure with a fixed number of places, or a dash."""
    return "–" if value is None else f"{value:.{places}f}"


@register.filter
def percent_of(part: float | None, whole: float | None) -> int:
    """`part` of `whole` in whole percent, 0..100, for progress bars."""
    return min(100, round(100.0 * part / whole)) if part and whole else 0


@register.filter
def short_digest(digest: str) -> str:
    """The first twelve characters of a digest."""
    return digest[:12]


@register.filter
def state_class(state: Any) -> str:
    """The badge colour of a state."""
    name = str(state)
    for names, css in ((GOOD, "good"), (WARN, "warn"), (BAD, "bad"), (BUSY, "info")):
        if name in names:
            return css
    return ""


@register.filter
def words(name: Any) -> str:
    """A snake_case name as words: `finished_with_errors` becomes `finished with errors`."""
    return str(name).replace("_", " ")


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """`mapping[key]`, or None."""
    return mapping.get(key) if hasattr(mapping, "get") else None


@register.filter
def split_words(text: str) -> list[str]:
    """The words of a constant, to loop over."""
    return text.split()


@register.simple_tag
def sheet_url(name: str) -> str:
    """The address of one of our style sheets."""
    return static(f"frontend/css/{name}.css")


@register.filter
def brief(value: Any) -> str:
    """A JSON value in at most 200 characters, for lists of facts."""
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    if isinstance(value, dict) and value and not any(isinstance(inner, dict | list) for inner in value.values()):
        return ", ".join(f"{words(key)} {brief(inner)}" for key, inner in value.items())[:400]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 200 else f"{text[:199]}…"


@register.filter
def job_seconds(job: Job) -> float | None:
    """How long a job that has ended took."""
    if job.started_at is None or job.finished_at is None:
        return None
    return (job.finished_at - job.started_at).total_seconds()


@register.filter
def metric_name(key: str) -> str:
    """How a metric's key is written: `tar@1e-3` becomes `TAR @ FAR 1e-3`."""
    name, at, point = key.partition("@")
    return f"{name.upper()} @ FAR {point}" if at else words(key)
