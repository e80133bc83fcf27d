"""Every address of Loupe: each app's REST calls under /api/v1/, the web pages at the root."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularJSONAPIView

from foundation.rest import not_found

# Lower layers first; no two apps may claim the same path.
API_APPS = ["accounts", "jobs", "models_zoo", "annotation", "synthesis", "mining", "loop"]

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/schema", SpectacularJSONAPIView.as_view(), name="schema"),
]
urlpatterns += [path("api/v1/", include(f"{app}.urls")) for app in API_APPS if find_spec(f"{app}.urls")]
urlpatterns.append(re_path(r"^api/", not_found))
if find_spec("frontend.urls"):
    urlpatterns.append(path("", include("frontend.urls")))

handler400 = "frontend.views.errors.bad_request"
handler403 = "frontend.views.errors.forbidden"
handler404 = "frontend.views.errors.not_found"
handler500 = "frontend.views.errors.server_error"
